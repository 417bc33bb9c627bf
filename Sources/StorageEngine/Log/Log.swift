import Platform
import Synchronization

/// A named, partitioned, append-only log and the keys over it.
///
/// Lock order: a log's producers, then partitions by log identity and number. Thread-safe.
package final class Log: Sendable {
    package let name: String
    let id: LogID
    package let partitionCount: Int
    let partitions: [Partition]
    /// The same, which live as long as the log: a call through one of these counts no reference.
    private let uncounted: [Unmanaged<Partition>]
    package let account: MemoryAccount
    /// What readers keep beside the log, for as long as it lives.
    package let companion = Companion()
    let producers = Lock(ProducerTable())
    let clock: Clock
    private let current: Lock<LogConfiguration>
    private let nextUnkeyedPartition = Atomic<Int>(0)
    private let deleted = Atomic<Bool>(false)
    let services: EngineServices
    private let evictsNow: Atomic<Bool>
    /// What the log is becoming.
    private let changing = Lock<(transition: ModeTransition, target: LogConfiguration?)?>(nil)
    /// Records and bytes handed to readers.
    let readCount = Atomic<Int>(0)
    let readBytes = Atomic<Int>(0)

    init(_ description: LogDescription, services: EngineServices) {
        let configuration = description.configuration
        let account = MemoryAccount(
            name: description.name, limitBytes: configuration.memory.maxBytes,
            watermark: configuration.memory.watermark, parent: services.memory)
        let commitLog = services.makeCommitLog(configuration)
        let policy = PartitionPolicy(configuration, memoryBytesMax: services.memory.limitBytes)
        name = description.name
        id = description.id
        self.services = services
        evictsNow = Atomic(configuration.givesWay)
        self.account = account
        clock = services.clock
        current = Lock(configuration)
        partitionCount = configuration.partitions
        partitions = (0..<configuration.partitions).map { number in
            Partition(
                number: number, of: description, policy: policy, account: account, commitLog: commitLog,
                services: services)
        }
        uncounted = partitions.map { Unmanaged.passUnretained($0) }
    }

    package var configuration: LogConfiguration { current.withLock { $0 } }
    package var epoch: Epoch { partitions[0].epoch }
    var description: LogDescription {
        LogDescription(id: id, name: name, epoch: epoch, configuration: configuration)
    }
    /// Whether its records are written to disk.
    package var isDurable: Bool { partitions[0].state.withLock { $0.durableID != nil } }
    /// Whether its data may give way.
    var evicts: Bool { evictsNow.load(ordering: .relaxed) }
    package var isDeleted: Bool { deleted.load(ordering: .relaxed) }

    /// The partition that keyed records go to: XXH3 (seed 0, part of the format) of the key modulo the partition count.
    @inline(__always)
    package func partition(ofKey key: RawSpan) -> Int {
        partitionCount == 1 ? 0 : key.withUnsafeBytes { partition(of: $0) }
    }

    @inline(__always)
    func partition(of key: UnsafeRawBufferPointer) -> Int {
        partitionCount == 1 ? 0 : Int(truncatingIfNeeded: xxh3(key, seed: 0) % UInt64(partitionCount))
    }

    func partition(_ number: Int) throws(EngineError) -> Partition {
        try checkExists(partition: number)
        return partitions[number]
    }

    @inline(__always)
    func checkExists(partition number: Int) throws(EngineError) {
        guard partitions.indices.contains(number) else {
            throw .partitionOutOfRange(partition: number, partitions: partitionCount)
        }
    }

    /// Counting the references of a partition would be a tenth of what a get or an append takes.
    @inline(__always)
    func withPartition<Value, Failure: Error>(
        _ number: Int, _ body: (Partition) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try uncounted[number]._withUnsafeGuaranteedRef { partition in
            Result { () throws(Failure) in try body(partition) }
        }.get()
    }

    /// Round robin by call.
    func partitionForUnkeyed() -> Int {
        guard partitionCount > 1 else { return 0 }
        let ticket = nextUnkeyedPartition.wrappingAdd(1, ordering: .relaxed).oldValue
        return Int(UInt(bitPattern: ticket) % UInt(partitionCount))
    }

    /// The acknowledgement that a write asks for.
    /// - Throws: `acknowledgementUnavailable` when the log cannot give it.
    func requested(_ wanted: Acknowledgement?) throws(EngineError) -> Acknowledgement {
        guard let wanted else { return withPartition(0) { $0.usualAcknowledgement } }
        let available = withPartition(0) { $0.acknowledgement }
        if wanted > available { throw .acknowledgementUnavailable(requested: wanted, available: available) }
        return wanted
    }

    // MARK: Room

    /// Tries `write` again, as long as it is only memory that it wants and there is some to be had.
    @inline(__always)
    func makingRoom<Value>(_ write: () throws(EngineError) -> Value) throws(EngineError) -> Value {
        do {
            return try write()
        } catch {
            return try retry(write, after: error)
        }
    }

    /// The same on one partition. `write` had better not hold the log: it would have to count a reference to it.
    @inline(__always)
    func makingRoom<Value>(
        in number: Int, _ write: (Partition) throws(EngineError) -> Value
    ) throws(EngineError) -> Value {
        do {
            return try withPartition(number, write)
        } catch {
            return try retry({ () throws(EngineError) in try write(partitions[number]) }, after: error)
        }
    }

    @inline(never)
    private func retry<Value>(
        _ write: () throws(EngineError) -> Value, after error: EngineError
    ) throws(EngineError) -> Value {
        // Others may take the room that was made; beyond this it is fairer to refuse.
        let attemptsMax = 8
        var failure = error
        for _ in 0..<attemptsMax {
            guard case .memoryFull(_, _, _, let needed) = failure else { break }
            switch makeRoom(for: needed) {
            case .made: break
            case .none: throw failure
            case .held: throw services.heldMemory
            }
            do {
                return try write()
            } catch {
                failure = error
            }
        }
        throw failure
    }

    func makeRoom(for bytes: Int) -> Evictor.Room { services.evictor.makeRoom(for: bytes, in: account) }

    /// Refuses, before its body is read, a write that could never fit beside what has to stay.
    package func checkCanFit(bytes: Int) throws(EngineError) {
        try services.evictor.checkCanFit(bytes: bytes, in: account)
    }

    // MARK: Life

    func update(_ configuration: LogConfiguration) {
        current.withLock { $0 = configuration }
        account.setLimit(bytes: configuration.memory.maxBytes, watermark: configuration.memory.watermark)
        evictsNow.store(configuration.givesWay, ordering: .relaxed)
        let policy = policy(of: configuration)
        for partition in partitions { partition.update(policy) }
        if account.isOverWatermark, services.evictor.request() { services.maintenance.poke() }
    }

    func policy(of configuration: LogConfiguration) -> PartitionPolicy {
        PartitionPolicy(configuration, memoryBytesMax: services.memory.limitBytes)
    }

    /// Before anybody sees the log: positions that were given may be void.
    func begin(_ epoch: Epoch) { for partition in partitions { partition.begin(epoch) } }

    /// What was read from disk has deadlines and dead rows that nobody has looked at.
    func afterRecovery() { for partition in partitions { partition.requestMaintenance() } }

    func markDeleted() {
        deleted.store(true, ordering: .sequentiallyConsistent)
        for partition in partitions { partition.markDeleted() }
    }

    /// Drops what lies before `before`, which may be the tail but not beyond it.
    @discardableResult
    package func trim(
        partition number: Int, before: Offset, acknowledgement: Acknowledgement? = nil
    ) throws(EngineError) -> Outcome<Void> {
        _ = try requested(acknowledgement)
        return .decided(by: try partition(number).trim(before: before.rawValue))
    }

    // MARK: Mode

    /// All of hybrid logs goes to the disk. - Returns: false when that failed, or there is none.
    func writeCheckpoint() -> Bool {
        guard let storage = services.storage else { return false }
        // Its thread has reported why.
        do throws(CheckpointFailure) { try storage.checkpoint(forced: true) } catch { return false }
        return true
    }

    var isTiered: Bool { partitions[0].state.withLock { $0.policy.tiers != nil } }

    /// The last change of mode, while it runs and after it has failed.
    package var transition: ModeTransition? { changing.withLock { $0?.transition } }
    var isChangingMode: Bool { changing.withLock { $0.map { $0.transition.failure == nil } ?? false } }
    var transitionTarget: LogConfiguration? { changing.withLock { $0?.target } }

    /// - Returns: false when another change runs.
    func beginTransition(_ transition: ModeTransition) -> Bool {
        changing.withLock { changing in
            if let changing, changing.transition.failure == nil { return false }
            changing = (transition, nil)
            return true
        }
    }

    func setTransitionTarget(_ target: LogConfiguration?) { changing.withLock { $0?.target = target } }

    /// A checkpoint that sees the target is in force after the entry; the entry is behind one that does not.
    func setTransitionTarget(_ target: LogConfiguration, submitting submit: () -> CommitEntry) -> CommitEntry
    {
        changing.withLock { changing in
            changing?.target = target
            return submit()
        }
    }

    func endTransition(_ failure: String?) {
        changing.withLock { changing in
            changing?.target = nil
            if failure == nil { changing = nil } else { changing?.transition.failure = failure }
        }
    }

    // MARK: Figures

    package func statistics() -> [PartitionStatistics] { partitions.map { $0.statistics() } }
    /// Memory charged to this log.
    package func memoryBytes(_ kind: MemoryKind) -> Int { account.bytes(kind) }
    package var readFigures: (records: Int, bytes: Int) {
        (readCount.load(ordering: .relaxed), readBytes.load(ordering: .relaxed))
    }
}
