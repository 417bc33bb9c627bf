import HTTPClient
import Platform

/// Whether the server compares the checksums that come with what is stored.
///
/// There are servers that keep a checksum as they were told it and give it back: their word for it proves nothing.
final class ChecksumTrust: Sendable {
    private let answer = Lock<Bool?>(nil)

    var known: Bool? { answer.withLock { $0 } }
    func note(_ doesCheck: Bool) { answer.withLock { $0 = doesCheck } }
}

extension S3Store {
    /// Finds out, once for a store: an object of one byte with a wrong checksum has to be refused.
    ///
    /// - Returns: false also when it cannot be found out; then everything is read back.
    func doesServerCheck() throws(ObjectStoreFailure) -> Bool {
        if let known = checksums.known { return known }
        let key = ObjectKey.probePrefix + String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let response: ClientResponse
        let body: [UInt8]
        do throws(S3Trouble) {
            (response, body) = try exchange(probe(key), key)
        } catch {
            if case .final(let failure) = error, failure.kind == .cancelled { throw failure }
            return false
        }
        if response.status == 200 {
            checksums.note(false)
            // If it fails a byte stays that is in no list.
            _ = try? exchange(request("DELETE", address.url(of: key)), key)
            return false
        }
        let code = S3Error(body)?.code ?? ""
        let isRefusal = response.status == 400 && (code.contains("Digest") || code.contains("Checksum"))
        if isRefusal { checksums.note(true) }
        return isRefusal
    }

    private func probe(_ key: String) -> ClientRequest {
        let digest = DigestText.hexadecimal(SHA256.digest(of: [0]))
        var request = request("PUT", address.url(of: key), payloadDigest: digest)
        request.fields.append(("x-amz-checksum-sha256", DigestText.base64(SHA256.digest(of: [1]))))
        request.fields.append(("Content-Type", "application/octet-stream"))
        request.body = .pieces(length: 1) { _, buffer in buffer.initializeMemory(as: UInt8.self, repeating: 0)
        }
        return request
    }
}
