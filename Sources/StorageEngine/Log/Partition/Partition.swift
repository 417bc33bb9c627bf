import Platform
import Synchronization

/// One ordered sequence of records with its keys. Thread-safe; all state is behind one lock, held for microseconds.
final class Partition: Sendable {
    let number: Int
    /// Locks of several partitions are taken in this order.
    let sequence: Int
    let state: Lock<PartitionState>
    let clock: Clock
    private let epochWord: Atomic<UInt32>
    private let services: EngineServices
    var storage: Storage? { services.storage }
    private let acknowledgementWord: Atomic<UInt8>
    private let usualAcknowledgementWord: Atomic<UInt8>
    let account: MemoryAccount
    private let logName: String
    let hashSeed: UInt64

    init(
        number: Int, of log: LogDescription, policy: PartitionPolicy, account: MemoryAccount,
        commitLog: (any CommitLog)?, services: EngineServices
    ) {
        self.number = number
        self.account = account
        sequence = services.nextPartitionSequence()
        logName = log.name
        epochWord = Atomic(log.epoch.rawValue)
        self.services = services
        acknowledgementWord = Atomic((commitLog?.acknowledgement ?? .memory).number)
        usualAcknowledgementWord = Atomic(log.configuration.durability.acknowledgement.number)
        clock = services.clock
        hashSeed = services.hashSeed
        state = Lock(
            PartitionState(policy: policy, pool: services.pool, account: account, hashSeed: services.hashSeed)
        )
        state.withLock { state in
            state.commitLog = commitLog
            state.durableID = log.configuration.mode == .memory ? nil : log.id
        }
    }

    var epoch: Epoch { Epoch(rawValue: epochWord.load(ordering: .relaxed)) }

    /// What a write survives once it is answered.
    var acknowledgement: Acknowledgement {
        get { Acknowledgement(number: acknowledgementWord.load(ordering: .relaxed)) }
        set { acknowledgementWord.store(newValue.number, ordering: .relaxed) }
    }

    /// What a write gets that asks for nothing.
    var usualAcknowledgement: Acknowledgement {
        get { Acknowledgement(number: usualAcknowledgementWord.load(ordering: .relaxed)) }
        set { usualAcknowledgementWord.store(newValue.number, ordering: .relaxed) }
    }

    /// Before anybody sees the log: positions may have been lost.
    func begin(_ epoch: Epoch) { epochWord.store(epoch.rawValue, ordering: .relaxed) }

    func reportFailure(_ what: String) { services.reportFailure(what) }

    // MARK: The write path

    /// Things to do for others once the lock is free.
    struct FollowUp {
        var notifies = false
        var maintenanceAt = Deadline.never
        var evicts = false
    }

    /// The last part of every write, under the lock: rows from `start` on are assigned; they are committed at once, or
    /// handed to the commit log.
    @inline(__always)
    func submit(
        _ state: inout PartitionState, _ lateEffect: (@Sendable () -> CommitEffect?)? = nil
    ) -> CommitEntry? {
        guard state.commitLog == nil, state.pending.isEmpty else { return submitLater(&state, lateEffect) }
        return nil
    }

    private func submitLater(
        _ state: inout PartitionState, _ lateEffect: (@Sendable () -> CommitEffect?)?
    ) -> CommitEntry? {
        let start =
            state.pending.last.flatMap { entry in entry.parts.first { $0.partition === self }?.end }
            ?? state.committed
        let entry = CommitEntry(parts: [part(from: start, &state)], lateEffect: lateEffect)
        state.enqueue(entry, from: start)
        (state.commitLog ?? state.sharedCommitLog)?.submit(entry)
        return entry
    }

    /// The rows from `start` on, as part of an entry. Under the lock.
    func part(from start: Int64, _ state: inout PartitionState) -> CommitEntry.Part {
        let log = state.commitLog == nil ? nil : state.durableID
        let bytes = log == nil ? 0 : state.appendedBytes - state.submittedBytes
        state.submittedBytes = state.appendedBytes
        return CommitEntry.Part(
            partition: self, start: start, end: state.assigned, log: log,
            waitsForDisk: state.commitLog != nil, bytes: bytes)
    }

