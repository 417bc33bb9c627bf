import Platform
import StorageEngine
import Support
import Testing

@Suite("A data directory")
struct DirectoryTests {
    @Test("is one server's alone", arguments: [false, true])
    func locked(inMemory: Bool) throws {
        let temporary = TemporaryDirectory()
        let files: any FileSystem = inMemory ? MemoryFiles() : SystemFiles()
        let path = inMemory ? "/data" : temporary.path
        let harness = try DurableHarness(path, files: files)
        try harness.log().append(["1"]).wait()
        #expect(throws: StorageFailure.self) { try DurableHarness(path, files: files) }
        #expect(try harness.log().values() == ["1"])
        harness.engine.stop()
        let again = try DurableHarness(path, files: files)
        #expect(try again.log().values() == ["1"])
        again.engine.stop()
    }

    @Test(
        "made by the first start is on disk before anything is acknowledged",
        arguments: 1...8 as ClosedRange<UInt64>)
    func made(seed: UInt64) throws {
        let disk = MemoryFiles()
        let harness = try FaultRun.start(disk, Clock(frozenAt: 1_700_000_000_000))
        try harness.log().append(["1"]).wait()
        let left = disk.afterPowerCut(seed: seed)
        harness.engine.stop()
        let again = try FaultRun.start(left, harness.clock)
        #expect(try again.existing()?.values() == ["1"])
        again.engine.stop()
    }

    @Test("grows by no file with each start and stop")
    func restarts() throws {
        let disk = MemoryFiles()
        let clock = Clock(frozenAt: 1_700_000_000_000)
        for number in 0..<30 {
            let harness = try FaultRun.start(disk, clock)
            try harness.log().append(["\(number)"]).wait()
            if number % 10 == 9 { try harness.engine.checkpoint() }
            harness.engine.stop()
        }
        let harness = try FaultRun.start(disk, clock)
        #expect(try harness.log().values() == (0..<30).map { "\($0)" })
        try harness.engine.checkpoint()
        harness.engine.stop()
        #expect(disk.paths.count < 12, "\(disk.paths)")
    }
}
