import CCurl

/// HTTP as a client: one request after the other, over a connection that is kept. Not thread-safe.
package final class ClientConnection {
    private let handle: CurlHandle

    package init() throws(HTTPClientFailure) { handle = try CurlHandle() }

    /// Sends a request and hands on the body of its response as it arrives.
    ///
    /// - Parameter receive: gets the head with every piece; false ends the transfer, which is no failure.
    /// - Throws: when there is no complete response, whatever its status would have been.
    package func send(
        _ request: ClientRequest, receive: (ClientResponse, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientFailure) -> ClientResponse {
        for field in request.fields where field.value.utf8.contains(where: { $0 < 0x20 }) {
            throw HTTPClientFailure("\(field.name) has a control character in it")
        }
        let result = withoutActuallyEscaping(receive) { receive in perform(request, receive) }
        return try result.get()
    }

    /// Sends a request and collects the body of its response.
    package func send(_ request: ClientRequest) throws(HTTPClientFailure) -> (ClientResponse, body: [UInt8]) {
        var body: [UInt8] = []
        let response = try send(request) { _, bytes in
            body.append(contentsOf: bytes)
            return true
        }
        return (response, body)
    }

    private func perform(
        _ request: ClientRequest, _ receive: @escaping Transfer.Receive
    ) -> Result<ClientResponse, HTTPClientFailure> {
        let transfer = Transfer(request, receive: receive)
        handle.reset()
        configure(request)
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        handle.set(CURLOPT_HEADERFUNCTION, Transfer.onHeader)
        handle.set(CURLOPT_HEADERDATA, context)
        handle.set(CURLOPT_WRITEFUNCTION, Transfer.onData)
        handle.set(CURLOPT_WRITEDATA, context)
        handle.set(CURLOPT_READFUNCTION, Transfer.onRead)
        handle.set(CURLOPT_READDATA, context)
        handle.set(CURLOPT_SEEKDATA, context)
        handle.setSeek(Transfer.onSeek)
        if request.isCancelled != nil {
            handle.set(CURLOPT_NOPROGRESS, 0)
            handle.set(CURLOPT_XFERINFODATA, context)
            handle.setProgress(Transfer.onProgress)
        }

        let code = withExtendedLifetime(transfer) { performBody(request.body) }
        if let failure = transfer.failure { return .failure(failure) }
        guard code == CURLE_OK || transfer.wasStopped else { return .failure(handle.describe(code)) }
        return .success(transfer.response)
    }

    private func performBody(_ body: ClientRequest.Body) -> CURLcode {
        guard case .bytes(var bytes) = body else { return handle.perform() }
        handle.setOffset(CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
        return bytes.withUnsafeMutableBytes { buffer in
            handle.set(CURLOPT_POSTFIELDS, buffer.baseAddress)
            return handle.perform()
        }
    }

    private func configure(_ request: ClientRequest) {
        handle.set(CURLOPT_URL, request.url)
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_NOSIGNAL, 1)
        handle.set(CURLOPT_TCP_NODELAY, 1)
        handle.set(CURLOPT_PATH_AS_IS, 1)
        // As large as they may be without a cost: a system call for every 16 KiB shows at full speed.
        handle.set(CURLOPT_BUFFERSIZE, 256 * 1024)
        handle.set(CURLOPT_UPLOAD_BUFFERSIZE, 256 * 1024)
        if let file = request.authoritiesFile { handle.set(CURLOPT_CAINFO, file) }
        configure(request.limits)
        configure(request.body, method: request.method)
        if let signature = request.signature { configure(signature) }
        let hasType = request.fields.contains { $0.name.lowercased() == "content-type" }
        // A field that is left out would be signed nevertheless.
        if case .bytes = request.body, !hasType, request.signature == nil {
            handle.add(field: "Content-Type:")
        }
        handle.set(CURLOPT_CUSTOMREQUEST, request.method)
        for field in request.fields { handle.add(field: "\(field.name): \(field.value)") }
    }

    private func configure(_ limits: TransferLimits) {
        handle.set(CURLOPT_CONNECTTIMEOUT, limits.connectSeconds)
        if let seconds = limits.silenceSeconds {
            handle.set(CURLOPT_LOW_SPEED_LIMIT, limits.bytesPerSecondMin)
            handle.set(CURLOPT_LOW_SPEED_TIME, seconds)
        }
        if let seconds = limits.totalSeconds { handle.set(CURLOPT_TIMEOUT, seconds) }
    }

    private func configure(_ body: ClientRequest.Body, method: String) {
        switch body {
        case .none:
            if method == "HEAD" { handle.set(CURLOPT_NOBODY, 1) }
        case .bytes:
            handle.set(CURLOPT_POST, 1)
        case .file(_, let length):
            handle.set(CURLOPT_UPLOAD, 1)
            if let length { handle.setOffset(CURLOPT_INFILESIZE_LARGE, length) }
        case .pieces(let length, _):
            handle.set(CURLOPT_UPLOAD, 1)
            handle.setOffset(CURLOPT_INFILESIZE_LARGE, length)
        }
    }

    private func configure(_ signature: AWSSignature) {
        handle.set(CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)")
        handle.set(CURLOPT_USERNAME, signature.accessKeyID)
        handle.set(CURLOPT_PASSWORD, signature.secretAccessKey)
        // What is signed is one request over one connection.
        handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    }
}
