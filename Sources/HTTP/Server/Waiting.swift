/// What a suspended connection waits for. Called from the watch's thread, at most late, never wrongly: whatever has
/// been decided before stays decided.
protocol Waiting: AnyObject, Sendable {
    func hangUp()
    /// - Parameter isFinal: false at the beginning of a stop, true when its grace is over.
    func stop(isFinal: Bool)
}

extension DeferredReply: Waiting {
    func hangUp() { cancel(.hungUp) }

    func stop(isFinal: Bool) {
        if isFinal || !finishesBeforeStop { cancel(.stopping) }
    }
}
