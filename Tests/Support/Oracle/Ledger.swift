import Platform
import StorageEngine

/// What was sent to an engine and what it acknowledged, kept outside of it: the oracle of what must be there after a crash.
///
/// One thread sends, so that operations are in the write-ahead log in the order in which they were noted here.
package final class Ledger: Sendable {
    package enum Status: Sendable { case sent, acknowledged, unknown, refused }

    /// Rows of one operation in one partition, and what else it does.
    package struct Operation: Sendable {
        package let name: String
        package internal(set) var status = Status.sent
        package var rows: [Place] = []
        package var trim: (place: Place, before: Int)?
        package var producer: ProducerStamp?
        package var ranges: [OffsetRange] = []
    }

    package struct Place: Hashable, Sendable {
        package let log: String
        package let partition: Int
        /// Of the first row; unused for a partition as a whole.
        package var start = 0
        package var count = 0
    }

    package struct LogNote: Sendable {
        package let name: String
        package var epoch: Epoch
        package var configuration: LogConfiguration
        /// What it was changed to, and by which operation.
        package var updates: [(operation: Int, configuration: LogConfiguration)] = []
        package var partitions: [LogModel]
        package let creation: Int
        package var deletion: Int?
        package var isSynchronised: Bool { configuration.durability.synchronisation == .always }
        package var isMemory: Bool { configuration.mode == .memory }
    }

    struct State {
        var operations: [Operation] = []
        var logs: [String: LogNote] = [:]
        var outstanding: [Awaited<Void>] = []
        /// Entries that memory alone takes are in no order with others.
        var acknowledgedCount = 0
    }

    let state = Lock(State())
    package init() {}

    package var acknowledgedCount: Int { state.withLock { $0.acknowledgedCount } }
    package var operationCount: Int { state.withLock { $0.operations.count } }
    package func note(_ log: String) -> LogNote? { state.withLock { $0.logs[log] } }

    // MARK: Noting

    /// An operation that is about to be sent.
    package func begin(_ name: String) -> Int {
        state.withLock { state in
            state.operations.append(Operation(name: name))
            return state.operations.count - 1
        }
    }

    package func noteCreation(_ number: Int, of log: Log) {
        state.withLock { state in
            state.logs[log.name] = LogNote(
                name: log.name, epoch: log.epoch, configuration: log.configuration,
                partitions: Array(repeating: LogModel(), count: log.partitionCount), creation: number)
        }
    }

    package func noteUpdate(_ number: Int, of log: String, _ configuration: LogConfiguration) {
        state.withLock { $0.logs[log]?.updates.append((number, configuration)) }
    }

    package func noteDeletion(_ number: Int, of log: String) {
        state.withLock { $0.logs[log]?.deletion = number }
    }

    /// A row that the operation appends.
    package func row(
        _ number: Int, _ log: String, _ partition: Int, key: String?, value: String, deadline: Int64 = .max,
        isTombstone: Bool = false
    ) {
        state.withLock { state in
            guard let start = state.logs[log]?.partitions[partition].rows.count else { return }
            state.logs[log]?.partitions[partition].append(
                key: key, value: value, deadline: deadline, isTombstone: isTombstone)
            state.operations[number].rows.append(
                Place(log: log, partition: partition, start: start, count: 1))
        }
    }

    package func trim(_ number: Int, _ log: String, _ partition: Int, before: Int) {
        state.withLock { state in
            state.operations[number].trim = (Place(log: log, partition: partition), before)
        }
    }

    package func producer(_ number: Int, _ stamp: ProducerStamp) {
        state.withLock { $0.operations[number].producer = stamp }
    }

    /// Sends it; what is thrown at once has changed nothing.
    /// - Returns: whether it was taken.
    @discardableResult
    package func send<Value: Sendable>(_ number: Int, _ body: () throws(EngineError) -> Outcome<Value>)
        -> Bool
    {
        do throws(EngineError) {
            let outcome = try body()
            let decided = Awaited<Void>()
            state.withLock { $0.outstanding.append(decided) }
            switch outcome {
            case .done(let value):
                settle(number, .success(value))
                decided.fulfil(())
            case .pending(let ticket):
                ticket.whenComplete { result in
                    self.settle(number, result)
                    decided.fulfil(())
                }
            }
            return true
        } catch {
            refuse(number)
            return false
        }
    }

    private func settle<Value>(_ number: Int, _ result: Result<Value, EngineError>) {
        state.withLock { state in
            switch result {
            case .success(let value):
                state.operations[number].status = .acknowledged
                state.acknowledgedCount += 1
                if let appended = value as? AppendResult { state.operations[number].ranges = appended.ranges }
            case .failure: state.operations[number].status = .unknown
            }
        }
    }

    /// Takes back the rows that were noted: the last ones.
    private func refuse(_ number: Int) {
        state.withLock { state in
            state.operations[number].status = .refused
            for place in state.operations[number].rows.reversed() {
                state.logs[place.log]?.partitions[place.partition].removeLast()
            }
            state.operations[number].rows = []
            state.operations[number].trim = nil
            state.operations[number].producer = nil
        }
    }

    /// Waits until all that was sent is decided.
    package func waitForAll() {
        let waiting = state.withLock { state in
            defer { state.outstanding = [] }
            return state.outstanding
        }
        for decided in waiting { decided.wait() }
    }
}
