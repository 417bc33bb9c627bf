import Platform
import StorageEngine
import Support

/// The log under test in one of its modes, on a clock that stands still.
final class ModelHost {
    enum Kind: String, Sendable, CaseIterable {
        case memory = "in memory"
        case held = "with held commits"
        case persistent
        /// Each start finds what a killed process left.
        case killed = "persistent and killed"
    }

    let kind: Kind
    let clock: Clock
    private(set) var log: Log
    private let volatile: EngineHarness?
    private var durable: DurableHarness?
    private var disk = MemoryFiles()
    private static let walFileBytes = 64 << 10

    init(_ kind: Kind, _ change: (inout LogConfiguration) -> Void) throws {
        self.kind = kind
        switch kind {
        case .memory, .held:
            let harness = EngineHarness(holdingCommits: kind == .held)
            volatile = harness
            clock = harness.clock
            log = try harness.log("log", change)
        case .persistent, .killed:
            volatile = nil
            clock = Clock(frozenAt: 1_700_000_000_000)
            let harness = try DurableHarness(
                "/data", files: disk, clock: clock, walFileBytes: Self.walFileBytes)
            durable = harness
            log = try harness.log("log", change)
        }
    }

    /// The write with its commit.
    func settled<Value: Sendable>(_ outcome: Outcome<Value>) -> Settled<Value> {
        let settled = Settled(outcome)
        volatile?.commitLog?.commit()
        while durable != nil, settled.isPending { Clock.pause(milliseconds: 0) }
        return settled
    }

    func pass(milliseconds: Int64) {
        for time in [milliseconds, 100] {
            clock.advance(milliseconds: time)
            (volatile?.engine ?? durable?.engine)?.maintainDue()
        }
    }

    func checkpoint() throws { try durable?.engine.checkpoint() }

    func restart() throws {
        guard let old = durable else { return }
        let left = disk.clone()
        old.engine.stop()
        if kind == .killed { disk = left }
        let harness = try DurableHarness("/data", files: disk, clock: clock, walFileBytes: Self.walFileBytes)
        durable = harness
        guard let found = harness.existing() else { throw Missing() }
        log = found
    }

    struct Missing: Error {}

    func stop() { durable?.engine.stop() }
}
