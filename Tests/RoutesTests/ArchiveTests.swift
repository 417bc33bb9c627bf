import Foundation
import HTTP
import JSON
import Platform
import StorageEngine
import Support
import Testing

@testable import Routes

@Suite("A log with an archive over HTTP")
struct ArchiveTests {
    private let store: MemoryArchive
    private let api: API
    private static let body = """
        {"mode": "hybrid", "compaction": "keys", "hybrid": {"memory_ttl_ms": 2000, "disk_after_ms": 1000,
         "s3_archive": "store:one", "s3_after_ms": 5000}}
        """
    private static let log = "/v1/logs/log"

    init() throws {
        let store = MemoryArchive()
        var configuration = EngineConfiguration()
        configuration.dataDirectory = try DataDirectory("/data", files: MemoryFiles())
        configuration.openArchive = ["store:one": store, "store:two": MemoryArchive("store:two")].open
        self.store = store
        api = API(engine: configuration)
        try api.engine.recover()
        #expect(api.call(.put, Self.log, Self.body).status == 201)
        for number in 0..<20 {
            api.call(.put, "\(Self.log)/keys/key-\(number)", "{\"number\":\(number)}", ["X-Pyra": "v"])
        }
        api.call(.put, "\(Self.log)/keys/counter", "5")
    }

    private func age() throws {
        api.advance(milliseconds: 5_001)
        try api.engine.checkpoint()
        for _ in 0..<400 {
            api.advance(milliseconds: 200)
            api.engine.archiveDue()
            if api.engine.log(named: "log")?.statistics()[0].coldKeys == 21, !store.keys.isEmpty { break }
            Clock.pause(milliseconds: 5)
        }
        api.engine.archiveDue()
        #expect((api.engine.log(named: "log")?.statistics()[0].archivedBytes ?? 0) > 0)
    }

