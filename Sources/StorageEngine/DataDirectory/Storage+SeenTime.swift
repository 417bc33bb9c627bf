import Platform

// How late it was: written down, so that a clock that is set back while no server runs revives nothing.
extension Storage {
    /// Rows on disk were found expired. - Parameter time: by now.
    func noteExpired(by time: Int64) { seen.withLock { $0.swept = max($0.swept ?? time, time) } }

    /// What is to be written down now. An earlier time says nothing new: the clock was set back.
    func noteTime() -> SeenTime {
        // In this order: what is written after the clock was set back does not lie before the time that it had.
        let written = wal.lastWritten
        let now = clock.now()
        return seen.withLock { seen in
            seen.swept = nil
            if now >= seen.noted.time { seen.noted = SeenTime(time: now, upTo: written) }
            return seen.noted
        }
    }

    /// What was noted may name frames that a loss of power has taken, and whose numbers are given again.
    func forgetLostFrames() {
        let written = wal.lastWritten
        seen.withLock { $0.noted.upTo = min($0.noted.upTo, written) }
    }

    /// On the checkpoint thread: what has expired since the last call is on disk afterwards.
    /// - Parameter checkpoint: writes one, of hybrid logs too. - Returns: false when that failed.
    func noteExpiry(_ checkpoint: () -> Bool) {
        let (noted, swept) = seen.withLock { seen in
            defer { seen.swept = nil }
            return (seen.noted.time, seen.swept)
        }
        guard let swept else { return }
        if swept < noted {
            // The clock was set back, and both times count, for different rows. With the dead rows on disk neither does.
            guard checkpoint() else { return noteExpired(by: swept) }
            seen.withLock { $0.noted = .init() }
        }
        // What cannot be written is only not known after a crash.
        try? note(orderly: false)
    }
}
