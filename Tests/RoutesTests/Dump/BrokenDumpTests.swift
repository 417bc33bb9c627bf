import HTTP
import JSON
import Platform
import StorageEngine
import Testing

@testable import Routes

@Suite("Dumps that are not right")
struct BrokenDumpTests {
    let api = API()

    static let header = #"{"format":"pyralog-dump","version":1,"server":"9.9.9","time":5,"new":[{}]}"#
    static let log =
        #"{"log":"a","config":{"partitions":2,"compaction":"keys","new":1,"memory":{"new":{}}},"new":1}"#

    private func dump(_ lines: [String], records: Int = 0) -> String {
        ([Self.header] + lines + [#"{"complete":true,"logs":1,"records":\#(records),"new":1}"#])
            .joined(separator: "\n")
    }

    @Test("fields of newer versions are passed over, and those that older ones lack have their defaults")
    func tolerant() {
        let text = dump(
            [
                Self.log, "",
                #"{"offset":3,"timestamp":"1970-01-01T00:00:00.007Z","value":[1, 2],"new":{"a":[]},"priority":null}"#,
            ], records: 1)
        #expect(api.load(text).status == 200, "\(api.load(text).text)")
        let record = api.call(.get, "/v1/logs/a/records?partition=0").json["records"]?[0]
        #expect(record?["offset"] == .integer(3))
        #expect(record?["timestamp"] == .integer(7))
        #expect(api.call(.get, "/v1/logs/a").json["config"]?["tombstones"] == .bool(false))
    }

    static let records: [(String, String)] = [
        (#"{"offset":1,"value":1}"#, "timestamp"), (#"{"offset":1,"timestamp":1}"#, "value"),
        (#"{"offset":-1,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":9223372036854775807,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":18446744073709551616,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":1.5,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":"1","timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":0,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":1,"offset":2,"timestamp":1,"value":1}"#, "offset"),
        (#"{"offset":1,"timestamp":-99999999999999999,"value":1}"#, "timestamp"),
        (#"{"offset":1,"timestamp":1,"arrival":"x","value":1}"#, "arrival"),
        (#"{"offset":1,"timestamp":1,"expires_at":1e300,"value":1}"#, "expires_at"),
        (#"{"offset":1,"timestamp":1,"value":1,"value_text":"1"}"#, "value_text"),
        (#"{"offset":1,"timestamp":1,"value_base64":"!!!!"}"#, "value_base64"),
        (#"{"offset":1,"timestamp":1,"value_text":7}"#, "value_text"),
        (#"{"offset":1,"timestamp":1,"value":1,"content_type":"text/plain"}"#, "content_type"),
        (#"{"offset":1,"timestamp":1,"value_text":"{","content_type":"application/json"}"#, "content_type"),
        (#"{"offset":1,"timestamp":1,"value":1,"partition":2}"#, "partition"),
        (#"{"offset":1,"timestamp":1,"value":1,"partition":256}"#, "partition"),
        (#"{"offset":1,"timestamp":1,"value":1,"priority":256}"#, "priority"),
        (#"{"offset":1,"timestamp":1,"value":1,"headers":[]}"#, "headers"),
        (#"{"offset":1,"timestamp":1,"value":1,"headers":{"a":1}}"#, "headers.a"),
        (#"{"offset":1,"timestamp":1,"value":1,"key":""}"#, "key"),
        (#"{"offset":1,"timestamp":1,"value":1,"key":"a","key_base64":"YQ=="}"#, "key_base64"),
        (
            #"{"offset":1,"timestamp":1,"value":1,"key":"\#(String(repeating: "k", count: 1025))"}"#, "key"
        ),
        (#"{"offset":1,"timestamp":1,"tombstone":"deleted"}"#, "tombstone"),
        (#"{"offset":1,"timestamp":1,"tombstone":"gone","key":"k"}"#, "tombstone"),
        (#"{"offset":1,"timestamp":1,"tombstone":"deleted","key":"k","value":1}"#, "tombstone"),
        (#"{"offset":1,"timestamp":1,"value":1,"superseded":1}"#, "superseded"),
        (#"{"log":"b","offset":1,"timestamp":1,"value":1}"#, "log"),
        (#"{"log":"a","producer":"p","epoch":-1,"seq":0,"time":1,"ranges":[]}"#, "epoch"),
        (
            #"{"log":"a","producer":"p","epoch":1,"seq":0,"time":1,"ranges":[{"partition":2,"start":0,"end":1}]}"#,
            "ranges[0].partition"
        ),
        (#"{"log":"a","config":{}}"#, "log"), (#"{"log":"b","config":{"mode":"other"}}"#, "config.mode"),
        (#"{"log":"b","config":{"partitions":257}}"#, "config.partitions"),
        (#"{"log":"b","config":[]}"#, "config"), (#"{"log":".b","config":{}}"#, "log"),
        (#"{"config":{}}"#, "log"), (#"{"log":"b","config":{},"partitions":[]}"#, "partitions"),
        (#"{"log":"b","config":{},"partitions":[{"first":5,"tail":4}]}"#, "partitions[0].tail"),
        (
            #"{"log":"b","config":{},"partitions":[{"first":0,"tail":9223372036854775807}]}"#,
            "partitions[0].tail"
        ),
        (#"{"log":"b","config":{},"partitions":[7]}"#, "partitions[0]"),
        (#"{"complete":true,"logs":1,"records":2}"#, "records"),
        (#"{"complete":true,"logs":2,"records":1}"#, "logs"),
        (#"{"complete":1,"logs":1,"records":1}"#, "complete"),
    ]

    @Test("a field at fault is named with its line, and nothing is there afterwards", arguments: records)
    func fields(line: String, field: String) {
        let good = #"{"log":"a","partition":0,"offset":0,"timestamp":1,"value":0}"#
        let answer = api.load(dump([Self.log, good, "", line], records: 2))
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["line"] == .integer(5), "\(answer.text)")
        #expect(answer.json["field"] == .string(field), "\(answer.text)")
        #expect(api.call(.get, "/v1/logs").json["logs"] == .array([]))
        #expect(api.services.engine.stateCut(of: []).logs.isEmpty)
    }

    @Test("a key's records lie where it belongs")
    func keyPartition() {
        let text = (0...1).map { number in
            api.load(
                dump(
                    [Self.log, #"{"offset":1,"timestamp":1,"partition":\#(number),"key":"k","value":1}"#],
                    records: 1))
        }
        #expect(Set(text.map(\.status)) == [200, 400] || Set(text.map(\.status)) == [400, 409])
        #expect(text.contains { $0.json["field"] == .string("partition") })
    }

    @Test("another format, a newer version and what is no dump are refused at once")
    func headers() {
        for (text, field) in [
            (#"{"format":"other","version":1}"#, "format"), (#"{"format":"pyralog-dump"}"#, "version"),
            (#"{"format":"pyralog-dump","version":2}"#, "version"), (Self.log, "format"),
            (#"{"offset":1,"timestamp":1,"value":1}"#, "format"),
        ] {
            let answer = api.load(text)
            #expect(answer.status == 400)
            #expect(answer.json["field"] == .string(field), "\(answer.text)")
            #expect(answer.json["line"] == .integer(1))
        }
        for text in ["", "\n\n", "{", "[]", "1", "\u{0}", "{}{}"] {
            #expect(api.load(text).status == 400)
            #expect(api.load(text, "", ["Content-Type": "application/json"]).status == 400)
            #expect(api.load(text, "", [:]).status == 400)
        }
    }

    @Test("a dump that breaks off anywhere changes nothing", arguments: [DumpForm.lines, .document])
    func truncated(form: DumpForm) {
        let source = API()
        source.call(.put, "/v1/logs/a/keys/k", "{\"n\": \"text\"}")
        source.call(
            .post, "/v1/logs/b/records:batch", #"{"records": [{"value_text": "t", "headers": {"a": "b"}}]}"#)
        let dump = source.dump(accept: form.rawValue).body
        let fields = ["Content-Type": form.rawValue]
        for length in 0..<dump.count - 1 {
            let isLastNewline = form == .lines && length == dump.count - 1
            let answer = api.call(.post, "/v1/dump", bytes: Array(dump[..<length]), fields)
            #expect(answer.status == 400 || isLastNewline, "\(length): \(answer.text)")
        }
        #expect(api.call(.get, "/v1/logs").json["logs"] == .array([]))
        #expect(api.call(.post, "/v1/dump", bytes: dump, fields).status == 200)
    }

    @Test(
        "any bytes are refused or loaded, and never a reason to fail", arguments: [DumpForm.lines, .document])
    func mutated(form: DumpForm) {
        let source = API()
        source.fill()
        let dump = source.dump("logs=events,empty", accept: form.rawValue).body
        let tokens = [
            "{", "}", "[", "]", "\"", ",", ":", "\n", "null", "-1", "9223372036854775807", "1e999", "\\u0000",
            "\\ud800",
            "true", "\"offset\":0,", "\"partition\":255,", "\"tombstone\":\"deleted\",", "\u{0}",
            "\"expires_at\":-5,",
            "\"timestamp\":253402300799999,", "\"superseded\":true,", "\"key\":\"k\",",
        ].map { Array($0.utf8) }
        var random = LinearCongruence(state: 42)
        var loaded = 0
        for _ in 0..<1500 {
            var bytes = dump
            for _ in 0..<(1 + Int(random.next() % 3)) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 40)))
                case 2: bytes.insert(contentsOf: tokens[Int(random.next() % UInt64(tokens.count))], at: place)
                default:
                    let start = Int(random.next() % UInt64(bytes.count))
                    bytes.insert(
                        contentsOf: Array(bytes[start..<min(bytes.count, start + Int(random.next() % 200))]),
                        at: place)
                }
            }
            let answer = api.call(
                .post, "/v1/dump?replace=true", bytes: bytes, ["Content-Type": form.rawValue])
            #expect([200, 400, 413, 415, 501].contains(answer.status), "\(answer.text)")
            if answer.status == 200 {
                loaded += 1
                #expect(api.dump().status == 200)
                api.advance(milliseconds: 1000)
            }
        }
        #expect(loaded > 0)
    }

    @Test("a document is the same in pieces of any length")
    func pieces() throws {
        let source = API()
        source.fill()
        let text = source.dump(accept: "application/json").text
            .replacing(#""entries":["#, with: "\"other\" : [{\"a\": \"]}\\\"\"}], \n \"entries\" :\r\n [ \n")
        let bytes = Array(text.utf8)
        let expected = source.dump().text
        for length in [1, 2, 3, 7, 64, 1000, bytes.count] {
            var document = DumpDocument()
            let lines = ByteBuffer()
            for start in stride(from: 0, to: bytes.count, by: length) {
                try bytes[start..<min(bytes.count, start + length)].withUnsafeBytes { piece in
                    _ = try document.take(piece, to: lines)
                }
            }
            try document.finish()
            #expect(String(decoding: lines.bytes, as: UTF8.self) == expected)
        }
    }

    @Test("what is larger than it may be is told")
    func limits() {
        var limits = RouteLimits()
        limits.valueBytesMax = 1000
        limits.batchBytesMax = 1000
        let api = API(limits: limits)
        let value = #"{"offset":1,"timestamp":1,"value":"\#(String(repeating: "x", count: 1000))"}"#
        let answer = api.load(dump([Self.log, value], records: 1))
        #expect(answer.status == 413)
        #expect(answer.json["line"] == .integer(3))
        let line = #"{"offset":1,"new":"\#(String(repeating: "x", count: 200_000))"}"#
        #expect(api.load(dump([Self.log, line], records: 1)).status == 413)
        var memory = EngineConfiguration()
        memory.maxMemoryBytes = 4 << 20
        let small = API(engine: memory)
        let rows = (0..<100).map {
            #"{"offset":\#($0),"timestamp":1,"value":"\#(String(repeating: "x", count: 100_000))"}"#
        }
        #expect(small.load(dump([Self.log] + rows, records: 100)).code == "memory_full")
        #expect(small.call(.get, "/v1/logs").json["logs"] == .array([]))
    }
}

/// Knuth's MMIX: the same bytes on every run.
private struct LinearCongruence {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
