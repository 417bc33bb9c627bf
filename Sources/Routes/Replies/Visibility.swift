import HTTP
import Platform
import StorageEngine

/// Waits until positions are visible, one after the other, without holding a thread.
final class Visibility: Sendable {
    private struct State {
        var remaining: [AfterPositions.Position]
        var waiter: ReadWaiter?
        var isOver = false
    }
    private let state: Lock<State>
    private let whenVisible: @Sendable () -> Void

    private init(_ positions: [AfterPositions.Position], whenVisible: @escaping @Sendable () -> Void) {
        state = Lock(State(remaining: positions))
        self.whenVisible = whenVisible
    }

    /// - Returns: nil when all of it is visible already and `whenVisible` will not be called; else a wait to be cancelled.
    ///   `whenVisible` is called once, from the engine's notifier; a deleted log or a stopping engine counts as visible,
    ///   since the read that follows finds that out.
    static func wait(
        for after: AfterPositions, whenVisible: @escaping @Sendable () -> Void
    ) -> Visibility? {
        guard after.positions.contains(where: { !isVisible($0) }) else { return nil }
        let visibility = Visibility(after.positions, whenVisible: whenVisible)
        visibility.goOn()
        return visibility
    }

    func cancel() {
        let waiter = state.withLock { state -> ReadWaiter? in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.cancel()
    }

    static func isVisible(_ position: AfterPositions.Position) -> Bool {
        guard let tail = try? position.log.bounds(partition: position.revision.partition).tail else {
            return true  // a partition that is gone: the read says so
        }
        return tail > position.revision.offset
    }

    private func goOn() {
        while true {
            let next = state.withLock { $0.isOver ? nil : $0.remaining.first }
            guard let next else { break }
            let waiter = next.log.waitForRecords(
                partition: next.revision.partition, beyond: next.revision.offset
            ) { [self] in
                state.withLock { state in
                    if !state.remaining.isEmpty { state.remaining.removeFirst() }
                    state.waiter = nil
                }
                goOn()
            }
            guard let waiter else {
                state.withLock { state in if !state.remaining.isEmpty { state.remaining.removeFirst() } }
                continue
            }
            keep(waiter)
            return
        }
        let isFirst = state.withLock { state -> Bool in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { whenVisible() }
    }

    /// The wake may have come, or the wait been cancelled, before the waiter was returned.
    private func keep(_ waiter: ReadWaiter) {
        let isOver = state.withLock { state -> Bool in
            if state.isOver { return true }
            state.waiter = waiter
            return false
        }
        if isOver { waiter.cancel() }
    }
}
