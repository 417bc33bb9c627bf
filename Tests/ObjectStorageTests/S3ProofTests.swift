import HTTPClient
import Testing

@testable import ObjectStorage

@Suite("What proves that S3 has stored an object")
struct S3ProofTests {
    static let text = "what is stored"
    static let checksum = DigestText.base64(SHA256.digest(of: Array(text.utf8)))

    /// A server that keeps one object and gives back the checksum it was told, or `stored` in its place.
    private func server(checks: Bool, stored: String = text) -> ScriptedServer {
        ScriptedServer { seen, _ in
            let isProbe = seen.url.contains(ObjectKey.probePrefix)
            switch seen.method {
            case "PUT" where isProbe && checks: return ScriptedServer.error(400, "BadDigest")
            case "HEAD":
                return .init(fields: [
                    ("Content-Length", "\(Self.text.utf8.count)"), ("x-amz-checksum-sha256", Self.checksum),
                ])
            case "GET":
                return .init(
                    status: 206,
                    fields: [("Content-Range", "bytes 0-\(stored.utf8.count - 1)/\(stored.utf8.count)")],
                    body: stored)
            default: return .init()
            }
        }
    }

    private func put(_ server: ScriptedServer, times: Int = 1) throws {
        let store = try server.store()
        for _ in 0..<times { try store.put("k", ObjectSource(bytes: Array(Self.text.utf8))) }
    }

    @Test("the checksum of a server that has refused a wrong one is enough, and it is tried once")
    func trusted() throws {
        let server = server(checks: true)
        try put(server, times: 2)
        #expect(server.methods == ["PUT", "HEAD", "PUT", "PUT", "HEAD"])
    }

    @Test("the checksum of a server that takes any is not: everything is read back")
    func echoing() throws {
        let server = server(checks: false)
        try put(server, times: 2)
        #expect(server.methods == ["PUT", "HEAD", "PUT", "DELETE", "GET", "PUT", "HEAD", "GET"])
    }

    @Test("an object that reads back otherwise is stored again, and then given up")
    func other() throws {
        let server = server(checks: false, stored: "something else")
        let failure = #expect(throws: ObjectStoreFailure.self) { try put(server) }
        #expect(failure?.kind == .corrupt)
        #expect(
            server.seen.filter { $0.method == "PUT" && !$0.url.contains(ObjectKey.probePrefix) }.count == 3)
    }

    @Test("the digests of what is sent go with it")
    func digests() throws {
        let server = server(checks: true)
        try put(server)
        let put = try #require(server.seen.first)
        #expect(put.fields["x-amz-checksum-sha256"] == Self.checksum)
        #expect(
            put.fields["x-amz-content-sha256"]
                == DigestText.hexadecimal(SHA256.digest(of: Array(Self.text.utf8))))
        #expect(put.fields["Content-MD5"]?.utf8.count == 24)
    }

    @Test("a part that cannot be sent gives the whole upload up")
    func abandoned() throws {
        let server = ScriptedServer { seen, _ in
            if seen.url.contains("uploads=") {
                return .init(
                    body:
                        "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>"
                )
            }
            return seen.url.contains("partNumber=2")
                ? ScriptedServer.error(403, "AccessDenied") : .init(fields: [("ETag", "\"1\"")])
        }
        let source = ObjectSource(length: S3Store.singleBytesMax + 1) { _, _ in }
        let failure = #expect(throws: ObjectStoreFailure.self) { try server.store().put("k", source) }
        #expect(failure?.kind == .denied)
        #expect(server.methods == ["POST", "PUT", "PUT", "DELETE"])
        #expect(server.seen.last?.url == "http://host:9000/bucket/pre%20fix/k?uploadId=u%2F1")
    }

    @Test("parts are large enough that ten thousand hold the object")
    func parts() {
        let limit = 5 << 40
        for length in [(64 << 20) + 1, 156 << 30, 157 << 30, limit] {
            let bytes = S3Store.partBytes(of: length)
            #expect(bytes >= 16 << 20 && bytes % (1 << 20) == 0)
            #expect((length + bytes - 1) / bytes <= 10_000)
        }
    }

    @Test("an object that is replaced while it is read is no object")
    func replaced() throws {
        let server = ScriptedServer { _, number in
            number == 1
                ? .init(
                    status: 206, fields: [("ETag", "\"1\""), ("Content-Range", "bytes 0-9/10")], body: "01234"
                )
                : .init(
                    status: 206, fields: [("ETag", "\"2\""), ("Content-Range", "bytes 5-9/10")], body: "56789"
                )
        }
        let failure = #expect(throws: ObjectStoreFailure.self) { try server.store().whole("k") }
        #expect(failure?.kind == .corrupt)
        #expect(server.seen.map { $0.fields["Range"] } == ["bytes=0-", "bytes=5-9"])
        #expect(server.seen.last?.fields["If-Match"] == "\"1\"")
    }
}
