import Foundation
import Testing

@testable import ObjectStorage

@Suite("Objects on a server that checks signatures")
struct S3ServerTests {
    let servers: ObjectServers

    init() throws { servers = try ObjectServers.plain.get() }

    @Test(
        "what is put is got, whole and in ranges, and is gone when it is deleted",
        arguments: [0, 1, 1_000_003])
    func roundTrip(length: Int) throws {
        let store = try servers.store("round/\(length)")
        let bytes = pattern(length)
        #expect(try store.size(of: "a/b") == nil)
        #expect(throws: ObjectStoreFailure.self) { try store.whole("a/b") }
        try store.put("a/b", ObjectSource(bytes: bytes))
        #expect(servers.stored("round/\(length)/a/b") == bytes)
        #expect(try store.size(of: "a/b") == length)
        #expect(try store.whole("a/b") == bytes)
        #expect(try store.bytes(of: "a/b", bytesMax: length) == bytes)
        if length > 10 {
            #expect(try store.whole("a/b", range: 5..<length - 1) == Array(bytes[5..<length - 1]))
            let failure = #expect(throws: ObjectStoreFailure.self) { try store.bytes(of: "a/b", bytesMax: 9) }
            #expect(failure?.kind == .refused)
        }
        for range in [0..<length + 1, length..<length + 5] {
            let failure = #expect(throws: ObjectStoreFailure.self) { try store.whole("a/b", range: range) }
            #expect(failure?.kind == .corrupt)
        }
        try store.delete("a/b")
        try store.delete("a/b")
        #expect(try store.size(of: "a/b") == nil)
        #expect(try store.keys() == [])
    }

    @Test("a key may have any characters that are text")
    func keys() throws {
        let store = try servers.store("keys/with space+é")
        let keys = [
            "a b", "a+b", "a&b<c>\"d'", "é/日本", "100%25", "x=1?y#z", "semi;colon,comma", "~tilde(1)*!@$:",
            "..a",
        ]
        for key in keys { try store.put(key, ObjectSource(bytes: Array(key.utf8))) }
        for key in keys { #expect(try store.whole(key) == Array(key.utf8), "\(key)") }
        let listed = try store.keys()
        #expect(listed.map { Array($0.utf8) } == keys.sorted(by: ObjectKey.precedes).map { Array($0.utf8) })
        #expect(try store.keys("a ") == ["a b"])
        for key in keys { try store.delete(key) }
        #expect(try store.keys() == [])
    }

    @Test("a list of more objects than a page has is whole, in order, with sizes and times")
    func pages() throws {
        let store = try servers.store("pages")
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            for number in stride(from: worker, to: 1005, by: 4) {
                #expect(throws: Never.self) {
                    try store.put("n/\(10_000 + number)", ObjectSource(bytes: [UInt8(number & 255), 1]))
                }
            }
        }
        var entries: [ObjectEntry] = []
        var pages = 0
        try store.list(prefix: "n/1") { page in
            entries += page
            pages += 1
        }
        #expect(pages == 2)
        #expect(entries.map(\.key) == (0..<1005).map { "n/\(10_000 + $0)" })
        #expect(entries.allSatisfy { $0.bytes == 2 && $0.modified ?? 0 > 1_700_000_000_000 })
        struct Enough: Error {}
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.list(prefix: "") { _ in throw Enough() }
        }
        #expect(failure?.kind == .receiver && failure?.cause is Enough)
    }

    @Test("a wrong secret is told from other trouble, without a second attempt, and without the secret")
    func denied() throws {
        let store = try servers.store("denied") { $0.secretAccessKey = "a/wrong+secret" }
        for call in [
            { try store.put("k", ObjectSource(bytes: [1])) }, { _ = try store.whole("k") },
            { _ = try store.keys() },
            { _ = try store.size(of: "k") }, { try store.delete("k") },
        ] {
            let failure = try #require(throws: ObjectStoreFailure.self) { try call() }
            #expect(failure.kind == .denied)
            #expect(failure.description.contains("s3://bucket/denied"))
            #expect(failure.description.contains("AWS_ACCESS_KEY_ID"))
            #expect(!failure.description.contains("wrong+secret"))
        }
    }

    @Test("a bucket that is not there is said to be the trouble")
    func noBucket() throws {
        let store = try S3Store(bucket: "no-bucket", prefix: "", servers.configuration())
        let failure = #expect(throws: ObjectStoreFailure.self) { try store.keys() }
        #expect(failure?.kind == .refused)
        #expect(failure?.description.contains("make the bucket") == true)
    }

    @Test("a large object goes in parts and comes back the same")
    func parts() throws {
        let store = try servers.store("parts", isProxied: true)
        let length = S3Store.singleBytesMax + (3 << 20) + 1
        try servers.fault("status", path: "/parts/large.*partNumber=3", ["status": 500])
        try servers.fault("flip-upload", path: "/parts/large.*partNumber=4")
        let block = pattern(1 << 16)
        let source = ObjectSource(length: length) { offset, buffer in
            for index in buffer.indices { buffer[index] = block[(offset + index) & 0xFFFF] }
        }
        try store.put("large", source)
        // This server gives an upload up after a part that was damaged on its way: it begins again.
        #expect(try servers.count("POST", "/parts/large.*uploads=") == 2)
        #expect(try servers.count("PUT", "/parts/large.*partNumber=3") == 3)
        let range = (32 << 20) - 5..<(32 << 20) + 100
        #expect(try store.whole("large", range: range) == range.map { block[$0 & 0xFFFF] })
        #expect(try store.size(of: "large") == length)
    }

    @Test("a large object whose last step fails is not there, and its parts are given up")
    func failedParts() throws {
        let store = try servers.store("failed-parts", isProxied: true)
        try servers.fault(
            "error-200", path: "failed-parts/large.uploadId", ["method": "POST", "times": 99])
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.put(
                "large",
                ObjectSource(length: S3Store.singleBytesMax + 1) { _, buffer in
                    buffer.initializeMemory(as: UInt8.self, repeating: 7)
                })
        }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.description.contains("made up") == true)
        #expect(servers.stored("failed-parts/large") == nil)
        #expect(try servers.count("DELETE", "failed-parts/large.uploadId") == 1)
    }
}

