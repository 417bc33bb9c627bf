import Platform

/// All event streams of a server: gives them their pings and ends them when the server stops.
package final class EventStreams: Sendable {
    private static let tickNanoseconds: Int64 = 1_000_000_000

    private struct Entry {
        weak var stream: TailSource?
    }
    private struct State {
        var streams: [ObjectIdentifier: Entry] = [:]
        var thread: Thread?
        var isStopping = false
    }
    private let state = Lock(State())
    private let wakeUp = WakeUp()

    package init() {}

    func add(_ stream: TailSource) {
        let isStopping = state.withLock { state -> Bool in
            guard !state.isStopping else { return true }
            state.streams[ObjectIdentifier(stream)] = Entry(stream: stream)
            return false
        }
        if isStopping {
            stream.endForStop()
        } else {
            startThread()
            wakeUp.signal()
        }
    }

    func remove(_ stream: TailSource) {
        state.withLock { _ = $0.streams.removeValue(forKey: ObjectIdentifier(stream)) }
    }

    /// Tells all streams, and those to come, that the server stops.
    package func endAll() {
        let streams = state.withLock { state in
            state.isStopping = true
            return state.streams.values.compactMap(\.stream)
        }
        for stream in streams { stream.endForStop() }
    }

    /// Ends the pings.
    package func stop() {
        endAll()
        wakeUp.signal()
        state.withLock { $0.thread }?.join()
    }

    /// Under no lock of a stream's: a thread is made once.
    private func startThread() {
        state.withLock { state in
            guard state.thread == nil, !state.isStopping else { return }
            state.thread = Thread(name: "pings") { [self] in beat() }
        }
    }

    private func beat() {
        while true {
            let generation = wakeUp.generation
            let streams = state.withLock { state in
                state.isStopping ? nil : state.streams.values.compactMap(\.stream)
            }
            guard let streams else { return }
            let now = Clock.monotonicNanoseconds()
            for stream in streams { stream.beat(now) }
            wakeUp.wait(since: generation, timeoutNanoseconds: streams.isEmpty ? nil : Self.tickNanoseconds)
        }
    }
}
