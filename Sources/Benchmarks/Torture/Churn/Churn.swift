import Platform
import StorageEngine

/// Everything that can happen to keys, at random, on one thread and a clock that the test moves, beside a model that
/// knows what must be there; and again and again the books, which must agree with what is allocated.
struct Churn {
    private static let seed: UInt64 = 0x6368_7572
    private static let audits = 100
    /// How long after a write its deadline may be, milliseconds.
    private static let timeToLiveMax = 3000
    /// Operations to a millisecond, and to a visit of the maintenance.
    private static let tickOperations = 64
    private static let maintenanceOperations = 512

    let test: TestEngine
    let logs: [ShadowLog]
    var random = SplitMix64(seed: seed)
    /// Of the next value.
    private var number: UInt64 = 0
    var figures = Figures()

    struct Figures {
        var gets = 0
        var puts = 0
        var deletes = 0
        var touches = 0
        var increments = 0
        var committed = 0
        var notCommitted = 0
        var refused = 0
        var peakUsed = 0
        var peakResident = 0
    }

    var now: Int64 { test.clock.now() }

    static func run(scale: Double) throws {
        let operations = scaled(100_000_000, by: scale, min: 10_000)
        report("\(operations) operations, seed \(seed)")
        let test = TestEngine(maxMemoryBytes: ChurnLogs.serverBytes, frozenAt: 1_700_000_000_000)
        let usedBefore = test.engine.memoryUsedBytes
        var names: [String] = []
        do {
            var churn = Churn(test: test, logs: try ChurnLogs.make(test))
            names = churn.logs.map(\.log.name)
            try churn.run(operations)
            churn.printFigures()
            try churn.checkEverything()
        }
        // The logs' memory goes with the last reference to them.
        for name in names { try test.engine.deleteLog(named: name) }
        let usedAfter = test.engine.memoryUsedBytes
        try require(usedAfter == usedBefore, "\(usedAfter - usedBefore) bytes stay charged without any log")
        report("all logs deleted, nothing stays charged")
    }

    private init(test: TestEngine, logs: [ShadowLog]) {
        self.test = test
        self.logs = logs
    }

    private mutating func run(_ operations: Int) throws {
        let baseline = ProcessMemory.residentBytes()
        for operation in 1...operations {
            try step()
            figures.peakUsed = max(figures.peakUsed, test.engine.memoryUsedBytes)
            if operation % Self.tickOperations == 0 { test.clock.advance(milliseconds: 1) }
            if operation % Self.maintenanceOperations == 0 { test.engine.maintainDue() }
            if operation % (operations / Self.audits) == 0 { try audit(residentBefore: baseline) }
        }
    }

    // MARK: One operation

    private mutating func step() throws {
        let shadow = logs[random.below(logs.count)]
        do {
            switch random.below(100) {
            case ..<25: try get(shadow)
            case ..<60: try put(shadow)
            case ..<72: try delete(shadow)
            case ..<78: try touch(shadow)
            case ..<88: try increment(shadow)
            default: try transact()
            }
        } catch EngineError.memoryFull {
            // Nothing was applied: what was there must still be there.
            figures.refused += 1
        }
    }

    /// Half of all operations are about a sixteenth of the keys.
    mutating func valueKey() -> Int {
        let keys = ShadowLog.firstCounter
        return random.chance(50) ? random.below(keys / 16) : random.below(keys)
    }

    mutating func counterKey() -> Int {
        ShadowLog.firstCounter + random.below(ShadowLog.keys - ShadowLog.firstCounter)
    }

    mutating func anyKey() -> Int { random.chance(85) ? valueKey() : counterKey() }

    mutating func nextNumber() -> UInt64 {
        number += 1
        return number
    }

    mutating func putOptions() -> PutOptions {
        var options = PutOptions()
        options.priority = UInt8(random.below(5))
        options.expiry = random.chance(50) ? .at(milliseconds: soon()) : .never
        return options
    }

    private mutating func soon() -> Int64 { now + 1 + Int64(random.below(Self.timeToLiveMax)) }

    private mutating func get(_ shadow: ShadowLog) throws {
        try shadow.look(anyKey(), at: now)
        figures.gets += 1
    }

