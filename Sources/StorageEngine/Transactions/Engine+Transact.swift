import Platform

// A transaction locks every partition that it may touch in the fixed order, decides, and writes; as one entry of the
// commit log where there is one.
extension Engine {
    /// - Throws: `transactionFailed` naming the operation that cannot be done, `memoryFull`, `logNotFound` for a log that
    ///   may not be created; nothing was applied then.
    package func transact(_ transaction: Transaction) throws(EngineError) -> Outcome<TransactionResult> {
        // Logs that come and go while they are looked up, and room that others take, make it start again.
        let attemptsMax = 64
        var failure = EngineError.shuttingDown
        for _ in 0..<attemptsMax {
            let locks = try TransactionLocks(transaction, self)
            switch try locks.run(transaction, clock: clock, publish: { publish($0) }) {
            case .done(let result, let followUps):
                for (partition, followUp) in followUps { partition.carryOut(followUp) }
                return .done(result)
            case .submitted(let result, let entry):
                return .pending(ticket(result, entry))
            case .blocked(let entry):
                return .pending(again(transaction, after: entry))
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
    private func again(_ transaction: Transaction, after entry: CommitEntry) -> Ticket<TransactionResult> {
        let ticket = Ticket<TransactionResult>()
        entry.whenDecided { _ in
            switch Result(catching: { () throws(EngineError) in try self.transact(transaction) }) {
            case .success(.done(let result)): ticket.complete(.success(result))
            case .success(.pending(let next)): next.whenComplete { ticket.complete($0) }
            case .failure(let error): ticket.complete(.failure(error))
            }
        }
        return ticket
    }
}

/// What one try of a transaction came to.
enum TransactionAttempt {
    case done(TransactionResult, followUps: [(Partition, Partition.FollowUp)])
    case submitted(TransactionResult, CommitEntry)
    case blocked(CommitEntry)
    case shortOf(TransactionPlan.Shortage)
    /// A log was created or deleted meanwhile: look everything up again.
    case changed
}
