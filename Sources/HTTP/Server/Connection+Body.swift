import CMicroHTTPD
import Glibc
import Metrics
import Platform
import Synchronization

extension Connection {
    /// A call of the access handler: the head, a piece of the body, or the end of the request.
    func handle(
        method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, _ data: UnsafePointer<CChar>?,
        _ count: inout Int
    ) -> MHD_Result {
        if count > 0 {
            let bytes = UnsafeRawBufferPointer(start: data, count: count)
            count = 0
            return receive(bytes)
        }
        switch step {
        case .head: return begin(method: method, version: version)
        case .body: return completeBody()
        case .handler: return runHandler { try $0.handler($1) }
        case .answer:
            guard let response = prepared else { return .NO }
            prepared = nil
            return send(response)
        case .waiting: return resumed()
        case .answered: return .YES
        case .over: return .NO
        }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) -> MHD_Result {
        guard step == .body, phase == .body, let intake else { return .NO }
        receivedBodyBytes.wrappingAdd(bytes.count, ordering: .relaxed)
        context.metrics.receivedBytes.add(UInt64(bytes.count))
        do {
            try intake.take(bytes)
            return .YES
        } catch {
            return breakOff(error)
        }
    }

    private func completeBody() -> MHD_Result {
        // The watch may have found it overdue: `completed` answers then.
        guard let intake, leave(.body, for: .handling) else { return .NO }
        return runHandler { endpoint, request in
            try intake.finish(request) ?? endpoint.handler(request)
        }
    }

    /// Answers in the library's place and lets it send nothing more.
    func forestall(_ failure: HTTPFailure) {
        startedNanoseconds = Clock.monotonicNanoseconds()
        if let reason = Rejection(failure) { context.metrics.reject(reason) }
        forestall(context.router.response(to: failure, nil))
    }

    func forestall(_ response: Response) {
        step = .over
        writeAnswer(response)
        shutDown(SHUT_WR)
    }

    /// libmicrohttpd is done with the request, whatever became of it.
    func completed() {
        if step == .body && phase == .cut {
            let slowest = context.configuration.bodyBytesPerSecondMin
            writeRefusal(
                of: HTTPFailure.bodyTimeout(detail: "the body came in slower than \(slowest) bytes a second"))
        }
        if step == .head && phase == .handling { context.metrics.reject(.parser) }
        // Resumed, the library reads before it asks for the answer, and may find the client gone.
        if step == .waiting { abandonWait() }
        reset()
    }

    private func runHandler(_ body: (Endpoint, Request) throws -> Reply) -> MHD_Result {
        guard let request, let endpoint = request.endpoint else { return .NO }
        do {
            switch try body(endpoint, request) {
            case .now(let response): return send(response)
            case .later(let reply): return wait(for: reply)
            }
        } catch {
            return sendFailure(error)
        }
    }

    func sendFailure(_ error: any Error) -> MHD_Result {
        if let failure = error as? HTTPFailure, let reason = Rejection(failure) {
            context.metrics.reject(reason)
        }
        return send(context.router.response(to: error, request))
    }

    /// Ends a request in the middle of its body. libmicrohttpd cannot queue an answer then, so it is written past it;
    /// nothing else has been written at this point, and what is left of the body is never read.
    private func breakOff(_ error: any Error) -> MHD_Result {
        step = .over
        guard leave(.body, for: .cut) else { return .NO }
        writeRefusal(of: error)
        return .NO
    }

    private func writeRefusal(of error: any Error) {
        if let failure = error as? HTTPFailure, let reason = Rejection(failure) {
            context.metrics.reject(reason)
        }
        writeAnswer(context.router.response(to: error, nil))
    }

    private func writeAnswer(_ response: Response) {
        let answer = RawAnswer.bytes(response, withoutBody: method == .head, now: context.now())
        shared.withLock { shared in
            guard shared.socket >= 0 else { return }
            shared.lingers = true
            // A system call under the lock: the number must not be given to another connection meanwhile. It does not
            // block, and a short answer fits the empty send buffer.
            _ = answer.withUnsafeBytes {
                Glibc.send(shared.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
        }
        let elapsed = Clock.monotonicNanoseconds() - startedNanoseconds
        context.metrics.record(request?.endpoint, method, status: response.status, nanoseconds: elapsed)
    }
}
