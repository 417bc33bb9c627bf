import Foundation
import StorageEngine
import Testing

/// What the documentation shows, compiled and run: `docs/embedding.md` has the text between the two marks.
private func example() throws {
    // begin
    let pyralog = try Pyralog.memoryOnly(maxMemoryBytes: 64 << 20)

    // A log: append, and read back from an offset.
    let events = try pyralog.createLog("events")
    try events.append(#"{"kind": "login", "user": "alice"}"#)
    let place = try events.append(#"{"kind": "logout", "user": "alice"}"#)
    let records = try events.read(from: place.offset)
    precondition(records.map(\.text) == [#"{"kind": "logout", "user": "alice"}"#])

    // Keys with deadlines: a session store that forgets whom nobody uses when memory runs out.
    let sessions = try pyralog.createLog("sessions") {
        $0.keepsNewestOfKey = true
        $0.maxMemoryBytes = 8 << 20
        $0.eviction = .lru
    }
    try sessions.put("alice", #"{"cart": ["book"]}"#, timeToLive: .seconds(1800))
    precondition(sessions.get("alice")?.text == #"{"cart": ["book"]}"#)
    pyralog.advanceClock(by: .seconds(1800))
    precondition(sessions.get("alice") == nil)

    // All or nothing, over keys and logs.
    try sessions.put("stock", "2")
    let order = try pyralog.transact { transaction in
        transaction.require("sessions", "stock", exists: true)
        transaction.increment("sessions", "stock", by: -1)
        transaction.append("events", #"{"kind": "order"}"#)
        transaction.get("sessions", "stock")
    }
    precondition(order.isCommitted)
    // end
}

@Suite("Embedded in a program")
struct EmbeddedTests {
    @Test("the documented example runs, and is the one that is documented")
    func documented() throws {
        try example()
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let code = try #require(source.firstMatch(of: /\/\/ begin\n(?s:(.*?))\n    \/\/ end/)).1
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0) }.joined(separator: "\n")
        let page = try String(contentsOf: top.appending(path: "docs/embedding.md"), encoding: .utf8)
        #expect(page.contains("```swift\nimport StorageEngine\n\n\(code)\n```"))
    }

    @Test("hundreds of instances at once share nothing, and are gone when they are released")
    func many() async throws {
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let pyralog = try Pyralog.memoryOnly()
                    let log = try pyralog.createLog("log")
                    try log.put("number", "\(number)")
                    for _ in 0..<100 { try log.increment("count") }
                    #expect(log.get("number")?.text == "\(number)")
                    return try log.increment("count", by: 0)
                }
            }
            for try await count in group { #expect(count == 100) }
        }
    }

    @Test("a released instance lets go of its memory and its thread")
    func released() throws {
        weak var released: Pyralog?
        var record: Pyralog.Record?
        do {
            let pyralog = try Pyralog.memoryOnly()
            released = pyralog
            let log = try pyralog.createLog("log")
            try log.put("k", "held")
            record = log.get("k")
        }
        #expect(released == nil)
        #expect(record?.text == "held")
    }

    @Test("what is refused says why")
    func failures() throws {
        func code(_ body: () throws -> Void) -> Pyralog.Failure.Code? {
            do { try body() } catch { return (error as? Pyralog.Failure)?.code }
            return nil
        }
        #expect(code { _ = try Pyralog.memoryOnly(maxMemoryBytes: 1000) } == .invalidArgument)
        let pyralog = try Pyralog.memoryOnly(maxMemoryBytes: 1 << 20)
        let log = try pyralog.createLog("log")
        #expect(code { _ = try pyralog.createLog("log") { $0.partitions = 2 } } == .alreadyExists)
        #expect(code { _ = try pyralog.createLog("many") { $0.partitions = 257 } } == .invalidArgument)
        #expect(code { try pyralog.deleteLog("nowhere") } == .notFound)
        #expect(code { try log.put("", "v") } == .invalidArgument)
        #expect(code { try log.put("k", String(repeating: "x", count: 2 << 20)) } == .memoryFull)
        #expect(code { _ = try log.read(partition: 1) } == .invalidArgument)
        try log.put("text", "no number")
        #expect(code { try log.increment("text") } == .notAnInteger)
        #expect(code { _ = try pyralog.transact { $0.increment("log", "text") } } == .notAnInteger)
        #expect(code { _ = try pyralog.transact { $0.put("log", "", "v") } } == .invalidArgument)
        #expect(try log.delete("text"))
        #expect(try !log.delete("text"))
        let result = try pyralog.transact {
            $0.require("log", "text", equals: "x")
            $0.put("log", "k", "v")
        }
        #expect(!result.isCommitted)
        #expect(log.get("k") == nil)
    }
}
