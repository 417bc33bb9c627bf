import Platform

/// What one try of a write came to.
enum Attempt<Value: Sendable>: Sendable {
    case done(Value)
    /// Assigned and handed to the commit log; `value` is the answer once it is committed.
    case submitted(CommitEntry, value: Value)
    /// Depends on a key, or a tail, that has an uncommitted write: decide again after this entry.
    case blocked(CommitEntry)
    /// Depends on a value that is in the archive: decide again with this batch as it is there.
    case archived(Batch)
}

/// The current record of a key, under the lock.
private struct Current {
    let position: Int
    let row: Int
    let header: UnsafeMutablePointer<BatchHeader>
    let revision: Revision
    /// Where its value is: its batch, or the same as it came from the archive.
    var values: (header: UnsafeMutablePointer<BatchHeader>, row: Int)?
}

// The newest record of a key, written conditionally and in place of the older ones.
extension Partition {
    func get(key: UnsafeRawBufferPointer, hash: UInt64) -> Record? {
        state.withLock { state in
            guard let found = state.findLive(key, hash, now: { clock.now() }) else { return nil }
            if state.policy.eviction == .lru { state.markVisited(found.position, found.row) }
            return state.list.batches[found.position].record(found.row, partition: number)
        }
    }

    @inline(never)
    func put(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, hash: UInt64, _ options: PutOptions
    ) throws(EngineError) -> Attempt<PutResult> {
        let needsCurrent = options.dependsOnCurrent
        let time = clock.tick()
        return try writeKey(key, hash: hash, needsCurrent: needsCurrent) {
            state, current throws(EngineError) in
            if needsCurrent { try check(options.condition, current?.revision) }
            return try options.extras.span.bytes.withUnsafeBytes { extras throws(EngineError) in
                let row = RowDraft(
                    key: key, value: value, extras: extras, timestamp: time, arrival: time,
                    deadline: deadline(options.expiry, current, state.policy), type: options.type,
                    priority: options.priority)
                try state.makeRoom(for: row)
                state.write(row)
                return row.deadline
            }
        } answer: { revision, isNew, deadline in
            PutResult(
                revision: revision, isNew: isNew, requested: options.acknowledgement ?? usualAcknowledgement,
                achieved: self.acknowledgement, deadline: deadline)
        }
    }

    /// Leaves a tombstone row; takes no memory budget, so that a full log can be emptied.
    func delete(
        key: UnsafeRawBufferPointer, hash: UInt64, _ condition: Condition, _ acknowledgement: Acknowledgement?
    ) throws(EngineError) -> Attempt<PutResult> {
        let time = clock.tick()
        return try writeKey(key, hash: hash, needsCurrent: true, freesSpace: true) {
            state, current throws(EngineError) in
            guard let current else {
                if condition != .none { try check(condition, nil) }
                throw .keyNotFound
            }
            try check(condition, current.revision)
            let row = RowDraft(
                key: key, value: UnsafeRawBufferPointer(start: nil, count: 0), timestamp: time, arrival: time,
                type: .deleted)
            try state.makeRoom(for: row, isFree: true)
            state.write(row)
            return Deadline.never
        } answer: { revision, _, deadline in
            PutResult(
                revision: revision, isNew: false, requested: acknowledgement ?? usualAcknowledgement,
                achieved: self.acknowledgement, deadline: deadline)
        }
    }

    func increment(
        key: UnsafeRawBufferPointer, hash: UInt64, _ options: IncrementOptions, _ whole: WholeBatch?
    ) throws(EngineError) -> Attempt<IncrementResult> {
        let time = clock.tick()
        var sum: Int64 = 0
        let attempt = try writeKey(key, hash: hash, needsCurrent: true, needsValue: true, whole) {
            state, current throws(EngineError) in
            try check(options.condition, current?.revision)
            let old = try current?.values.map { values throws(EngineError) in
                try DecimalInteger.parse(values.header.pointee.value(values.row))
            }
            let (value, overflow) = (old ?? 0).addingReportingOverflow(options.by)
            if overflow { throw .integerOverflow }
            sum = value
            var deadline =
                current.map { $0.header.pointee.deadline($0.row) }
                ?? self.deadline(.logDefault, nil, state.policy)
            if current == nil || options.refreshesExpiry, let ttl = options.ttlMilliseconds {
                deadline = addingSaturated(clock.now(), ttl)
            }
            let priority = current.map { $0.header.pointee.priority($0.row) } ?? 0
            return try DecimalInteger.withText(of: value) { text throws(EngineError) in
                let row = RowDraft(
                    key: key, value: text, timestamp: time, arrival: time, deadline: deadline,
                    priority: priority)
                try state.makeRoom(for: row)
                state.write(row)
                return deadline
            }
        } answer: { revision, isNew, deadline in
            PutResult(
                revision: revision, isNew: isNew, requested: options.acknowledgement ?? usualAcknowledgement,
                achieved: self.acknowledgement, deadline: deadline)
        } receipt: { put in
            CommitEffect.lateReceipt(options.receipt, IncrementResult(value: sum, put: put))
        }
        return switch attempt {
        case .done(let put): .done(IncrementResult(value: sum, put: put))
        case .submitted(let entry, let put): .submitted(entry, value: IncrementResult(value: sum, put: put))
        case .blocked(let entry): .blocked(entry)
        case .archived(let stub): .archived(stub)
        }
    }

