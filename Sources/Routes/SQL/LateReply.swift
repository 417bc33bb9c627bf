import HTTP
import Platform

/// A reply that is made after what may complete it already runs.
final class LateReply: Sendable {
    private let state = Lock<(reply: DeferredReply?, response: Response?)>((nil, nil))

    func set(_ reply: DeferredReply) {
        let response = state.withLock { state in
            state.reply = reply
            return state.response
        }
        if let response { reply.complete(response) }
    }

    func complete(_ response: Response) {
        let reply = state.withLock { state in
            state.response = response
            return state.reply
        }
        reply?.complete(response)
    }
}
