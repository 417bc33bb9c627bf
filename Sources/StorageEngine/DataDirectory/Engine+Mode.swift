import Platform

extension Engine {
    /// Changes the mode of a log, or how it is made durable, while it is read and written.
    ///
    /// - Returns: `isDone` false when it has begun: the log's `transition` says when it is done.
    /// - Throws: `invalidConfiguration` for a field that cannot change, `logNotFound`, `transitionRunning`.
    package func changeMode(
        ofLog name: String, to target: LogConfiguration
    ) throws(EngineError) -> (log: Log, isDone: Bool) {
        guard let log = log(named: name) else { throw .logNotFound(log: name) }
        try validate(target)
        let current = log.configuration
        if let fixed = current.fixedDifferences(from: target).first {
            throw .invalidConfiguration(field: fixed, reason: "cannot be changed once the log exists")
        }
        guard let storage = services.storage else {
            log.update(target)
            return (log, true)
        }
        let transition = ModeTransition(from: current.mode, to: target.mode, startedAt: clock.now())
        guard log.beginTransition(transition) else { throw .transitionRunning(log: name) }
        let makeCommitLog = services.makeCommitLog
        storage.run("transition") {
            do throws(ModeChangeFailure) {
                try log.change(to: target, commitLog: makeCommitLog(target), storage)
                log.endTransition(nil)
            } catch {
                log.restore(current, makeCommitLog(current))
                // A checkpoint that says otherwise may be in force. When this fails too, nothing more is written.
                _ = storage.submitAndWait(.updateLog(log.id, current))
                log.endTransition(error.description)
            }
        }
        return (log, false)
    }
}