    /// After rows became visible, under the lock: retention, and who has to be told.
    @inline(__always)
    func settle(_ state: inout PartitionState, rows: Int) -> FollowUp {
        state.enforceRetention()
        // Paid in proportion to what was appended, so that cleaning keeps up and no append waits for long.
        if state.cleaned < state.first, state.evictedBelow <= state.cleaned {
            _ = state.clean(rowsMax: 4 &* rows &+ 16)
        }
        if let active = state.active, active.pointee.earliestDeadline < state.maintenanceDue {
            state.requestMaintenance(at: active.pointee.earliestDeadline)
        }
        if let age = state.policy.retainedAgeMillisecondsMax {
            state.requestMaintenance(at: addingSaturated(state.active?.pointee.lastArrival ?? 0, age))
        }
        if let tiers = state.policy.tiers {
            let arrival = state.active?.pointee.lastArrival ?? 0
            state.requestMaintenance(at: addingSaturated(arrival, tiers.memoryMilliseconds) + 1)
        }
        return followUp(&state)
    }

    @inline(__always)
    func followUp(_ state: inout PartitionState) -> FollowUp {
        var followUp = FollowUp()
        if !state.waiters.isEmpty && !state.notifierKnows {
            state.notifierKnows = true
            followUp.notifies = true
        }
        if state.maintenanceRequest != Deadline.never {
            followUp.maintenanceAt = state.maintenanceRequest
            state.maintenanceRequest = Deadline.never
        }
        if state.needsEviction {
            state.needsEviction = false
            followUp.evicts = true
        }
        return followUp
    }

    @inline(__always)
    func carryOut(_ followUp: FollowUp) {
        if followUp.notifies { services.notifier.enqueue(self) }
        if followUp.maintenanceAt != Deadline.never {
            services.maintenance.schedule(self, at: followUp.maintenanceAt)
        }
        if followUp.evicts, services.evictor.request() { services.maintenance.poke() }
    }

    /// - Parameter freesSpace: the write may be done though the disk is full.
    func checkWritable(
        _ state: borrowing PartitionState, freesSpace: Bool = false
    ) throws(EngineError) {
        if let reason = state.failure { throw .logReadOnly(log: logName, reason: reason) }
        if state.isDeleted { throw .logDeleted }
        guard let refusal = refusal(state, freesSpace: freesSpace) else { return }
        switch refusal {
        case .failed(let reason): throw .logReadOnly(log: logName, reason: reason)
        case .full: throw .diskFull
        case .behind: throw .commitLogBehind
        }
    }

    /// A hybrid log has no commit log, but what it takes in has to reach the disk as well.
    private func refusal(_ state: borrowing PartitionState, freesSpace: Bool) -> CommitRefusal? {
        if let commitLog = state.commitLog { return commitLog.refusal(freesSpace: freesSpace) }
        return state.policy.tiers == nil ? nil : services.storage?.wal.refusal(freesSpace: freesSpace)
    }

    // MARK: Called by commit entries

    /// Under the lock.
    func applyPending(_ entry: CommitEntry, _ part: CommitEntry.Part) -> Int {
        state.withLocked { state in
            precondition(state.pending.first === entry, "entries commit in the order of their offsets")
            state.pending.removeFirst()
            state.forgetKeys(of: entry, state.committed..<part.end)
            if state.pending.isEmpty { state.sharedCommitLog = nil }
            return state.apply(upTo: part.end)
        }
    }

    func afterCommit() {
        carryOut(state.withLock { settle(&$0, rows: 64) })
    }

    func failPending(_ entry: CommitEntry, _ part: CommitEntry.Part, reason: String) {
        state.withLock { state in
            state.failure = state.failure ?? reason
            state.pending.removeAll { $0 === entry }
            state.forgetKeys(of: entry, part.start..<part.end)
        }
    }

