import Foundation
import HTTPClient
import Testing

@Suite("Requests to a real socket")
struct ClientConnectionTests {
    @Test("a request arrives as it was made, and its answer comes back whole")
    func exchange() throws {
        let peer = try ScriptedPeer([
            "HTTP/1.1 201 Created\r\nETag: \"1\"\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello"
        ])
        var request = ClientRequest("PUT", "http://127.0.0.1:\(peer.port)/a%2Fb/../c")
        request.fields = [("Content-Type", "text/plain"), ("Authorization", "Bearer x")]
        request.body = .bytes(Array("body".utf8))
        let (response, body) = try ClientConnection().send(request)
        #expect(response.status == 201)
        #expect(response.field("etag") == "\"1\"")
        #expect(response.field("x-empty") == "")
        #expect(response.field("missing") == nil)
        #expect(body == Array("hello".utf8))
        let received = peer.received(0)
        #expect(received.hasPrefix("PUT /a%2Fb/../c HTTP/1.1\r\n"))
        #expect(received.contains("\r\nContent-Type: text/plain\r\n"))
        #expect(received.contains("\r\nAuthorization: Bearer x\r\n"))
        #expect(received.contains("\r\nContent-Length: 4\r\n"))
        #expect(received.hasSuffix("\r\n\r\nbody"))
    }

    @Test("an interim response is not the answer")
    func interim() throws {
        let peer = try ScriptedPeer([
            "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        ])
        let (response, body) = try ClientConnection().send(
            ClientRequest("GET", "http://127.0.0.1:\(peer.port)/"))
        #expect(response.status == 404)
        #expect(response.field("x-interim") == nil)
        #expect(body.isEmpty)
    }

    @Test("a body is sent from an open file")
    func file() throws {
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(Data("from a pipe".utf8))
        try pipe.fileHandleForWriting.close()
        let peer = try ScriptedPeer(["HTTP/1.1 204 No Content\r\n\r\n"])
        var request = ClientRequest("PUT", "http://127.0.0.1:\(peer.port)/")
        request.body = .file(descriptor: pipe.fileHandleForReading.fileDescriptor, length: 11)
        #expect(try ClientConnection().send(request).0.status == 204)
        #expect(peer.received(0).hasSuffix("\r\n\r\nfrom a pipe"))
    }

    @Test("a body is asked for in pieces, in order and no more than there is")
    func pieces() throws {
        let peer = try ScriptedPeer(["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
        var request = ClientRequest("PUT", "http://127.0.0.1:\(peer.port)/")
        let length = 700_001
        request.body = .pieces(length: length) { offset, buffer in
            for index in buffer.indices { buffer[index] = 0x61 + UInt8((offset + index) % 26) }
        }
        // The peer does not say that it wants the body.
        request.fields = [("Expect", "")]
        #expect(try ClientConnection().send(request).0.status == 200)
        let body = peer.received(0).components(separatedBy: "\r\n\r\n")[1]
        #expect(body.utf8.elementsEqual((0..<length).lazy.map { 0x61 + UInt8($0 % 26) }))
    }

    @Test("a body that cannot be read is its reader's failure")
    func unreadable() throws {
        struct Broken: Error {}
        let peer = try ScriptedPeer([""])
        var request = ClientRequest("PUT", "http://127.0.0.1:\(peer.port)/")
        request.body = .pieces(length: 10) { _, _ in throw Broken() }
        let failure = #expect(throws: HTTPClientFailure.self) { try ClientConnection().send(request) }
        #expect(failure?.kind == .body && failure?.cause is Broken)
    }

    @Test("a request is signed over its path, its query and all of its fields, and the secret is not sent")
    func signature() throws {
        let peer = try ScriptedPeer(["HTTP/1.1 204 No Content\r\n\r\n"])
        var request = ClientRequest("GET", "http://127.0.0.1:\(peer.port)/a%20b?x=1")
        request.fields = [("x-amz-content-sha256", "e3b0"), ("Range", "bytes=0-1")]
        request.signature = AWSSignature(
            region: "eu-1", service: "s3", accessKeyID: "KEYID", secretAccessKey: "the:secret")
        #expect(try ClientConnection().send(request).0.status == 204)
        let received = peer.received(0)
        #expect(received.hasPrefix("GET /a%20b?x=1 HTTP/1.1\r\n"))
        #expect(received.contains("Authorization: AWS4-HMAC-SHA256 Credential=KEYID/"))
        #expect(received.contains("/eu-1/s3/aws4_request"))
        #expect(received.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date"))
        #expect(!received.contains("secret,") && !received.contains("the:secret"))
    }

    @Test(
        "cancelling ends a transfer that waits, and a limit ends one that is silent",
        arguments: [true, false])
    func waiting(isCancelled: Bool) throws {
        let peer = try ScriptedPeer(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], holdsSeconds: 4)
        var request = ClientRequest("GET", "http://127.0.0.1:\(peer.port)/")
        let start = ContinuousClock.now
        if isCancelled {
            request.isCancelled = { ContinuousClock.now - start > .milliseconds(100) }
        } else {
            request.limits.silenceSeconds = 1
        }
        let failure = #expect(throws: HTTPClientFailure.self) { try ClientConnection().send(request) }
        #expect(failure?.kind == (isCancelled ? .cancelled : .connection))
        #expect(ContinuousClock.now - start < .seconds(3.5))
    }

    @Test("a receiver that has enough ends the transfer without a failure")
    func stop() throws {
        let peer = try ScriptedPeer(["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nstart"])
        var taken = 0
        let response = try ClientConnection().send(ClientRequest("GET", "http://127.0.0.1:\(peer.port)/")) {
            head, bytes in
            #expect(head.status == 200)
            taken += bytes.count
            return false
        }
        #expect(response.status == 200)
        #expect(taken == 5)
    }

    @Test("a peer that hangs up in the middle is a failure, in libcurl's words")
    func cutOff() throws {
        let peer = try ScriptedPeer(["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nstart"])
        let failure = #expect(throws: HTTPClientFailure.self) {
            try ClientConnection().send(ClientRequest("GET", "http://127.0.0.1:\(peer.port)/"))
        }
        #expect(failure?.description.contains("995 bytes remaining") == true)
    }

    @Test("an address that cannot be used is a failure, in libcurl's words")
    func unusable() throws {
        let connection = try ClientConnection()
        for url in ["http://127.0.0.1:1/", "file:///etc/hostname", "not a url"] {
            let failure = #expect(throws: HTTPClientFailure.self) {
                try connection.send(ClientRequest("GET", url))
            }
            #expect(failure?.description.isEmpty == false)
        }
    }

    @Test("a field with a line break is refused before anything is sent")
    func injection() throws {
        var request = ClientRequest("GET", "http://127.0.0.1:1/")
        request.fields = [("Authorization", "Bearer x\r\nX-Evil: 1")]
        let failure = #expect(throws: HTTPClientFailure.self) { try ClientConnection().send(request) }
        #expect(failure?.description.contains("Authorization") == true)
    }
}
