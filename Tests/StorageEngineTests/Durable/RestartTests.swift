import Platform
import StorageEngine
import Support
import Testing

@Suite("What a persistent log is after a restart")
struct RestartTests {
    let directory = TemporaryDirectory()

    @Test("records, keys and their revisions are what they were", arguments: [false, true])
    func everything(checkpoints: Bool) throws {
        let harness = try DurableHarness(directory.path)
        let log = try harness.log { $0.compaction = .keys }
        for round in 0..<3 {
            for number in 0..<100 { try log.put("key-\(number)", "\(round * 1000 + number)").wait() }
        }
        try log.delete("key-7").wait()
        try log.append(["1", "2", "3"]).wait()
        let before = try log.values()
        let epoch = log.epoch
        if checkpoints { try harness.engine.checkpoint() }
        try log.put("key-8", "\"after\"").wait()
        try harness.restart()
        let again = try #require(harness.existing())
        #expect(again.epoch == epoch)
        #expect(again.get("key-7") == nil)
        #expect(again.get("key-8") == "\"after\"")
        #expect(again.get("key-9") == "2009")
        #expect(again.keyCount == 99)
        #expect(try again.values() == before + ["\"after\""])
        try again.put("key-9", "4").wait()
        #expect(again.get("key-9") == "4")
    }
}
