import HTTP
import JSON
import Platform
import Routes
import StorageEngine
import Testing

@Suite("Dumps")
struct DumpTests {
    let api = API()

    @Test("are loaded as what they were, and are the same then", arguments: ["", "application/json"])
    func roundTrip(accept: String) {
        api.fill()
        api.advance(milliseconds: 6000)
        api.waitForExpired(1, in: "keys")
        let dump = api.dump(accept: accept.isEmpty ? nil : accept)
        #expect(dump.status == 200)
        #expect(dump.field("Content-Type") == (accept.isEmpty ? "application/x-ndjson" : accept))
        let other = API()
        other.advance(milliseconds: 6000)
        let answer = other.load(dump.text, "", accept.isEmpty ? API.lines : ["Content-Type": accept])
        #expect(answer.status == 200, "\(answer.text)")
        for log in ["empty", "keys", "events"] { #expect(other.content(log) == api.content(log)) }
        // What compaction has not come by yet is not compared: it may come at any time.
        #expect(other.content("compacted").last == api.content("compacted").last)
        #expect(answer.json["logs"]?.arrayValue?.count == 4)
        #expect(other.dump("logs=keys,events,empty").text == api.dump("logs=keys,events,empty").text)
        // They go on alike.
        for each in [api, other] {
            each.advance(milliseconds: 500_000)
            each.waitForExpired(each === api ? 2 : 1, in: "keys")
            #expect(each.call(.get, "/v1/logs/keys/keys/later").status == 404)
            each.call(.put, "/v1/logs/keys/keys/raw", "1")
        }
        #expect(other.content("keys").last == api.content("keys").last)
    }

    @Test("the document has the lines of the other form as its entries")
    func document() {
        api.fill()
        let lines = api.dump("logs=events,empty").text.split(separator: "\n").map {
            JSONValue.parse(String($0))
        }
        let document = api.dump("logs=events,empty", accept: "application/json").json
        #expect(document["header"] == lines.first)
        #expect(document["end"] == lines.last)
        #expect(document["entries"]?.arrayValue == Array(lines[1..<lines.count - 1]))
        #expect(lines[0]["format"] == .string("pyralog-dump"))
        #expect(lines[0]["version"] == .integer(1))
        #expect(lines[0]["time"] == .integer(API.start))
    }

    @Test("what has expired is left out, and nothing older comes to light for that")
    func expired() {
        api.call(.put, "/v1/logs/a", "{}")
        api.call(.put, "/v1/logs/a/keys/k", "\"old\"")
        api.call(.put, "/v1/logs/a/keys/k?ttl_ms=10", "\"new\"")
        api.advance(milliseconds: 10)
        let dump = api.dump().text
        #expect(!dump.contains("new"))
        let other = API()
        #expect(other.load(dump).status == 200)
        #expect(other.call(.get, "/v1/logs/a/keys/k").status == 404)
        #expect(other.content("a") == api.content("a"))
    }

    @Test("many records that are gone at once hold up nobody, and the dump ends as it should")
    func goneAtOnce() {
        api.call(
            .post, "/v1/logs/a/records?ttl_ms=10", String(repeating: "1\n", count: 600_000), API.lines)
        api.call(.post, "/v1/logs/a/records", "2")
        api.clock.advance(milliseconds: 10)
        let lines = api.dump().text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[2].contains("\"offset\":600000,"))
        #expect(api.dump(accept: "application/json").json["end"]?["records"] == .integer(1))
    }

    @Test("some logs can be chosen, of the state and of a dump")
    func chosen() {
        api.fill()
        #expect(!api.dump("logs=keys,empty").text.contains("events"))
        #expect(api.dump("logs=keys,none").code == "log_not_found")
        #expect(api.dump("logs=keys,keys").status == 400)
        #expect(api.dump("logs=").status == 400)
        let other = API()
        #expect(other.load(api.dump().text, "logs=events").status == 200)
        #expect(other.call(.get, "/v1/logs/keys").status == 404)
        #expect(other.content("events") == api.content("events"))
        let answer = other.load(api.dump("logs=keys").text, "logs=keys,none")
        #expect(answer.json["field"] == .string("logs"))
        #expect(other.call(.get, "/v1/logs/keys").status == 404)
    }

