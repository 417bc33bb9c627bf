import Platform

/// Holds a wait that begins after the reply which may cancel it was made.
final class WaitHandle: Sendable {
    private let state = Lock<(visibility: Visibility?, isCancelled: Bool)>((nil, false))

    func set(_ visibility: Visibility) {
        let isCancelled = state.withLock { state -> Bool in
            state.visibility = visibility
            return state.isCancelled
        }
        if isCancelled { visibility.cancel() }
    }

    func cancel() {
        let visibility = state.withLock { state -> Visibility? in
            state.isCancelled = true
            return state.visibility
        }
        visibility?.cancel()
    }
}
