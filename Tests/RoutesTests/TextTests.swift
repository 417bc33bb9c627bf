import Platform
import StorageEngine
import Testing

@testable import Routes

@Suite("Texts of header fields")
struct TextTests {
    @Test(
        "dates are written and read by RFC 9110",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_790_000_000, "Mon, 21 Sep 2026 14:13:20 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, text: String) {
        #expect(written { HTTPDate.write(seconds: seconds, to: &$0) } == text)
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test("every day of four centuries is the day after the one before")
    func days() {
        var expected = CivilDate.days(year: 1970, month: 1, day: 1)
        #expect(expected == 0)
        while expected < 146_097 {
            let (year, month, day) = CivilDate.date(days: expected)
            #expect(CivilDate.days(year: year, month: month, day: day) == expected)
            expected += 1
        }
        #expect(CivilDate.date(days: 146_097) == (2370, 1, 1))
    }

    @Test(
        "what is no date is none",
        arguments: [
            "", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08-49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
        ])
    func noDates(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }

    @Test("dates out of range are moved into it")
    func bounds() {
        #expect(written { HTTPDate.write(seconds: .min, to: &$0) } == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(written { HTTPDate.write(seconds: .max, to: &$0) } == "Fri, 31 Dec 9999 23:59:59 GMT")
    }

    @Test(
        "a revision reads the same in fields and in the engine",
        arguments: [
            (0, 0, 1), (255, Int64.max, UInt32.max), (7, 1_000_000, 0x00ab_cdef), (10, 9, 0x8000_0000),
        ] as [(Int, Int64, UInt32)])
    func revisions(partition: Int, offset: Int64, epoch: UInt32) {
        let revision = Revision(
            partition: partition, offset: Offset(offset), epoch: Epoch(rawValue: epoch))
        #expect(revision.fieldText == revision.text)
        #expect(written { revision.writeEntityTag(to: &$0) } == "\"\(revision.text)\"")
        #expect(Revision(parsing: revision.fieldText) == revision)
    }

    @Test("entity tags are read strictly")
    func entityTags() {
        #expect(EntityTags(parsing: "*") == .any)
        #expect(EntityTags(parsing: " * ") == .any)
        let revision = Revision(partition: 0, offset: Offset(1), epoch: Epoch(rawValue: 2))
        #expect(
            EntityTags(parsing: "\"0-1-00000002\", ,W/\"0-1-00000002\" ,\"x,y\"")
                == .list([
                    .init(revision: revision, isWeak: false), .init(revision: revision, isWeak: true),
                    .init(revision: nil, isWeak: false),
                ]))
        for text in [
            "\"0-01-00000002\"", "\"+0-1-00000002\"", "\"0-1-0000000A\"", "\"0-1-2\"", "\"0-1-00000002 \"",
        ] {
            #expect(EntityTags(parsing: text)?.strongRevisions.isEmpty != false)
        }
        for text in ["", ",", "a", "\"a", "a\"", "\"a\"\"b\"", "W\"a\"", "*,*", "\"a\", *"] {
            #expect(EntityTags(parsing: text) == nil)
        }
    }

    @Test("media types are read by their grammar")
    func mediaTypes() {
        let type = MediaType(parsing: "Text/HTML ; Charset=\"UTF-8\"; q=0.5;")
        #expect(type?.essence == "text/html")
        #expect(type?.charset == "utf-8")
        #expect(type?.parameters.count == 2)
        for text in [
            "", "text", "text/", "/html", "text/html; charset", "text/html; =a", "text /html", "a/b/c",
            "text/html;a=\"b",
        ] {
            #expect(MediaType(parsing: text) == nil)
        }
    }

    @Test("Accept picks what is liked best")
    func accept() {
        let types = ["application/json", "application/x-ndjson"]
        #expect(Accept("").best(of: types) == "application/json")
        #expect(Accept("application/x-ndjson").best(of: types) == "application/x-ndjson")
        #expect(Accept("application/*;q=0.2, application/x-ndjson").best(of: types) == "application/x-ndjson")
        #expect(Accept("*/*, application/json;q=0").best(of: types) == "application/x-ndjson")
        #expect(Accept("text/html").best(of: types) == nil)
        #expect(Accept("nonsense, */*;q=0.1").best(of: types) == "application/json")
    }

    @Test("times are Unix milliseconds or RFC 3339, and nothing else")
    func timestamps() {
        #expect(Timestamp.parse("1790000000000") == 1_790_000_000_000)
        #expect(Timestamp.parse("-1") == -1)
        #expect(Timestamp.parse("1970-01-01T01:00:00.5+01:00") == 500)
        for text in ["", "+1", " 1", "1.5", "1e3", "9999999999999999", "2026-13-01T00:00:00Z", "2026-01-01"] {
            #expect(Timestamp.parse(text) == nil)
        }
    }

    private func written(_ write: (inout TextCursor) -> Void) -> String {
        String(decoding: [UInt8](bytesMax: 64, write), as: UTF8.self)
    }
}
