import HTTPClient
import Platform

extension S3Store {
    /// More goes in parts, so that an attempt that fails does not begin at the first byte.
    static let singleBytesMax = 64 << 20
    /// Uploads, each of them proved, before the store is taken to be damaged.
    private static let uploadsMax = 3

    package func put(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure) {
        try check(key)
        var failure = ObjectStoreFailure(.unavailable, location, key, "")
        for _ in 0..<Self.uploadsMax {
            let proof =
                source.length > Self.singleBytesMax
                ? try uploadInParts(key, source) : try upload(key, source)
            guard let proof else {
                failure = ObjectStoreFailure(
                    .unavailable, location, key,
                    "the server gave the upload up before it was finished, \(Self.uploadsMax) times")
                continue
            }
            guard let problem = try verify(key, source.length, proof) else { return }
            failure = ObjectStoreFailure(
                .corrupt, location, key,
                "\(problem), also after \(Self.uploadsMax) uploads that the server took: do not trust what is under this key"
            )
        }
        throw failure
    }

    private func upload(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure) -> UploadProof {
        let digests = try digests(of: source, 0..<source.length, key)
        _ = try repeating(key) { () throws(S3Trouble) in
            try send(source, 0..<source.length, digests, to: address.url(of: key), key)
        }
        return UploadProof(sha256: digests.sha256, checksum: DigestText.base64(digests.sha256))
    }

    /// Sends a range as the body of a PUT.
    func send(
        _ source: ObjectSource, _ range: Range<Int>, _ digests: BodyDigests, to url: String, _ key: String
    ) throws(S3Trouble) -> ClientResponse {
        var request = request("PUT", url, payloadDigest: DigestText.hexadecimal(digests.sha256))
        request.fields.append(("x-amz-checksum-sha256", DigestText.base64(digests.sha256)))
        if let md5 = digests.md5 { request.fields.append(("Content-MD5", DigestText.base64(md5))) }
        request.fields.append(("Content-Type", "application/octet-stream"))
        request.body = .pieces(length: range.count) { offset, buffer in
            try source.read(range.lowerBound + offset, buffer)
        }
        request.limits.bytesPerSecondMin = 1024
        // At a kilobyte a second the largest body takes most of a day: that slow is stalled.
        request.limits.totalSeconds = 300 + range.count / (64 * 1024)
        return try answer(to: request, key).response
    }

    func digests(
        of source: ObjectSource, _ range: Range<Int>, _ key: String,
        whole: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(ObjectStoreFailure) -> BodyDigests {
        var sha256 = SHA256()
        let md5 = DigestContext.md5()
        do {
            try source.forEachPiece(of: range) { _, piece in
                if isCancelled() { throw ObjectStoreFailure(.cancelled, location, key, "it was cancelled") }
                sha256.update(piece)
                md5?.update(piece)
                whole(piece)
            }
        } catch let error as ObjectStoreFailure {
            throw error
        } catch {
            throw ObjectStoreFailure(.source, location, key, "\(error)", cause: error)
        }
        return BodyDigests(sha256: sha256.finish(), md5: md5?.finish())
    }

    /// Compares what is stored with what was sent: by the server's own checksum if it is one that checks, and otherwise by
    /// reading everything back.
    ///
    /// - Returns: what is wrong; nil: nothing.
    private func verify(_ key: String, _ length: Int, _ proof: UploadProof) throws(ObjectStoreFailure)
        -> String?
    {
        guard let head = try head(key) else { return "the object is not there" }
        guard head.bytes == length else { return "the object has \(head.bytes) bytes instead of \(length)" }
        if let checksum = head.checksum, checksum == proof.checksum, try doesServerCheck() { return nil }
        do {
            let stored = try digest(of: key)
            return stored.bytes == length && stored.sha256 == proof.sha256
                ? nil : "the object has other bytes"
        } catch {
            guard error.kind == .notFound || error.kind == .corrupt else { throw error }
            return error.detail
        }
    }
}

/// Digests of a request's body.
struct BodyDigests {
    let sha256: [UInt8]
    let md5: [UInt8]?
}

/// What an object has to be compared with.
struct UploadProof {
    /// Of all bytes.
    let sha256: [UInt8]
    /// As the server gives it: of all bytes, or of the digests of all parts with their number.
    let checksum: String
}
