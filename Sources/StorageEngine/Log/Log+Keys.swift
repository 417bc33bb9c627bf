import Platform
import Synchronization

// Keys: the newest record of each.
extension Log {
    /// The newest committed record of a key unless it is deleted or expired.
    /// - Parameter archived: what becomes of one in the archive.
    /// - Throws: `archiveUnavailable`, `archiveDamaged`, `archived`: only of a log with an archive.
    @inline(__always)
    package func get(key: RawSpan, archived: ArchivedValues = .fetched) throws(EngineError) -> Record? {
        try key.withUnsafeBytes { key throws(EngineError) in
            let partition = partitions[partition(of: key)]
            guard var record = partition.get(key: key, hash: partition.hash(key)) else { return nil }
            if record.batch.isStub { record = try load(record, archived) }
            readCount.wrappingAdd(1, ordering: .relaxed)
            readBytes.wrappingAdd(record.value.count, ordering: .relaxed)
            return record
        }
    }

    /// - Throws: `preconditionFailed`, `memoryFull`, `logReadOnly`, `acknowledgementUnavailable`.
    package func put(key: RawSpan, value: RawSpan, _ options: PutOptions) throws(EngineError) -> Outcome<
        PutResult
    > {
        if let wanted = options.acknowledgement { _ = try requested(wanted) }
        let attempt = try key.withUnsafeBytes { key throws(EngineError) in
            try value.withUnsafeBytes { value throws(EngineError) in
                try makingRoom(in: partition(of: key)) { partition throws(EngineError) in
                    try partition.put(key: key, value: value, hash: partition.hash(key), options)
                }
            }
        }
        if case .done(let result) = attempt { return .done(result) }
        return outcome(ofPut: attempt, key: key, value: value, options)
    }

    @inline(never)
    private func outcome(
        ofPut attempt: Attempt<PutResult>, key: RawSpan, value: RawSpan, _ options: PutOptions
    ) -> Outcome<PutResult> {
        let value = value.array
        return outcome(of: attempt, key: key.array) { partition, key, _ throws(EngineError) in
            try value.span.bytes.withUnsafeBytes { value throws(EngineError) in
                try partition.put(key: key, value: value, hash: partition.hash(key), options)
            }
        } corrected: { result, replaced in
            PutResult(
                revision: result.revision, isNew: replaced == 0, requested: result.requested,
                achieved: result.achieved, deadline: result.deadline)
        }
    }

    /// - Throws: `keyNotFound` when there is no live key, `preconditionFailed`.
    package func delete(
        key: RawSpan, condition: Condition, acknowledgement: Acknowledgement?
    ) throws(EngineError) -> Outcome<PutResult> {
        _ = try requested(acknowledgement)
        return try write(key) { partition, key, _ throws(EngineError) in
            try partition.delete(key: key, hash: partition.hash(key), condition, acknowledgement)
        }
    }

    /// - Throws: `integerOverflow`, `notAnInteger`, `preconditionFailed`.
    package func increment(key: RawSpan, _ options: IncrementOptions) throws(EngineError) -> Outcome<
        IncrementResult
    > {
        _ = try requested(options.acknowledgement)
        return try write(key) { partition, key, whole throws(EngineError) in
            try partition.increment(key: key, hash: partition.hash(key), options, whole)
        }
    }

    /// Appends the same value again with another deadline: a new revision. - Throws: `keyNotFound`, `preconditionFailed`.
    package func touch(
        key: RawSpan, expiry: Expiry, condition: Condition, acknowledgement: Acknowledgement?,
        receipt: (@Sendable (PutResult) -> ReceiptRecord?)? = nil
    ) throws(EngineError) -> Outcome<PutResult> {
        _ = try requested(acknowledgement)
        return try write(key) { partition, key, whole throws(EngineError) in
            try partition.touch(
                key: key, hash: partition.hash(key), expiry, condition, acknowledgement, receipt, whole)
        }
    }

    // MARK: Waiting for the commit log

    /// The last argument is the current record's batch, where it had to be fetched from the archive.
    private typealias Try<Value: Sendable> =
        @Sendable (Partition, UnsafeRawBufferPointer, WholeBatch?) throws(EngineError) -> Attempt<Value>

    private func write<Value: Sendable>(
        _ key: RawSpan, _ attempt: @escaping Try<Value>
    ) throws(EngineError) -> Outcome<Value> {
        let first = try key.withUnsafeBytes { key throws(EngineError) in
            try makingRoom(in: partition(of: key)) { partition throws(EngineError) in
                try attempt(partition, key, nil)
            }
        }
        if case .done(let result) = first { return .done(result) }
        return outcome(of: first, key: key.array, attempt) { result, _ in result }
    }

    /// An attempt that could not be answered at once: its ticket, completed by the commit log's thread.
    private func outcome<Value: Sendable>(
        of attempt: Attempt<Value>, key: [UInt8], _ retry: @escaping Try<Value>,
        corrected: @escaping @Sendable (Value, _ replaced: Int) -> Value
    ) -> Outcome<Value> {
        if case .done(let result) = attempt { return .done(result) }
        let ticket = Ticket<Value>()
        follow(attempt, key, retry, corrected, ticket)
        return .pending(ticket)
    }

    private func follow<Value: Sendable>(
        _ attempt: Attempt<Value>, _ key: [UInt8], _ retry: @escaping Try<Value>,
        _ corrected: @escaping @Sendable (Value, Int) -> Value, _ ticket: Ticket<Value>
    ) {
        switch attempt {
        case .done(let value):
            ticket.complete(.success(value))
        case .submitted(let entry, let value):
            entry.whenDecided { decision in
                switch decision {
                case .committed(let replaced): ticket.complete(.success(corrected(value, replaced)))
                case .failed(let reason): ticket.complete(.failure(.outcomeUnknown(reason: reason)))
                }
            }
        case .blocked(let entry):
            entry.whenDecided { _ in self.tryAgain(key, nil, retry, corrected, ticket) }
        case .archived(let stub):
            let isTaken = archive.threads.run { [self] in
                do throws(EngineError) {
                    let whole = WholeBatch(stub: stub, batch: try archive.whole(stub, log: name))
                    tryAgain(key, whole, retry, corrected, ticket)
                } catch {
                    ticket.complete(.failure(error))
                }
            }
            if !isTaken {
                ticket.complete(
                    .failure(.archiveUnavailable(log: name, reason: "too many wait for it already")))
            }
        }
    }

    private func tryAgain<Value: Sendable>(
        _ key: [UInt8], _ whole: WholeBatch?, _ retry: @escaping Try<Value>,
        _ corrected: @escaping @Sendable (Value, Int) -> Value, _ ticket: Ticket<Value>
    ) {
        let next = key.span.bytes.withUnsafeBytes { key in
            Result { () throws(EngineError) in try retry(self.partitions[self.partition(of: key)], key, whole)
            }
        }
        switch next {
        case .success(let attempt): follow(attempt, key, retry, corrected, ticket)
        case .failure(let error): ticket.complete(.failure(error))
        }
    }
}

extension RawSpan {
    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension Partition {
    @inline(__always)
    func hash(_ key: UnsafeRawBufferPointer) -> UInt64 { xxh3(key, seed: hashSeed) }
}
