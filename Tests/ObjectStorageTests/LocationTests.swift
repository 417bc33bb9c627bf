import Testing

@testable import ObjectStorage

@Suite("Where a store is")
struct LocationTests {
    @Test(
        "a directory, a file URL and a bucket are understood, and written in one way",
        arguments: [
            ("/data", "/data"), ("/data/", "/data"), ("//data///b/", "/data/b"), ("/", "/"),
            ("file:///data/a b", "/data/a b"), ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("s3://my.bucket-1/a/b/", "s3://my.bucket-1/a/b"), ("s3://bucket/é +%", "s3://bucket/é +%"),
        ])
    func understood(text: String, written: String) throws {
        #expect(try ObjectLocation(text).description == written)
    }

    @Test(
        "anything else is refused, and the message says what there is",
        arguments: [
            "", "data", "./data", "/data/../etc", "/data/.", "file://host/data", "file:///a%20b", "s3://",
            "s3://ab", "s3:///prefix", "s3://Bucket", "s3://user@bucket", "s3://bucket/../other", "s3://b..t",
            "s3://-bucket", "http://bucket/a", "S3://bucket", "/data/a\u{0}b", "s3://bucket/a\nb",
        ])
    func refused(text: String) throws {
        let failure = #expect(throws: ObjectStoreFailure.self) { try ObjectLocation(text) }
        #expect(failure?.kind == .invalid)
    }

    @Test(
        "what is below a place is told by whole segments",
        arguments: [
            ("/data", "/data", true), ("/data/a", "/data", true), ("/data-x", "/data", false),
            ("/dat", "/data", false), ("/data", "/", true), ("/data", "/data/a", false),
            ("s3://bucket/a", "s3://bucket", true), ("s3://bucket/ab", "s3://bucket/a", false),
            ("s3://bucket2/a", "s3://bucket", false), ("/bucket", "s3://bucket", false),
        ])
    func within(place: String, top: String, isWithin: Bool) throws {
        #expect(try ObjectLocation(place).isWithin(ObjectLocation(top)) == isWithin)
    }

    @Test(
        "a key cannot leave its place, and cannot be one that a store or a list would change",
        arguments: [
            "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\nb", "a\u{0}b", "\u{7F}",
            String(repeating: "k", count: 1025), String(repeating: "k", count: 256), ".pyralog-put-1",
        ])
    func keys(key: String) {
        #expect(ObjectKey.problem(with: key) != nil)
    }

    @Test(
        "other text is a key", arguments: ["a", "a/b", "...", "a b+c&<é>'\"%?#", "日本/語", ".hidden", "a..b"])
    func goodKeys(key: String) {
        #expect(ObjectKey.problem(with: key) == nil)
    }
}