    /// The same value, type, priority and extras again with another deadline.
    func touch(
        key: UnsafeRawBufferPointer, hash: UInt64, _ expiry: Expiry, _ condition: Condition,
        _ acknowledgement: Acknowledgement?, _ receipt: (@Sendable (PutResult) -> ReceiptRecord?)?,
        _ whole: WholeBatch?
    ) throws(EngineError) -> Attempt<PutResult> {
        let time = clock.tick()
        return try writeKey(key, hash: hash, needsCurrent: true, needsValue: true, whole) {
            state, current throws(EngineError) in
            guard let current, let values = current.values else {
                if condition != .none { try check(condition, nil) }
                throw .keyNotFound
            }
            try check(condition, current.revision)
            let header = current.header
            let row = RowDraft(
                key: key, value: values.header.pointee.value(values.row),
                extras: values.header.pointee.extras(values.row),
                timestamp: time, arrival: time, deadline: deadline(expiry, current, state.policy),
                type: header.pointee.type(current.row), priority: header.pointee.priority(current.row))
            try state.makeRoom(for: row)
            state.write(row)
            return row.deadline
        } answer: { revision, _, deadline in
            PutResult(
                revision: revision, isNew: false, requested: acknowledgement ?? usualAcknowledgement,
                achieved: self.acknowledgement, deadline: deadline)
        } receipt: { put in
            CommitEffect.lateReceipt(receipt, put)
        }
    }

    // MARK: The one path of all key writes

    /// - Parameters:
    ///   - needsValue: the current one; it may have to be fetched from the archive first.
    ///   - whole: what was fetched.
    ///   - write: decides and writes one row under the lock; returns its deadline. Throwing leaves nothing.
    ///   - answer: makes the result from the new revision, whether the key was absent, and the deadline.
    @inline(__always)
    private func writeKey(
        _ key: UnsafeRawBufferPointer, hash: UInt64, needsCurrent: Bool, freesSpace: Bool = false,
        needsValue: Bool = false, _ whole: WholeBatch? = nil,
        _ write: (inout PartitionState, Current?) throws(EngineError) -> Int64,
        answer: (Revision, Bool, Int64) -> PutResult,
        receipt: (PutResult) -> (@Sendable () -> CommitEffect?)? = { _ in nil }
    ) throws(EngineError) -> Attempt<PutResult> {
        let (attempt, followUp) = try state.withLock {
            state throws(EngineError) -> (Attempt<PutResult>, FollowUp) in
            state.index.prefetch(hash)
            try checkWritable(state, freesSpace: freesSpace)
            if needsCurrent, !state.pending.isEmpty, let blocking = state.pendingKeys[hash] {
                return (.blocked(blocking), FollowUp())
            }
            var old = needsCurrent ? state.find(key, hash) : nil
            var current = old.flatMap { self.current($0, state) }
            if needsValue, let found = current, !locate(&current, found, state, whole) {
                return (.archived(state.list.batches[found.position]), FollowUp())
            }
            let offset = state.assigned
            let deadline = try write(&state, current)
            if !needsCurrent {
                // Only now: the row was copied while the slot of the index was on its way.
                old = state.find(key, hash)
                current = old.flatMap { self.current($0, state) }
            }
            let revision = Revision(partition: number, offset: Offset(offset), epoch: epoch)
            let value = answer(revision, current == nil, deadline)
            if let entry = submit(&state, receipt(value)) {
                return (.submitted(entry, value: value), FollowUp())
            }
            if let active = state.active {
                _ = state.applyKey(over: old, hash, active.pointee.rows - 1, in: active)
            }
            state.committed = state.assigned
            state.chargeIndex()
            return (.done(value), settle(&state, rows: 1))
        }
        carryOut(followUp)
        return attempt
    }

    @inline(__always)
    private func current(_ found: FoundKey, _ state: borrowing PartitionState) -> Current? {
        guard state.isLive(found, now: { clock.now() }) else { return nil }
        return Current(
            position: found.position, row: found.row, header: found.header,
            revision: Revision(partition: number, offset: Offset(found.offset), epoch: epoch))
    }

    /// Where the value of the current record is. - Returns: false when it has to be fetched.
    private func locate(
        _ current: inout Current?, _ found: Current, _ state: borrowing PartitionState, _ whole: WholeBatch?
    ) -> Bool {
        current?.values = (found.header, found.row)
        guard found.header.pointee.isElsewhere(found.row) else { return true }
        guard let whole, whole.stub === state.list.batches[found.position],
            let row = whole.batch.header.pointee.row(of: found.revision.offset.rawValue)
        else { return false }
        current?.values = (whole.batch.header, row)
        return true
    }

    private func deadline(_ expiry: Expiry, _ current: Current?, _ policy: PartitionPolicy) -> Int64 {
        switch expiry {
        case .logDefault: policy.ttlMilliseconds.map { addingSaturated(clock.now(), $0) } ?? Deadline.never
        case .at(let milliseconds): milliseconds
        case .keep: current.map { $0.header.pointee.deadline($0.row) } ?? Deadline.never
        case .never: Deadline.never
        }
    }

    private func check(_ condition: Condition, _ current: Revision?) throws(EngineError) {
        let holds =
            switch condition {
            case .none: true
            case .exists: current != nil
            case .isAbsent: current == nil
            case .matchesAny(let revisions): current.map { revisions.contains($0) } ?? false
            case .matchesNone(let revisions): current.map { !revisions.contains($0) } ?? true
            }
        if !holds { throw .preconditionFailed(current: current) }
    }
}
