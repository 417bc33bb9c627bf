import Platform

// Appending whole drafts: all records or none, over one partition or several.
extension Log {
    /// Appends all records of the draft or none. A keyed record whose type is a tombstone deletes its key.
    ///
    /// - Throws: `offsetMismatch`, `partitionOutOfRange`, `producerFenced`, `producerGap`, `memoryFull`, `logReadOnly`,
    ///   `acknowledgementUnavailable`; nothing is applied then.
    package func append(_ draft: Draft, _ options: AppendOptions) throws(EngineError) -> Outcome<AppendResult>
    {
        let requested = try requested(options.acknowledgement)
        guard let producer = options.producer else {
            return try makingRoom { () throws(EngineError) in try appendNew(draft, options, requested).outcome
            }
        }
        try makingRoom { () throws(EngineError) in try account.admit(bytes: draft.estimatedBytes) }
        return try producers.withLock { table throws(EngineError) in
            switch try table.judge(producer) {
            case .duplicate(let call):
                return repeated(call, draft.count, requested)
            case .new:
                let (outcome, ranges, entry) = try appendNew(draft, options, requested)
                // Without ranges it is not decided yet, and will be judged again.
                if let ranges { table.record(producer, ranges: ranges, entry: entry, now: clock.now()) }
                return outcome
            }
        }
    }

    private typealias Appended = (outcome: Outcome<AppendResult>, ranges: [OffsetRange]?, entry: CommitEntry?)

    private func appendNew(
        _ draft: Draft, _ options: AppendOptions, _ requested: Acknowledgement
    ) throws(EngineError) -> Appended {
        let shares = try shares(of: draft, options)
        try account.admit(bytes: draft.estimatedBytes)
        var followUps: [(Partition, Partition.FollowUp)] = []
        let appended = try locked(shares) { () throws(EngineError) -> Appended in
            if let offset = options.matchOffset, let only = shares.first,
                let blocking = try blockingEntry(of: only.partition, matching: offset)
            {
                return (retry(draft, options, after: blocking), nil, nil)
            }
            for share in shares {
                try share.partition.state.withLocked { state throws(EngineError) in
                    try share.partition.checkWritable(state)
                }
            }
            return assign(draft, shares, requested, options, &followUps)
        }
        for (partition, followUp) in followUps { partition.carryOut(followUp) }
        return appended
    }

    private func locked(
        _ shares: [Share], _ body: () throws(EngineError) -> Appended
    ) throws(EngineError) -> Appended {
        for share in shares { share.partition.state.lock() }
        defer { for share in shares.reversed() { share.partition.state.unlock() } }
        return try body()
    }

    /// The rows of a draft that go to one partition.
    private struct Share {
        let partition: Partition
        /// Nil: all of them, in order.
        let rows: [Int32]?
    }

    /// In lock order.
    private func shares(of draft: Draft, _ options: AppendOptions) throws(EngineError) -> [Share] {
        if let number = options.partition { return [Share(partition: try partition(number), rows: nil)] }
        if partitionCount == 1, draft.partitions.allSatisfy({ $0 <= 0 }) {
            return [Share(partition: partitions[0], rows: nil)]
        }
        if draft.keys.isEmpty, draft.partitions.isEmpty {
            return [Share(partition: partitions[partitionForUnkeyed()], rows: nil)]
        }
        var rows = [[Int32]](repeating: [], count: partitionCount)
        let unkeyed = partitionForUnkeyed()
        for index in 0..<draft.count {
            let number = draft.partition(of: index, in: self) ?? unkeyed
            guard rows.indices.contains(number) else {
                throw .partitionOutOfRange(partition: number, partitions: partitionCount)
            }
            rows[number].append(Int32(truncatingIfNeeded: index))
        }
        return rows.enumerated().filter { !$0.element.isEmpty }
            .map { Share(partition: partitions[$0.offset], rows: $0.element) }
    }

    /// Under the lock. - Returns: an uncommitted entry that decides whether the offset matches.
    private func blockingEntry(of partition: Partition, matching offset: Offset) throws(EngineError)
        -> CommitEntry?
    {
        try partition.state.withLocked { state throws(EngineError) in
            if state.assigned == offset.rawValue { return nil }
            guard let last = state.pending.last else { throw .offsetMismatch(tail: Offset(state.committed)) }
            return last
        }
    }

