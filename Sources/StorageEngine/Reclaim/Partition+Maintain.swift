import Platform

// What the maintenance thread does in one partition, in steps that each hold the lock for well below a millisecond.
extension Partition {
    func maintain(now: Int64) {
        state.withLock { $0.maintenanceDue = Deadline.never }
        sweepExpired(now: now)
        tier(now: now)
        let nextTooOld = state.withLock { $0.enforceRetainedAge(now: now) }
        cleanAll()
        // Others are due as well: what is left of many comes in the next visit.
        let runsMax = 256
        var runs = 0
        while runs < runsMax, rewriteWorstRun(keptShareMax: Eagerness.idle) > 0 { runs += 1 }
        if runs == runsMax {
            state.withLock { $0.requestMaintenance(at: now + Maintenance.intervalMilliseconds) }
        }
        // Rewriting has put copies into memory of what had left it.
        let nextTier = nextTier(now: now)
        let others = state.withLock { state in
            let earliest = min(state.earliestDeadline(), nextTooOld, nextTier)
            if earliest != Deadline.never {
                state.requestMaintenance(at: max(earliest, now + Maintenance.intervalMilliseconds))
            }
            return followUp(&state)
        }
        carryOut(others)
    }

    func sweepExpired(now: Int64) {
        let rowsAStepMax = 512
        var next: Int64? = 0
        var isAnyGone = false
        while let offset = next {
            next = step { state in
                let before = state.expiredCount
                defer { isAnyGone = isAnyGone || (state.durableID != nil && state.expiredCount > before) }
                return state.sweep(from: offset, now: now, rowsMax: rowsAStepMax)
            }
        }
        if isAnyGone { storage?.noteExpired(by: now) }
    }
}