    /// The same in memory mode, where the partition goes on: the rows were never visible and are dead now.
    func dropPending(_ entry: CommitEntry, _ part: CommitEntry.Part) {
        state.withLock { state in
            guard state.pending.first === entry else {
                state.failure = state.failure ?? "what it waited for has failed"
                return
            }
            state.pending.removeFirst()
            state.forgetKeys(of: entry, state.committed..<part.end)
            state.dropAssigned(upTo: part.end)
            if state.pending.isEmpty { state.sharedCommitLog = nil }
        }
        afterCommit()
    }

    // MARK: Life

    func update(_ policy: PartitionPolicy) {
        carryOut(
            state.withLock { state in
                state.policy = policy
                state.hasOpenedBatch = true
                state.requestMaintenance(at: 0)
                return settle(&state, rows: 64)
            })
    }

    func requestMaintenance() {
        carryOut(
            state.withLock { state in
                state.requestMaintenance(at: 0)
                return settle(&state, rows: 64)
            })
    }

    func markDeleted() {
        let waiters = state.withLock { state in
            state.isDeleted = true
            return state.takeAllWaiters()
        }
        for waiter in waiters { waiter.fire() }
    }

    /// - Returns: the entry that makes it durable, nil in memory mode.
    func trim(before offset: Int64) throws(EngineError) -> CommitEntry? {
        let entry = try state.withLock { state throws(EngineError) -> CommitEntry? in
            guard offset <= state.committed else { throw .offsetOutOfRange(tail: Offset(state.committed)) }
            try checkWritable(state, freesSpace: true)
            state.advanceFirst(to: offset)
            guard let log = state.durableID else { return nil }
            let entry = CommitEntry(effects: [.trim(log, partition: number, before: offset)])
            if let commitLog = state.commitLog {
                commitLog.submit(entry)
                return entry
            }
            return services.storage?.submit(entry.effects)
        }
        cleanAll()
        return entry
    }

    /// - Parameter forced: of a hybrid log too all rows, not only those that are old enough.
    func checkpointViews(now: Int64, forced: Bool) -> (first: Int64, tail: Int64, views: [CheckpointView]) {
        state.withLock { state in
            let tail = state.checkpointTail(now: now, forced: forced)
            return (min(state.first, tail), tail, state.checkpointViews(partition: number, upTo: tail))
        }
    }

    func statistics() -> PartitionStatistics { state.withLock { $0.statistics() } }
}

extension PartitionState {
    /// Remembers an entry, and which keys wait for it, so that conditional writes can wait too.
    mutating func enqueue(_ entry: CommitEntry, from start: Int64) {
        pending.append(entry)
        forEachKeyHash(start..<assigned) { $0[$1] = entry }
    }

    /// They wait for it no more.
    mutating func forgetKeys(of entry: CommitEntry, _ offsets: Range<Int64>) {
        guard !pendingKeys.isEmpty else { return }
        forEachKeyHash(offsets) { pendingKeys, hash in
            if pendingKeys[hash] === entry { pendingKeys[hash] = nil }
        }
    }

    /// Of rows that are not committed.
    private mutating func forEachKeyHash(
        _ offsets: Range<Int64>, _ body: (inout [UInt64: CommitEntry], UInt64) -> Void
    ) {
        var offset = offsets.lowerBound
        while offset < offsets.upperBound {
            let header = list.headers[list.position(of: offset)]
            let end = min(offsets.upperBound, header.pointee.endOfRange)
            if header.pointee.keyBytes > 0 {
                for row in Int(offset - header.pointee.base)..<Int(end - header.pointee.base) {
                    if let key = header.pointee.key(row) { body(&pendingKeys, xxh3(key, seed: hashSeed)) }
                }
            }
            offset = end
        }
    }

    mutating func takeAllWaiters() -> [ReadWaiter] {
        defer { waiters.removeAll() }
        return Array(waiters.values)
    }
}
