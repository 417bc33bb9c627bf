import Platform

extension Router {
    /// Runs one request to its end in process, body included, waiting for deferred replies and collecting streams.
    /// For tests of routes: everything but the socket.
    package func respond(to request: Request) -> CollectedResponse {
        collect(run(request), request)
    }

    private func run(_ request: Request) -> Response {
        do {
            let (endpoint, parameters) = try request.target.withUnsafeBytes { target throws(HTTPFailure) in
                try match(request.method, target)
            }
            request.parameters = parameters
            request.endpoint = endpoint
            return try wait(for: try answer(endpoint, request))
        } catch {
            return response(to: error, request)
        }
    }

    private func answer(_ endpoint: Endpoint, _ request: Request) throws -> Reply {
        let sent = request.body
        request.body = Request.noBody
        let handling = try endpoint.body(request)
        guard sent.count > 0 || handling.isStreamed else { return try endpoint.handler(request) }
        let coding = request.field("Content-Encoding").map { Array($0.utf8) }
        let intake = try (coding ?? []).withUnsafeBytes { coding in
            try BodyIntake(
                handling, coding: coding, announcedBytes: sent.count,
                budget: BodyBudget(gauges: ServerGauges(), bytesMax: .max))
        }
        let chunkBytes = 16 * 1024
        for start in stride(from: 0, to: sent.count, by: chunkBytes) {
            let end = min(start + chunkBytes, sent.count)
            try intake.take(UnsafeRawBufferPointer(rebasing: sent.bytes[start..<end]))
        }
        return try intake.finish(request) ?? endpoint.handler(request)
    }

    private func wait(for reply: Reply) throws -> Response {
        switch reply {
        case .now(let response): return response
        case .later(let deferred):
            let waiter = ThreadWaiter()
            deferred.suspend(waiter)
            if !waiter.wait(untilNanoseconds: deferred.deadlineNanoseconds) {
                deferred.cancel(.deadline)
                // Whoever decided it first may still be about to publish.
                _ = waiter.wait(untilNanoseconds: nil)
            }
            switch deferred.take() {
            case .response(let response): return response
            case .failure(let error): throw error
            case .dropped, nil: throw HTTPFailure.deadlinePassed
            }
        }
    }

    private func collect(_ response: Response, _ request: Request) -> CollectedResponse {
        let isHead = request.method == .head
        var body: [UInt8] = []
        switch response.body {
        case .empty: break
        case .bytes(let bytes): body = bytes
        case .pinned(let pinned): body = Array(pinned.bytes)
        case .stream(let source):
            if !isHead { body = Self.drain(source) }
            source.finished()
        }
        return CollectedResponse(
            status: response.status, contentType: response.contentType, fields: response.allFields,
            body: isHead ? [] : body)
    }

    private static func drain(_ source: any ResponseSource) -> [UInt8] {
        let waker = ThreadWaker()
        source.start(waker: waker)
        var collected: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let generation = waker.wakeUp.generation
            switch source.read(into: chunk) {
            case .bytes(let count): collected.append(contentsOf: chunk[..<count])
            case .wait: waker.wakeUp.wait(since: generation)
            case .end, .abort: return collected
            }
        }
    }
}

/// Wakes the thread that collects a stream in process.
private final class ThreadWaker: StreamWaker {
    let wakeUp = WakeUp()
    func wake() { wakeUp.signal() }
}
