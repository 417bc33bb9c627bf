import Platform

// The steps of eviction in one partition, each holding the lock for well below a millisecond.
extension Partition {
    private static let rowsAStepMax = 256

    /// `fifo`: the oldest batch. - Returns: whether there was one.
    func evictOldestBatch() -> Bool {
        guard step({ $0.giveUpOldestBatch() }) else { return false }
        cleanAll()
        return true
    }

    /// `lru`: what the hand passes until it has found something to take. - Returns: whether it has: in two full turns it
    /// does unless there are only young tombstones.
    func evictUnvisited() -> Bool {
        let tombstonesFrom = tombstonesFrom
        let (before, passesMax) = state.withLock { ($0.evictedCount, 2 * $0.list.count + 2) }
        var passes = 0
        while true {
            switch step({ $0.sieve(rowsMax: Self.rowsAStepMax, tombstonesFrom: tombstonesFrom) }) {
            case .under: continue
            case .passed:
                if state.withLock({ $0.evictedCount }) > before { return true }
                passes += 1
                if passes > passesMax { return false }
            case .nothing: return false
            }
        }
    }

    /// `ttl` and `priority`: all rows below `end` that are chosen.
    func evict(from start: Int64 = 0, to end: Int64 = .max, where isChosen: (BatchHeader, Int) -> Bool) {
        let tombstonesFrom = tombstonesFrom
        var next: Int64? = start
        while let offset = next {
            next = step {
                $0.evict(
                    from: offset, to: end, rowsMax: Self.rowsAStepMax, tombstonesFrom: tombstonesFrom,
                    where: isChosen)
            }
        }
    }

    /// Frees what lies below the first kept offset.
    func cleanAll() {
        while !step({ $0.clean(rowsMax: Self.rowsAStepMax) }) {}
    }

    /// One step under the lock, and its tombstones.
    func step<Result>(_ body: (inout PartitionState) -> Result) -> Result {
        let (result, others) = state.withLock { state in
            let result = body(&state)
            leaveTombstones(&state)
            return (result, followUp(&state))
        }
        carryOut(others)
        return result
    }

    /// Appends a tombstone for each key that has left without anybody's asking, if the log wants them.
    private func leaveTombstones(_ state: inout PartitionState) {
        guard !state.departures.isEmpty else { return }
        let departures = state.departures
        state.departures = []
        guard state.failure == nil, !state.isDeleted, state.commitLog?.refusal(freesSpace: true) == nil else {
            return
        }
        let time = clock.now()
        for departure in departures {
            departure.key.withUnsafeBytes { key in
                let row = RowDraft(
                    key: key, value: UnsafeRawBufferPointer(start: nil, count: 0), timestamp: time,
                    arrival: time, type: departure.type)
                state.makeFreeRoom(for: row)
                state.write(row)
            }
        }
        if submit(&state) == nil { _ = state.apply(upTo: state.assigned) }
    }
}
