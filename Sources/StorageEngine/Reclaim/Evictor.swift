import Platform
import Synchronization

/// Makes data give way where memory is short: in the background once a watermark is passed, and before a write is
/// refused. One thread at a time: a writer that needs room waits for a round, which is all the back-pressure there is.
///
/// Lock order: the evictor's turn, then partitions. Nobody who holds a partition's lock may ask for a turn.
final class Evictor: Sendable {
    private struct Turn {
        /// What the server could not find room for, and until when as much is refused without looking again.
        var refusedBytes = Int.max
        var refusedUntil: Int64 = 0
    }

    /// How long a refusal stands: looking again costs a walk over all logs.
    private static let refusalMilliseconds: Int64 = 5

    private let server: MemoryAccount
    private let logs = Lock<[ObjectIdentifier: Log]>([:])
    private let turn = Lock(Turn())
    private let isRequested = Atomic<Bool>(false)
    /// Ends the slowest of those who hold what the log has let go; false when there is none.
    private let releaser = Lock<(@Sendable () -> Bool)?>(nil)
    private let releasedAt = Atomic<Int64>(0)
    /// Drops what readers have derived from the data of a budget, up to a number of bytes.
    private let shedder = Lock<(@Sendable (MemoryAccount, Int) -> Void)?>(nil)

    /// Drops what was fetched from archives, up to a number of bytes; returns how many.
    private let fetched = Lock<(@Sendable (Int) -> Int)?>(nil)

    init(server: MemoryAccount) {
        self.server = server
    }

    /// How long something takes has nothing to do with the clock that tests move.
    private static func nowMilliseconds() -> Int64 { Clock.monotonicNanoseconds() / 1_000_000 }

    func add(_ log: Log) { logs.withLock { $0[ObjectIdentifier(log.account)] = log } }
    func remove(_ log: Log) { _ = logs.withLock { $0.removeValue(forKey: ObjectIdentifier(log.account)) } }
    func removeAll() { logs.withLock { $0.removeAll() } }

    /// A watermark was passed. - Returns: whether the maintenance thread has to be woken for it.
    func request() -> Bool { !isRequested.exchange(true, ordering: .relaxed) }

    // MARK: Behind the watermark

    /// One round for every budget that is over its watermark. - Returns: whether another is needed.
    func runRound() -> Bool {
        guard isRequested.exchange(false, ordering: .relaxed) else { return false }
        if server.holdsTooMuch { releaseWhatIsHeld() }
        for log in candidates(server) { shed(log.account, to: log.account.lowMarkBytes) }
        shed(server, to: server.lowMarkBytes)
        var isUnfinished = false
        for log in candidates(server) where log.account.dataBytes > log.account.watermarkBytes {
            if !turn.withLock({ _ in shrink(log, to: log.account.lowMarkBytes) }) { isUnfinished = true }
        }
        if server.dataBytes > server.watermarkBytes,
            !turn.withLock({ _ in shrinkServer(to: server.lowMarkBytes) })
        {
            isUnfinished = true
        }
        if isUnfinished { isRequested.store(true, ordering: .relaxed) }
        return isUnfinished
    }

    func onShed(_ shed: @escaping @Sendable (MemoryAccount, Int) -> Void) {
        shedder.withLock { $0 = shed }
    }

    func onShedFetched(_ shed: @escaping @Sendable (Int) -> Int) { fetched.withLock { $0 = shed } }

    /// What can be made again goes before any record does.
    private func shed(_ budget: MemoryAccount, to target: Int) {
        let excess = budget.dataBytes - target
        if budget.dataBytes > budget.watermarkBytes { shed(budget, bytes: excess) }
    }

    private func shed(_ budget: MemoryAccount, bytes: Int) {
        guard bytes > 0, budget.bytes(.columns) > 0 else { return }
        // What was fetched from an archive is of the server's budget alone.
        let left = budget === server ? bytes - (fetched.withLock { $0 }?(bytes) ?? 0) : bytes
        guard left > 0, let shed = shedder.withLock({ $0 }) else { return }
        shed(budget, left)
    }

    func onHeld(_ release: @escaping @Sendable () -> Bool) { releaser.withLock { $0 = release } }

    /// Readers hold batches that the log has let go, and the network holds answers: neither makes data give way.
    private func releaseWhatIsHeld() {
        // What was ended takes a moment to let go.
        let pauseMilliseconds: Int64 = 50
        let now = Self.nowMilliseconds()
        guard now - releasedAt.load(ordering: .relaxed) >= pauseMilliseconds else {
            return
        }
        releasedAt.store(now, ordering: .relaxed)
        if let release = releaser.withLock({ $0 }) { _ = release() }
    }

    /// How long a round may last before what else is due gets its turn.
    private static let roundMilliseconds: Int64 = 20