@Suite("Objects on a server with a certificate of its own, by the bucket's name")
struct EncryptedS3Tests {
    let servers: ObjectServers

    init() throws { servers = try ObjectServers.encrypted.get() }

    private func store(_ prefix: String, change: (inout S3Configuration) -> Void) throws -> S3Store {
        try servers.store(prefix) { configuration in
            configuration.endpoint = "https://localhost:\(servers.places.port)"
            configuration.usesPathStyle = false
            change(&configuration)
        }
    }

    @Test("an authority that is named is trusted")
    func trusted() throws {
        let store = try store("trusted") { $0.authoritiesFile = servers.places.authorityFile }
        try store.put("a b", ObjectSource(bytes: pattern(70_000)))
        #expect(servers.stored("trusted/a b") == pattern(70_000))
        #expect(try store.whole("a b", range: 1..<70_000) == Array(pattern(70_000)[1...]))
        #expect(try store.keys() == ["a b"])
    }

    @Test("without it the server is not talked to, and the message says what to do")
    func untrusted() throws {
        let store = try store("untrusted") { _ in }
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.put("a", ObjectSource(bytes: [1]))
        }
        #expect(failure?.kind == .refused)
        #expect(failure?.description.contains("AWS_CA_BUNDLE") == true)
        #expect(servers.stored("untrusted/a") == nil)
    }

    @Test("a file of authorities that is not there is named")
    func missingFile() throws {
        let store = try store("missing") { $0.authoritiesFile = "/does/not/exist.pem" }
        let failure = #expect(throws: ObjectStoreFailure.self) { try store.keys() }
        #expect(failure?.kind == .refused)
        #expect(failure?.description.contains("/does/not/exist.pem") == true)
    }
}