    /// Under all locks of the shares. - Parameter followUps: what to carry out once they are free.
    private func assign(
        _ draft: Draft, _ shares: [Share], _ requested: Acknowledgement, _ options: AppendOptions,
        _ followUps: inout [(Partition, Partition.FollowUp)]
    ) -> Appended {
        let now = clock.now()
        var ranges: [OffsetRange] = []
        var parts: [CommitEntry.Part] = []
        for share in shares {
            share.partition.state.withLocked { state in
                let start = state.assigned
                share.partition.write(draft, rows: share.rows, now: now, &state)
                ranges.append(
                    OffsetRange(
                        partition: share.partition.number, start: Offset(start), end: Offset(state.assigned)))
                parts.append(share.partition.part(from: start, &state))
            }
        }
        let result = AppendResult(
            count: draft.count, ranges: ranges, requested: requested,
            achieved: partitions[0].acknowledgement, isDuplicate: false, epoch: epoch)
        guard let commitLog = CommitEntry.commitLog(of: parts) else {
            for part in parts { followUps.append((part.partition, part.partition.applyAtOnce(part))) }
            return (.done(result), ranges, nil)
        }
        var effects: [CommitEffect] = []
        if let producer = options.producer, let id = parts.first?.log {
            effects.append(.producer(id, ProducerCall(stamp: producer, ranges: ranges, time: now)))
        }
        let entry = CommitEntry(
            parts: parts, effects: effects, lateEffect: CommitEffect.lateReceipt(options.receipt, result))
        for part in parts { part.partition.state.withLocked { $0.enqueue(entry, from: part.start) } }
        commitLog.submit(entry)
        return (pending(result, entry), ranges, entry)
    }

    private func pending(_ result: AppendResult, _ entry: CommitEntry) -> Outcome<AppendResult> {
        let ticket = Ticket<AppendResult>()
        entry.whenDecided { decision in
            switch decision {
            case .committed: ticket.complete(.success(result))
            case .failed(let reason): ticket.complete(.failure(.outcomeUnknown(reason: reason)))
            }
        }
        return .pending(ticket)
    }

    /// Decides again once `entry` is decided.
    private func retry(_ draft: Draft, _ options: AppendOptions, after entry: CommitEntry) -> Outcome<
        AppendResult
    > {
        let ticket = Ticket<AppendResult>()
        entry.whenDecided { _ in
            switch Result(catching: { () throws(EngineError) in try self.append(draft, options) }) {
            case .success(.done(let result)): ticket.complete(.success(result))
            case .success(.pending(let next)): next.whenComplete { ticket.complete($0) }
            case .failure(let error): ticket.complete(.failure(error))
            }
        }
        return .pending(ticket)
    }

    /// The first answer of a repeated call, once that is certain.
    private func repeated(_ call: ProducerTable.Call, _ count: Int, _ requested: Acknowledgement) -> Outcome<
        AppendResult
    > {
        let result = AppendResult(
            count: count, ranges: call.ranges, requested: requested,
            achieved: partitions[0].acknowledgement, isDuplicate: true, epoch: epoch)
        return call.entry.map { pending(result, $0) } ?? .done(result)
    }
}

extension Partition {
    /// Memory mode, under the lock of a draft's append.
    func applyAtOnce(_ part: CommitEntry.Part) -> FollowUp {
        state.withLocked { state in
            _ = state.apply(upTo: part.end)
            return settle(&state, rows: Int(part.end - part.start))
        }
    }
}

extension Draft {
    /// Nil: unkeyed and without a wish.
    fileprivate func partition(of index: Int, in log: Log) -> Int? {
        if !partitions.isEmpty, partitions[index] >= 0 { return Int(partitions[index]) }
        guard !keys.isEmpty, !keys[index].isAbsent else { return nil }
        let slice = keys[index]
        let base = slice.isScratch ? scratch.bytes : source.bytes
        return log.partition(
            of: UnsafeRawBufferPointer(rebasing: base[slice.start..<slice.start + Int(slice.count)]))
    }
}