    /// - Returns: false when it takes another round.
    private func shrink(_ log: Log, to target: Int) -> Bool {
        let end = Self.nowMilliseconds() + Self.roundMilliseconds
        while log.account.dataBytes > target {
            if !log.evictRound(bytes: roundBytes(log.account.dataBytes - target, log.account)) { return true }
            if Self.nowMilliseconds() >= end { return false }
        }
        return true
    }

    private func shrinkServer(to target: Int) -> Bool {
        let end = Self.nowMilliseconds() + Self.roundMilliseconds
        var exhausted: Set<ObjectIdentifier> = []
        while server.dataBytes > target {
            guard let log = victim(except: exhausted) else { return true }
            if !log.evictRound(bytes: roundBytes(server.dataBytes - target, log.account)) {
                exhausted.insert(ObjectIdentifier(log))
            }
            if Self.nowMilliseconds() >= end { return false }
        }
        return true
    }

    /// Small enough that what is taken too much is little, large enough that looking for it pays.
    private func roundBytes(_ excess: Int, _ account: MemoryAccount) -> Int {
        max(min(excess, account.dataBytes / 32), SlabPool.smallestSlabBytes)
    }

    /// The log furthest above its fair share: all logs that can give way have equal ones.
    private func victim(except exhausted: Set<ObjectIdentifier>) -> Log? {
        logs.withLock { logs in
            logs.values.filter { $0.evicts && !exhausted.contains(ObjectIdentifier($0)) }
                .max { $0.account.dataBytes < $1.account.dataBytes }
        }
    }

    // MARK: Before a write is refused

    enum Room {
        /// The write should be tried again.
        case made
        /// Nothing more may go.
        case none
        /// Readers and requests in flight hold it; the slowest reader is being ended.
        case held
    }

    /// Frees what a write needs, in its log's budget and in the server's. Takes nothing for one that could not fit.
    func makeRoom(for bytes: Int, in account: MemoryAccount) -> Room {
        let room = turn.withLock { turn -> Room in
            if account !== server, account.missingBytes(for: bytes) > 0,
                !makeRoom(for: bytes, within: account)
            {
                return .none
            }
            if server.missingBytes(for: bytes) == 0 { return .made }
            if server.missingDataBytes(for: bytes) > 0 {
                let now = Self.nowMilliseconds()
                if bytes >= turn.refusedBytes, now < turn.refusedUntil { return .none }
                if !makeRoom(for: bytes, within: server) {
                    turn.refusedBytes = bytes
                    turn.refusedUntil = now + Self.refusalMilliseconds
                    return .none
                }
            }
            return server.missingBytes(for: bytes) == 0 ? .made : .held
        }
        if case .held = room { releaseWhatIsHeld() }
        return room
    }

    /// - Throws: `memoryFull` when they would not fit even if all that may go went. Nothing goes.
    func checkCanFit(bytes: Int, in account: MemoryAccount) throws(EngineError) {
        do {
            try account.admit(bytes: bytes)
        } catch {
            if !couldMakeRoom(for: bytes, in: account) { throw error }
        }
    }

    /// Counts what may give way, and what is dead, as going: what has no deadline under `ttl` is for the engine to find.
    private func couldMakeRoom(for bytes: Int, in account: MemoryAccount) -> Bool {
        [account, server].allSatisfy { budget in
            let missing = budget.missingBytesAtRest(for: bytes)
            if missing == 0 { return true }
            return missing
                < candidates(budget).reduce(0) {
                    $0 + ($1.evicts ? $1.account.dataBytes : $1.deadBytes() + $1.account.bytes(.columns))
                }
        }
    }

    private func candidates(_ budget: MemoryAccount) -> [Log] {
        logs.withLock { Array($0.values) }.filter { budget === server || $0.account === budget }
    }

    private func makeRoom(for bytes: Int, within budget: MemoryAccount) -> Bool {
        shed(budget, bytes: budget.missingDataBytes(for: bytes))
        let candidates = candidates(budget)
        // What is dead goes first: it costs nobody anything.
        for log in candidates {
            while budget.missingDataBytes(for: bytes) > 0, log.compact(keptShareMax: Partition.Eagerness.full)
            {}
        }
        var missing = budget.missingDataBytes(for: bytes)
        guard missing > 0 else { return true }
        let evictable = candidates.filter(\.evicts).reduce(0) { $0 + $1.evictableBytes() }
        guard missing < evictable else { return false }
        var exhausted: Set<ObjectIdentifier> = []
        while missing > 0 {
            let log =
                budget === server
                ? victim(except: exhausted)
                : candidates.first { $0.evicts && !exhausted.contains(ObjectIdentifier($0)) }
            guard let log else { return false }
            if !log.evictRound(bytes: roundBytes(missing, log.account)) {
                exhausted.insert(ObjectIdentifier(log))
            }
            missing = budget.missingDataBytes(for: bytes)
        }
        return true
    }
}
