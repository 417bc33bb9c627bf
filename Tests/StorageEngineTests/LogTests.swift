import StorageEngine
import Support
import Testing

@Suite("Logs: made, changed, listed, deleted")
struct LogTests {
    @Test("creating a log again is fine with the same configuration and names what differs otherwise")
    func create() throws {
        let harness = EngineHarness()
        var configuration = LogConfiguration()
        configuration.retention.maxRecords = 5
        #expect(try harness.engine.createLog(named: "a", configuration).created)
        #expect(try !harness.engine.createLog(named: "a", configuration).created)
        configuration.retention.maxRecords = 6
        configuration.partitions = 2
        #expect(
            throws: EngineError.logExists(log: "a", differences: ["partitions", "retention.max_records"])
        ) {
            try harness.engine.createLog(named: "a", configuration)
        }
    }

    @Test("what is not built yet is refused by name, not ignored")
    func notBuilt() throws {
        let harness = EngineHarness()
        let changes: [(inout LogConfiguration) -> Void] = [
            {
                $0.mode = .hybrid
                $0.hybrid.localDisk = false
            },
            { $0.replication.factor = 3 }, { $0.verification = .merkle },
        ]
        for change in changes {
            #expect {
                try harness.log("x", change)
            } throws: { error in
                if case .notImplemented = error as? EngineError { return true }
                return false
            }
        }
        #expect(harness.engine.log(named: "x") == nil)
    }

    @Test("retention can change in place, partitions cannot")
    func update() throws {
        let harness = EngineHarness()
        let log = try harness.log()
        _ = try log.append((0..<100).map { "\($0)" })
        var configuration = log.configuration
        configuration.retention.maxRecords = 3
        _ = try harness.engine.updateLog(named: "log", configuration)
        #expect(try log.values() == ["97", "98", "99"])
        configuration.partitions = 4
        #expect(throws: EngineError.self) { try harness.engine.updateLog(named: "log", configuration) }
    }

    @Test("a log that is made again has another epoch")
    func epochs() throws {
        let harness = EngineHarness()
        let first = try harness.log().epoch
        try harness.engine.deleteLog(named: "log")
        #expect(throws: EngineError.logNotFound(log: "log")) { try harness.engine.deleteLog(named: "log") }
        #expect(try harness.log().epoch != first)
    }

    @Test("logs are listed in byte order, by prefix and page")
    func list() throws {
        let harness = EngineHarness()
        for name in ["b", "a", "B", "ab", "_"] { _ = try harness.log(name) }
        #expect(
            harness.engine.logs(prefix: "", startAfter: nil, limit: 9).logs.map(\.name) == [
                "B", "_", "a", "ab", "b",
            ])
        let page = harness.engine.logs(prefix: "a", startAfter: "a", limit: 1)
        #expect(page.logs.map(\.name) == ["ab"])
        #expect(!page.hasMore)
        #expect(harness.engine.logs(prefix: "", startAfter: nil, limit: 2).hasMore)
    }

    @Test("unkeyed calls go round the partitions, keyed records stay with their key's")
    func partitions() throws {
        let log = try EngineHarness().log { $0.partitions = 3 }
        for number in 0..<9 { _ = try log.append(["\(number)"]) }
        #expect(log.statistics().map(\.records) == [3, 3, 3])
        let places = try (0..<20).map { _ in try log.put("same", "v").value().revision.partition }
        #expect(Set(places) == [log.partition(ofKey: Array("same".utf8).span.bytes)])
    }

    @Test("an engine stops at once, however soon after its start")
    func stops() {
        for _ in 0..<300 {
            let harness = EngineHarness()
            harness.engine.start()
            harness.engine.stop()
        }
    }
}
