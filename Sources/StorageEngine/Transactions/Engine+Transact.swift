import Platform

// A transaction locks every partition that it may touch in the fixed order, decides, and writes; as one entry of the
// commit log where there is one.
extension Engine {
    /// - Throws: `transactionFailed` naming the operation that cannot be done, `memoryFull`, `logNotFound` for a log that
    ///   may not be created; nothing was applied then.
    package func transact(_ transaction: Transaction) throws(EngineError) -> Outcome<TransactionResult> {
        try transact(transaction, wholes: [])
    }

    /// - Parameter wholes: batches of values that it needs, and that had to be fetched from the archive.
    private func transact(
        _ transaction: Transaction, wholes: [WholeBatch]
    ) throws(EngineError) -> Outcome<TransactionResult> {
        // Logs that come and go while they are looked up, and room that others take, make it start again.
        let attemptsMax = 64
        var failure = EngineError.shuttingDown
        for _ in 0..<attemptsMax {
            let locks = try TransactionLocks(transaction, self)
            switch try locks.run(transaction, clock: clock, wholes: wholes, publish: { publish($0) }) {
            case .done(let result, let followUps):
                for (partition, followUp) in followUps { partition.carryOut(followUp) }
                return .done(result)
            case .submitted(let result, let entry):
                return .pending(ticket(result, entry))
            case .blocked(let entry):
                return .pending(again(transaction, after: entry, wholes))
            case .archived(let stub):
                return .pending(try again(transaction, with: stub, wholes))
            case .shortOf(let shortage):
                failure = shortage.error
                try makeRoom(for: shortage)
            case .changed:
                continue
            }
        }
        throw failure
    }

    private func ticket(_ result: TransactionResult, _ entry: CommitEntry) -> Ticket<TransactionResult> {
        let ticket = Ticket<TransactionResult>()
        entry.whenDecided { decision in
            switch decision {
            case .committed: ticket.complete(.success(result))
            case .failed(let reason): ticket.complete(.failure(.outcomeUnknown(reason: reason)))
            }
        }
        return ticket
    }

    /// Decides again once an entry is decided that a key of the transaction waits for.
    private func again(
        _ transaction: Transaction, after entry: CommitEntry, _ wholes: [WholeBatch]
    ) -> Ticket<TransactionResult> {
        let ticket = Ticket<TransactionResult>()
        entry.whenDecided { _ in
            self.decide(ticket) { () throws(EngineError) in try self.transact(transaction, wholes: wholes) }
        }
        return ticket
    }

    /// What one transaction may have of the archive in memory at once, in bytes of batches.
    private static let wholeBytesMax = 64 << 20

    /// Decides again once a batch has come from the archive.
    private func again(
        _ transaction: Transaction, with stub: Batch, _ wholes: [WholeBatch]
    ) throws(EngineError) -> Ticket<TransactionResult> {
        let id = stub.archived?.object.id.log
        let log = allLogs.first { $0.id == id }?.name ?? ""
        let bytes = wholes.reduce(0) { $0 + ($1.stub.archived?.piece.bytes ?? 0) }
        guard bytes <= Self.wholeBytesMax else {
            throw .archiveUnavailable(log: log, reason: "the transaction reads too much of it at once")
        }
        let archive = services.archive
        let ticket = Ticket<TransactionResult>()
        let isTaken = archive.threads.run {
            self.decide(ticket) { () throws(EngineError) in
                let whole = WholeBatch(stub: stub, batch: try archive.whole(stub, log: log))
                return try self.transact(transaction, wholes: wholes + [whole])
            }
        }
        guard isTaken else { throw .archiveUnavailable(log: log, reason: "too many wait for it already") }
        return ticket
    }

    private func decide(
        _ ticket: Ticket<TransactionResult>,
        _ body: () throws(EngineError) -> Outcome<TransactionResult>
    ) {
        switch Result(catching: body) {
        case .success(.done(let result)): ticket.complete(.success(result))
        case .success(.pending(let next)): next.whenComplete { ticket.complete($0) }
        case .failure(let error): ticket.complete(.failure(error))
        }
    }
}

/// What one try of a transaction came to.
enum TransactionAttempt {
    case done(TransactionResult, followUps: [(Partition, Partition.FollowUp)])
    case submitted(TransactionResult, CommitEntry)
    case blocked(CommitEntry)
    /// Needs a value of this batch, which is in the archive.
    case archived(Batch)
    case shortOf(TransactionPlan.Shortage)
    /// A log was created or deleted meanwhile: look everything up again.
    case changed
}