    private mutating func put(_ shadow: ShadowLog) throws {
        let (key, number, options) = (valueKey(), nextNumber(), putOptions())
        let result = try shadow.log.put(key, shadow.value(number).span.bytes, options)
        try shadow.put(
            key, number, deadline: result.deadline, result.revision, isNew: result.isNew, at: now)
        let wanted: Int64 = if case .at(let deadline) = options.expiry { deadline } else { Deadline.never }
        try require(result.deadline == wanted, "a put got deadline \(result.deadline), not \(wanted)")
        figures.puts += 1
    }

    private mutating func delete(_ shadow: ShadowLog) throws {
        let key = anyKey()
        do {
            try shadow.deleted(key, shadow.log.delete(key).revision, at: now)
            figures.deletes += 1
        } catch EngineError.keyNotFound {
            try shadow.missing(key, at: now)
        }
    }

    private mutating func touch(_ shadow: ShadowLog) throws {
        let (key, deadline) = (anyKey(), soon())
        do {
            let result = try shadow.log.touch(
                key: bytes(key).span.bytes, expiry: .at(milliseconds: deadline), condition: .none,
                acknowledgement: nil
            ).decided()
            try shadow.touched(key, deadline: deadline, result.revision, at: now)
            figures.touches += 1
        } catch EngineError.keyNotFound {
            try shadow.missing(key, at: now)
        }
    }

    private mutating func increment(_ shadow: ShadowLog) throws {
        let key = counterKey()
        var options = IncrementOptions()
        options.by = Int64(1 + random.below(9))
        let result = try shadow.log.increment(key: bytes(key).span.bytes, options).decided()
        try shadow.incremented(key, to: result.value, by: options.by, result.put.revision, at: now)
        figures.increments += 1
    }

    // MARK: Checks

    /// The books of every log, and of the server, agree with a count of what is there.
    private mutating func audit(residentBefore: Int) throws {
        var sums: [MemoryKind: Int] = [:]
        for shadow in logs {
            let walked = shadow.log.walkedBytes()
            for kind in MemoryKind.allCases {
                let charged = shadow.log.memoryBytes(kind)
                let counted = walked[kind, default: 0]
                try require(
                    charged == counted,
                    "\(shadow.log.name): \(charged) bytes of \(kind) are charged, \(counted) counted")
                sums[kind, default: 0] += charged
            }
        }
        for kind in MemoryKind.allCases {
            let charged = test.engine.memory.bytes(kind)
            let sum = sums[kind, default: 0]
            try require(
                charged == sum, "\(charged) bytes of \(kind) are charged to the server, \(sum) to its logs")
        }
        let accounted = test.engine.memoryUsedBytes
        let resident = ProcessMemory.residentBytes()
        figures.peakResident = max(figures.peakResident, resident)
        let residentMax = Int(1.15 * Double(accounted)) + 64 << 20
        try require(
            resident - residentBefore <= residentMax,
            "resident size grew by \(mebibytes(resident - residentBefore)), \(mebibytes(accounted)) are accounted for"
        )
    }

    private func checkEverything() throws {
        for shadow in logs {
            for key in 0..<ShadowLog.keys { try shadow.look(key, at: now) }
        }
    }

    private func printFigures() {
        report(
            "\(figures.gets) gets, \(figures.puts) puts, \(figures.deletes) deletes, \(figures.touches) touches, "
                + "\(figures.increments) increments")
        report(
            "\(figures.committed) transactions held, \(figures.notCommitted) did not; \(figures.refused) writes refused "
                + "for want of memory")
        report(
            "used at most \(mebibytes(figures.peakUsed)) of \(mebibytes(test.engine.memoryLimitBytes)), resident at most "
                + mebibytes(figures.peakResident))
        for shadow in logs {
            let statistics = shadow.log.statistics()
            let evicted = statistics.reduce(0) { $0 + $1.evicted }
            let expired = statistics.reduce(0) { $0 + $1.expired }
            report(
                "  \(shadow.log.name): \(shadow.log.keyCount) keys, \(evicted) rows evicted, \(expired) expired, "
                    + "\(shadow.lost) keys found gone")
        }
    }
}
