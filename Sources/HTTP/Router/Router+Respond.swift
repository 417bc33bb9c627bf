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
            request.routePattern = endpoint.pattern
            return try wait(for: try answer(endpoint, request))
        } catch {
            return response(to: error, request)
        }
    }

    private func answer(_ endpoint: Endpoint, _ request: Request) throws -> Reply {
        let sent = request.body
        switch try bodyHandling(endpoint, request) {
        case .none:
            guard sent.count <= BodyHandling.droppedBytesMax else {
                throw HTTPFailure.bodyTooLarge(
                    limit: BodyHandling.droppedBytesMax, what: "a body nobody asked for")
            }
            request.body = Request.noBody
            return try reply(endpoint, request)
        case .buffered(let limit, let what):
            guard sent.count <= limit else { throw HTTPFailure.bodyTooLarge(limit: limit, what: what) }
            return try reply(endpoint, request)
        case .streamed(let consumer):
            request.body = Request.noBody
            return try feed(sent, to: consumer)
        }
    }

    private func feed(_ sent: ByteBuffer, to consumer: any BodyConsumer) throws -> Reply {
        let chunkBytes = 16 * 1024
        do {
            var start = 0
            while start < sent.count {
                let end = min(start + chunkBytes, sent.count)
                try consumer.consume(UnsafeRawBufferPointer(rebasing: sent.bytes[start..<end]))
                start = end
            }
        } catch {
            consumer.cancelled()
            throw error
        }
        return try consumer.finish()
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
            status: response.status, contentType: response.contentType, fields: response.fields,
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