    @Test("keys, lists, pages and counters are as they were")
    func reads() throws {
        let before = api.call(.get, "\(Self.log)/records?limit=100")
        let key = api.call(.get, "\(Self.log)/keys/key-3")
        try age()
        let moved = api.call(.get, "\(Self.log)/keys/key-3")
        #expect(moved.status == 200 && moved.text == "{\"number\":3}" && moved.entityTag == key.entityTag)
        #expect(store.gets > 0)
        #expect(api.call(.get, "\(Self.log)/records?limit=100").text == before.text)
        let listing = api.call(.get, "\(Self.log)/keys?values=true&prefix=key-1&limit=2")
        #expect(listing.json["keys"]?[0]?["value"]?["number"] == .integer(1))
        #expect(listing.json["has_more"] == .bool(true))
        let many = api.call(
            .post, "\(Self.log)/keys:get", #"{"keys": ["key-7", "none"]}"#,
            ["Content-Type": "application/json"])
        #expect(many.json["results"]?[0]?["value"]?["number"] == .integer(7), "\(many.text)")
        let raw = api.call(
            .get, "\(Self.log)/records?limit=1&offset=4", "", ["Accept": "application/octet-stream"])
        #expect(raw.text == "{\"number\":4}")
        #expect(
            api.call(.get, "\(Self.log)/keys/key-3", "", ["If-None-Match": key.entityTag]).status == 304)
        #expect(api.call(.head, "\(Self.log)/keys/key-3").status == 200)
    }

    @Test("patches, increments and touches work on them")
    func writes() throws {
        try age()
        let patched = api.call(
            .patch, "\(Self.log)/keys/key-2", #"{"more": 1}"#,
            ["Content-Type": "application/merge-patch+json"])
        #expect(patched.status == 200, "\(patched.text)")
        #expect(api.call(.get, "\(Self.log)/keys/key-2").text == #"{"number":2,"more": 1}"#)
        let sum = api.call(
            .post, "\(Self.log)/keys/counter:increment", #"{"by": 2}"#, ["Content-Type": "application/json"])
        #expect(sum.json["value"] == .integer(7), "\(sum.text)")
        let touched = api.call(
            .post, "\(Self.log)/keys/key-9:touch", #"{"ttl_ms": 60000}"#, ["Content-Type": "application/json"]
        )
        #expect(touched.status == 200, "\(touched.text)")
        #expect(api.call(.get, "\(Self.log)/keys/key-9").text == "{\"number\":9}")
    }

    @Test("a store that is down is 503 with Retry-After, a damaged object 500 and named; all else goes on")
    func failures() throws {
        try age()
        api.call(.put, "\(Self.log)/keys/hot", "1")
        store.setDown(true)
        for target in ["keys/key-1", "records?limit=3", "keys?values=true"] {
            let answer = api.call(.get, "\(Self.log)/\(target)")
            #expect(answer.status == 503 && answer.code == "archive_unavailable", "\(answer.text)")
            #expect(answer.field("Retry-After") == "1" && answer.json["retryable"] == .bool(true))
        }
        #expect(api.call(.get, "\(Self.log)/keys/hot").text == "1")
        #expect(api.call(.get, "\(Self.log)/keys?prefix=key-1").status == 200)
        #expect(api.call(.put, "\(Self.log)/keys/key-1", "1").status == 200)
        store.setDown(false)
        store.flip(200)
        let damaged = api.call(.get, "\(Self.log)/keys/key-2")
        #expect(damaged.status == 500 && damaged.code == "archive_damaged")
        #expect(damaged.json["detail"]?.stringValue?.contains(".arc") == true)
        store.flip(nil)
        #expect(api.call(.get, "\(Self.log)/keys/key-2").status == 200)
    }

    @Test("the log and the metrics tell what is there")
    func figures() throws {
        try age()
        _ = api.call(.get, "\(Self.log)/keys/key-2")
        let description = api.call(.get, Self.log)
        guard case .integer(let bytes)? = description.json["stats"]?["partitions"]?[0]?["bytes"]?["s3"] else {
            Issue.record("\(description.text)")
            return
        }
        #expect(bytes > 500)
        #expect(description.json["config"]?["hybrid"]?["s3_after_ms"] == .integer(5000))
        let metrics = api.call(.get, "/metrics").text
        #expect(metrics.contains("pyralog_archive_bytes{log=\"log\"} \(bytes)"))
        #expect(metrics.contains("pyralog_archive_uploads_total 1"))
        #expect(metrics.contains("pyralog_archive_fetches_total 1"))
    }

    @Test("location and age change by PATCH; a location that is not accepted is 400 and says why")
    func changes() {
        let type = ["Content-Type": "application/merge-patch+json"]
        let changed = api.call(
            .patch, Self.log, #"{"hybrid": {"s3_archive": "store:two", "s3_after_ms": null}}"#, type)
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed.json["config"]?["hybrid"]?["s3_archive"] == .string("store:two"))
        let refused = api.call(.patch, Self.log, #"{"hybrid": {"s3_archive": "store:none"}}"#, type)
        #expect(refused.status == 400 && refused.json["detail"]?.stringValue?.contains("s3_archive") == true)
        #expect(api.call(.patch, Self.log, #"{"hybrid": {"s3_after_ms": 0}}"#, type).status == 400)
    }

    @Test("a tail that begins in the archive goes on to what is new")
    func tail() throws {
        try age()
        let (text, _) = try tail("log", "offset=0") { $0.contains("\"number\":19}") }
        #expect(text.contains("\"number\":0}") && store.gets > 0)
    }

    @Test("a tail of all partitions ends at its limit, however many were fetched meanwhile")
    func limit() throws {
        let wide = "/v1/logs/wide"
        let body = Self.body.replacing("{\"mode\"", with: "{\"partitions\": 2, \"mode\"")
        #expect(api.call(.put, wide, body).status == 201)
        for number in 0..<40 { api.call(.put, "\(wide)/keys/key-\(number)", "\(number)") }
        try age()
        let statistics = try #require(api.engine.log(named: "wide")).statistics()
        try #require(statistics.allSatisfy { $0.archivedBytes > 0 && $0.records > 5 })
        store.slow(getMilliseconds: 50)
        let limit = statistics.map(\.records).max()! + 1
        let (text, isOver) = try tail("wide", "partition=*&limit=\(limit)") { _ in false }
        #expect(isOver && text.components(separatedBy: "event: record").count == limit + 1, "\(text)")
        #expect(text.contains("\"reason\":\"limit\""))
    }

    /// - Returns: what came until `isEnough`, or the stream ended, or nothing more came.
    private func tail(
        _ name: String, _ parameters: String, until isEnough: (String) -> Bool
    ) throws -> (text: String, isOver: Bool) {
        let query = try QueryReader(
            Request(.get, "/v1/logs/\(name)/records?\(parameters)"), allowed: ReadQuery.parameters)
        let log = try #require(api.engine.log(named: name))
        let read = try ReadQuery(query)
        let start = try TailStart(query, read, lastEventID: nil, log)
        let source = TailSource(log, start, limit: read.limit, api.services)
        let waker = WakingUp()
        source.start(waker: waker)
        defer { source.finished() }
        var text = ""
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 8)
        defer { buffer.deallocate() }
        let end = Clock.monotonicNanoseconds() + 5_000_000_000
        while !isEnough(text), Clock.monotonicNanoseconds() < end {
            let generation = waker.wakeUp.generation
            switch source.read(into: buffer) {
            case .bytes(let count): text += String(decoding: buffer[..<count], as: UTF8.self)
            case .wait: waker.wakeUp.wait(since: generation, timeoutNanoseconds: 1_000_000_000)
            case .end, .abort: return (text, true)
            }
        }
        return (text, false)
    }

    private final class WakingUp: StreamWaker {
        let wakeUp = WakeUp()
        func wake() { wakeUp.signal() }
    }
}
