import CCurl

/// Owns a libcurl easy handle and the list of fields it sends. Not thread-safe. All calls into libcurl are here.
final class CurlHandle {
    private let handle: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    /// libcurl writes its message here; it must outlive every transfer.
    private let message: UnsafeMutablePointer<CChar>

    /// Once in the process, whichever client is the first.
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init() throws(HTTPClientFailure) {
        guard Self.isInitialised, let handle = curl_easy_init() else {
            throw HTTPClientFailure("libcurl could not be initialised")
        }
        self.handle = handle
        message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fields)
        message.deallocate()
    }

    /// Forgets all options and keeps the connections.
    func reset() {
        curl_easy_reset(handle)
        curl_slist_free_all(fields)
        fields = nil
        message.pointee = 0
        pyra_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, message)
    }

    func set(_ option: CURLoption, _ value: Int) { pyra_curl_set_long(handle, option, value) }
    func setOffset(_ option: CURLoption, _ value: Int) { pyra_curl_set_offset(handle, option, value) }
    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String) { pyra_curl_set_text(handle, option, value) }
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
        pyra_curl_set_pointer(handle, option, value)
    }
    func set(_ option: CURLoption, _ function: pyra_curl_data) {
        pyra_curl_set_function(handle, option, function)
    }

    func setSeek(_ function: pyra_curl_seek) { pyra_curl_set_seek(handle, function) }
    func setProgress(_ function: pyra_curl_progress) { pyra_curl_set_progress(handle, function) }

    /// - Parameter field: `Name: value`, or `Name:` to leave out what libcurl would send.
    func add(field: String) { fields = curl_slist_append(fields, field) ?? fields }

    /// Runs the transfer to its end.
    func perform() -> CURLcode {
        pyra_curl_set_fields(handle, fields)
        return curl_easy_perform(handle)
    }

    /// What went wrong in the last transfer, in libcurl's words.
    func describe(_ code: CURLcode) -> HTTPClientFailure {
        let detail = String(cString: message)
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        return HTTPClientFailure(text, kind: Self.kind(of: code))
    }

    private static func kind(of code: CURLcode) -> HTTPClientFailure.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
            CURLE_OPERATION_TIMEDOUT, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING,
            CURLE_PARTIAL_FILE, CURLE_SSL_CONNECT_ERROR, CURLE_SEND_FAIL_REWIND, CURLE_WEIRD_SERVER_REPLY,
            CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_AGAIN:
            .connection
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            .untrusted
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        default: .unusable
        }
    }
}