    @Test("a log that is there refuses, gives way or takes the records")
    func existing() {
        for number in 0..<3 { api.call(.put, "/v1/logs/a/keys/k\(number)?ttl_ms=1000", "\(number)") }
        api.call(.put, "/v1/logs/a/keys/k0?ttl_ms=1000", "\"newest\"")
        let dump = api.dump().text
        let other = API()
        other.call(.put, "/v1/logs/a/keys/k1", "\"mine\"")
        other.call(.put, "/v1/logs/a/keys/own", "\"mine\"")
        let refused = other.load(dump)
        #expect(refused.status == 409)
        #expect(refused.code == "log_exists")
        #expect(refused.json["line"] == .integer(2))
        #expect(other.call(.get, "/v1/logs/a/keys/k1").text == "\"mine\"")
        other.advance(milliseconds: 500)
        let appended = other.load(dump, "append=true")
        #expect(appended.json["logs"]?[0]?["result"] == .string("appended"))
        // Of k0 only what is the newest: the log keeps keys.
        #expect(appended.json["records"] == .integer(3))
        #expect(other.call(.get, "/v1/logs/a/keys/k0").text == "\"newest\"")
        #expect(other.call(.get, "/v1/logs/a/keys/k1").text == "1")
        let records = other.call(.get, "/v1/logs/a/records?last=3").json["records"]
        #expect(records?[0]?["timestamp"] == .integer(API.start))
        #expect(records?[2]?["offset"] == .integer(4))
        other.advance(milliseconds: 500)
        #expect(other.call(.get, "/v1/logs/a/keys/k1").status == 404)
        let replaced = other.load(dump, "replace=true")
        #expect(replaced.json["logs"]?[0]?["result"] == .string("replaced"))
        #expect(other.call(.get, "/v1/logs/a/keys/own").status == 404)
        #expect(other.load(dump, "replace=true&append=true").status == 400)
    }

    @Test("what is appended before a line at fault is told")
    func partly() {
        let lines = (0..<40_000).map { #"{"offset":\#($0),"timestamp":1,"value":"\#($0)"}"# }
        let dump =
            ([
                """
                {"format":"pyralog-dump","version":1}
                {"log":"a","config":{}}
                """
            ] + lines + ["{"]).joined(separator: "\n")
        api.call(.post, "/v1/logs/a/records", "0")
        let answer = api.load(dump, "append=true")
        #expect(answer.status == 400)
        #expect(answer.json["line"] == .integer(40_003))
        #expect(answer.json["applied"] == .string("partial"))
        #expect(api.load(dump).json["applied"] == .string("no"))
    }

    @Test("a log that needs a disk is refused without one, unless another mode is asked for")
    func mode() {
        let dump = """
            {"format":"pyralog-dump","version":1}
            {"log":"a","config":{"mode":"persistent"}}
            {"offset":5,"timestamp":1,"value":1}
            {"complete":true,"logs":1,"records":1}
            """
        let refused = api.load(dump)
        #expect(refused.status == 400)
        #expect(refused.json["field"] == .string("config.mode"))
        #expect(refused.json["detail"]?.stringValue?.contains("mode=memory") == true)
        #expect(api.load(dump, "mode=memory").status == 200)
        let log = api.call(.get, "/v1/logs/a").json
        #expect(log["config"]?["mode"] == .string("memory"))
        #expect(log["config"]?["durability"]?["ack"] == .string("memory"))
        #expect(log["stats"]?["partitions"]?[0]?["tail"] == .integer(6))
    }

    @Test("a producer goes on where it was")
    func producers() {
        let fields = ["Producer-Id": "p", "Producer-Epoch": "3", "Producer-Seq": "0"]
        api.call(.post, "/v1/logs/a/records", "1", fields)
        let other = API()
        #expect(other.load(api.dump().text).status == 200)
        #expect(other.call(.post, "/v1/logs/a/records", "1", fields).status == 200)
        #expect(
            other.call(.post, "/v1/logs/a/records", "1", fields.merging(["Producer-Epoch": "2"]) { $1 }).code
                == "producer_fenced")
        #expect(
            other.call(.post, "/v1/logs/a/records", "2", fields.merging(["Producer-Seq": "1"]) { $1 }).status
                == 201)
    }

    @Test("values as deep as they may be, and texts of escapes, come back")
    func extremes() {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        api.call(.put, "/v1/logs/a/keys/deep", deep)
        let control = String(repeating: "\u{1}", count: 2 << 20)
        api.call(.put, "/v1/logs/a/keys/control", control, ["Content-Type": "text/plain"])
        for accept in ["application/json", "application/x-ndjson"] {
            let dump = api.dump(accept: accept).text
            #expect(dump.utf8.count < 3 << 20)
            let other = API()
            // The type is found out by looking.
            #expect(other.load(dump, "", [:]).status == 200)
            #expect(other.content("a") == api.content("a"))
        }
    }

    @Test("HEAD says what would come; other types are refused")
    func forms() {
        #expect(api.call(.head, "/v1/dump").status == 200)
        #expect(api.dump(accept: "text/csv").status == 406)
        #expect(api.load("", "", ["Content-Type": "text/csv"]).status == 415)
        #expect(api.load("x", "", API.lines.merging(["Idempotency-Key": "k"]) { $1 }).status == 400)
        #expect(api.load("x", "bad=1").code == "unknown_field")
        #expect(api.dump().text.split(separator: "\n").count == 2)
        #expect(api.load(api.dump().text).json["records"] == .integer(0))
    }
}
