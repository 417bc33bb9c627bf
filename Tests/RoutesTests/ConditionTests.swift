import HTTP
import JSON
import Testing

@Suite("Conditional requests")
struct ConditionTests {
    let api = API()
    let key = "/v1/logs/cache/keys/a"
    static let foreign = "\"0-0-00000000\""

    enum Precondition: Sendable {
        case match(Tags)
        case noneMatch(Tags)
    }

    /// What a condition names, to be resolved against the key's tag.
    enum Tags: Sendable {
        case any, current, weakCurrent, other, otherThenCurrent, unknown

        func text(_ current: String) -> String {
            switch self {
            case .any: "*"
            case .current: current
            case .weakCurrent: "W/\(current)"
            case .other: ConditionTests.foreign
            case .otherThenCurrent: "\(ConditionTests.foreign) , \(current)"
            case .unknown: "\"not-one-of-ours\""
            }
        }
    }

    private func fields(_ precondition: Precondition, _ current: String) -> [String: String] {
        switch precondition {
        case .match(let tags): ["If-Match": tags.text(current)]
        case .noneMatch(let tags): ["If-None-Match": tags.text(current)]
        }
    }

    static let table: [(Precondition, get: Int, put: Int, putMissing: Int)] = [
        (.match(.any), 200, 200, 412), (.match(.current), 200, 200, 412),
        (.match(.weakCurrent), 412, 412, 412),
        (.match(.other), 412, 412, 412), (.match(.otherThenCurrent), 200, 200, 412),
        (.match(.unknown), 412, 412, 412),
        (.noneMatch(.any), 304, 412, 201), (.noneMatch(.current), 304, 412, 201),
        (.noneMatch(.weakCurrent), 304, 412, 201), (.noneMatch(.other), 200, 200, 201),
        (.noneMatch(.otherThenCurrent), 304, 412, 201), (.noneMatch(.unknown), 200, 200, 201),
    ]

    @Test("the table of RFC 9110: a key that is there", arguments: table)
    func present(precondition: Precondition, get: Int, put: Int, putMissing: Int) {
        let current = api.call(.put, key, "1").entityTag
        let conditions = fields(precondition, current)
        let read = api.call(.get, key, "", conditions)
        #expect(read.status == get)
        #expect(api.call(.head, key, "", conditions).status == get)
        if get == 304 {
            #expect(read.body.isEmpty)
            #expect(read.entityTag == current)
        }
        let written = api.call(.put, key, "2", conditions)
        #expect(written.status == put)
        if put == 412 {
            #expect(written.code == "precondition_failed")
            #expect(written.json["current_revision"].map { "\"\($0.stringValue ?? "")\"" } == current)
            #expect(api.call(.get, key).text == "1")
        }
    }

    @Test("the table of RFC 9110: a key that is missing", arguments: table)
    func missing(precondition: Precondition, get: Int, put: Int, putMissing: Int) {
        let current = api.call(.put, key, "1").entityTag
        api.call(.delete, key)
        let conditions = fields(precondition, current)
        #expect(api.call(.get, key, "", conditions).status == 404)
        #expect(api.call(.delete, key, "", conditions).status == 404)
        #expect(api.call(.patch, key, "{}", conditions).status == 404)
        #expect(api.call(.post, key + ":touch", #"{"ttl_ms": 1}"#, conditions).status == 404)
        let written = api.call(.put, key, "2", conditions)
        #expect(written.status == putMissing)
        if putMissing == 412 { #expect(written.json["current_revision"] == .null) }
    }

    @Test(
        "delete, patch, increment and touch take conditions",
        arguments: ["delete", "patch", "increment", "touch"])
    func otherWrites(verb: String) {
        let current = api.call(.put, key, "1").entityTag
        func write(_ fields: [String: String]) -> CollectedResponse {
            switch verb {
            case "delete": api.call(.delete, key, "", fields)
            case "patch": api.call(.patch, key, "{}", fields)
            case "increment": api.call(.post, key + ":increment", "", fields)
            default: api.call(.post, key + ":touch", #"{"ttl_ms": 5}"#, fields)
            }
        }
        let refused = write(["If-Match": Self.foreign])
        #expect(refused.status == 412)
        #expect(refused.entityTag == "none")
        #expect(write(["If-None-Match": current]).status == 412)
        #expect(write(["If-Match": current]).status < 300)
    }

    @Test("both fields at once hold both")
    func both() {
        let current = api.call(.put, key, "1").entityTag
        #expect(api.call(.put, key, "2", ["If-Match": current, "If-None-Match": current]).status == 412)
        #expect(api.call(.put, key, "2", ["If-Match": "*", "If-None-Match": "*"]).status == 412)
        #expect(api.call(.put, key, "2", ["If-Match": current, "If-None-Match": Self.foreign]).status == 200)
    }

    @Test("a revision of another epoch never matches")
    func epoch() {
        let old = api.call(.put, key, "1").entityTag
        api.call(.delete, "/v1/logs/cache")
        api.call(.put, key, "1")
        #expect(api.call(.put, key, "2", ["If-Match": old]).status == 412)
        #expect(api.call(.get, key, "", ["If-None-Match": old]).status == 200)
    }

    @Test(
        "what is no list of quoted tags is 400",
        arguments: ["0-1-00000000", "\"a", "*, \"a\"", "", ",", "\"a\" \"b\"", "w/\"a\""])
    func malformed(tags: String) {
        api.call(.put, key, "1")
        let answer = api.call(.put, key, "2", ["If-Match": tags])
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
    }

    @Test("dates count where there is no tag")
    func dates() {
        let current = api.call(.put, key, "1")
        let modified = api.call(.get, key).field("Last-Modified") ?? ""
        let before = "Mon, 21 Sep 2026 14:13:19 GMT"
        #expect(api.call(.get, key, "", ["If-Modified-Since": modified]).status == 304)
        #expect(api.call(.get, key, "", ["If-Modified-Since": before]).status == 200)
        #expect(api.call(.get, key, "", ["If-Modified-Since": "yesterday"]).status == 200)
        #expect(
            api.call(.get, key, "", ["If-Modified-Since": modified, "If-None-Match": Self.foreign]).status
                == 200)
        #expect(api.call(.put, key, "2", ["If-Unmodified-Since": before]).status == 412)
        #expect(api.call(.get, key, "", ["If-Unmodified-Since": before]).status == 412)
        #expect(
            api.call(.put, key, "2", ["If-Unmodified-Since": before, "If-Match": current.entityTag]).status
                == 200)
        #expect(api.call(.put, key, "2", ["If-Unmodified-Since": modified]).status == 200)
    }
}
