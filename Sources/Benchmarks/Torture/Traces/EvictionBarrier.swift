import StorageEngine

/// Waits for rounds of eviction that are under way: a write that is too large for its log waits for the evictor's turn,
/// and is then refused.
struct EvictionBarrier {
    private static let limitBytes = 1 << 20
    private let test: TestEngine
    private let full: Log
    private let oversized = [UInt8](repeating: 0, count: 2 * limitBytes)

    init(_ test: TestEngine) throws {
        self.test = test
        full = try test.log("barrier") {
            $0.compaction = .keys
            $0.memory.maxBytes = Self.limitBytes
        }
    }

    /// With nobody writing to the log. A round that starts later finds the log below its watermark and takes nothing.
    func settle(_ log: Log, watermarkBytes: Int) throws {
        let attemptsMax = 1000
        for _ in 0..<attemptsMax {
            test.engine.maintainDue()
            try waitForTurn()
            if log.dataBytes <= watermarkBytes { return }
        }
        throw Failure("\(log.dataBytes) bytes of data stay above the watermark of \(watermarkBytes)")
    }

    private func waitForTurn() throws {
        do {
            _ = try full.put(0, oversized.span.bytes)
            throw Failure("a log took a value larger than its limit")
        } catch EngineError.memoryFull {
            return
        }
    }
}
