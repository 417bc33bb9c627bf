import CMicroHTTPD
import Glibc
import Platform
import Synchronization

extension Connection {
    /// The request line has been parsed: keeps the raw target, which the parser is about to take apart in place.
    func sawTarget(_ text: UnsafePointer<CChar>) {
        let count = strlen(text)
        targetStart = UnsafeRawPointer(text)
        target = Array(UnsafeRawBufferPointer(start: text, count: count))
        if phase == .idle { enter(.head, nowNanoseconds: context.watch.tick) }
    }

    /// The first call for a request: its head is complete, nothing of its body has been read.
    ///
    /// - Returns: what the access handler returns.
    func begin(method name: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> MHD_Result {
        startedNanoseconds = Clock.monotonicNanoseconds()
        enter(.handling, nowNanoseconds: startedNanoseconds)
        method = Method(name)
        // "HTTP/1.0" and nothing else ends in 0: the parser has seen to it.
        isVersion10 = version[7] == 0x30
        var expectsBody = true
        do {
            let head = try HeadCheck.run(
                handle, method: name, isVersion10: isVersion10, layoutTells: context.limits.layoutTells)
            expectsBody = head.expectsBody
            try checkLimits(head, version)
            try prepare(head)
            return .YES
        } catch {
            return refuse(error, atOnce: expectsBody)
        }
    }

    private func checkLimits(_ head: HeadCheck, _ version: UnsafePointer<CChar>) throws(HTTPFailure) {
        if !isAdmitted, case .answered(let failure) = admission { throw failure }
        if context.isStopping.load(ordering: .relaxed) { throw .shuttingDown }
        if let targetStart, UnsafeRawPointer(version) - targetStart != target.count + 1 {
            throw .badPath(detail: "a space or NUL byte in the request target")
        }
        let limits = context.limits
        guard target.count <= limits.targetBytesMax else {
            throw .targetTooLong(limit: limits.targetBytesMax)
        }
        let headBytes = pyra_head_bytes(handle)
        let usedBytes = headBytes + head.fieldCount * HTTPConfiguration.fieldRecordBytes
        guard headBytes <= limits.headerBytesMax, usedBytes <= limits.usedMemoryBytesMax else {
            throw .headersTooLarge(limit: limits.headerBytesMax)
        }
        if target.first != UInt8(ascii: "/") { try takeAbsoluteForm(head) }
        try context.hostCheck.check(host: head.host, origin: head.origin)
    }

    /// Finds the route, and how it wants the body.
    private func prepare(_ head: HeadCheck) throws {
        if let origin = head.origin, context.hostCheck.allowsAcrossOrigins(origin) {
            self.origin = ASCII.text(origin)
        }
        let target = target
        let (endpoint, parameters) = try target.withUnsafeBytes { target throws(HTTPFailure) in
            try context.router.match(method, target)
        }
        let request = Request(endpoint.method, target: target, fields: .live(handle), body: context.noBody)
        request.parameters = parameters
        request.endpoint = endpoint
        request.announcedBytes = head.contentLength
        request.isConditional = head.isConditional
        self.request = request
        // What only asks whether the server lives is answered all the same.
        if endpoint.needsMemory, context.configuration.isShortOfMemory?() == true {
            throw HTTPFailure.overloaded(
                detail: "no memory is left for requests in flight", retryAfterSeconds: 1)
        }
        let handling = try endpoint.body(request)
        guard head.expectsBody || handling.isStreamed else {
            step = .handler
            return
        }
        intake = try BodyIntake(
            handling, coding: head.contentCoding, announcedBytes: head.contentLength,
            budget: context.bodyBudget)
        step = .body
        enter(.body, nowNanoseconds: startedNanoseconds)
    }

    /// `GET http://host/path`: the authority must be that of `Host`, the path is what counts.
    private func takeAbsoluteForm(_ head: HeadCheck) throws(HTTPFailure) {
        let found: (pathStart: Int, isSameHost: Bool)? = target.withUnsafeBytes { target in
            for scheme: StaticString in ["http://", "https://"]
            where ASCII.hasPrefixWithoutCase(target, scheme) {
                let start = scheme.utf8CodeUnitCount
                var end = start
                while end < target.count && target[end] != UInt8(ascii: "/")
                    && target[end] != UInt8(ascii: "?")
                {
                    end += 1
                }
                let authority = UnsafeRawBufferPointer(rebasing: target[start..<end])
                return (end, head.host.map { ASCII.equalWithoutCase(authority, $0) } ?? true)
            }
            return nil
        }
        guard let (pathStart, isSameHost) = found else { return }
        guard isSameHost else { throw .badFraming(detail: "the request target names another host than Host") }
        target.removeFirst(pathStart)
        if target.first != UInt8(ascii: "/") { target.insert(UInt8(ascii: "/"), at: 0) }
    }

    /// Answers with an error: at once, which closes the connection, or in the next call, which keeps it.
    private func refuse(_ error: any Error, atOnce: Bool) -> MHD_Result {
        var closes = atOnce
        if let failure = error as? HTTPFailure {
            if let reason = Rejection(failure) { context.metrics.reject(reason) }
            closes = closes || failure.closesConnection
        }
        intake?.cancel()
        intake = nil
        let response = context.router.response(to: error, request)
        guard closes else {
            prepared = response
            step = .answer
            return .YES
        }
        if case HTTPFailure.headersTooLarge = error {
            // The library has no memory left to put an answer together.
            forestall(response)
            return .NO
        }
        shared.withLock { $0.lingers = true }
        return send(response)
    }
}

extension HTTPFailure {
    /// Whether nothing that follows on the connection can be trusted, or should be read.
    var closesConnection: Bool {
        switch self {
        case .badFraming, .unknownTransferEncoding, .targetTooLong, .headersTooLarge, .misdirected,
            .originForbidden, .shuttingDown, .overloaded, .bodyTimeout:
            true
        case .badPercentEncoding, .badPath, .routeNotFound, .methodNotAllowed, .bodyTooLarge,
            .unsupportedContentCoding, .malformedContentCoding, .deadlinePassed:
            false
        }
    }
}

extension BodyHandling {
    var isStreamed: Bool {
        if case .streamed = self { true } else { false }
    }
}
