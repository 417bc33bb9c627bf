import HTTPClient

extension S3Store {
    /// S3's limit.
    private static let partsMax = 10_000
    private static let partBytesMin = 16 << 20

    /// In whole mebibytes, so many that the parts are enough.
    static func partBytes(of length: Int) -> Int {
        let least = (length + partsMax - 1) / partsMax
        return max(partBytesMin, (least + (1 << 20) - 1) / (1 << 20) * (1 << 20))
    }

    /// - Returns: nil: the server has given the upload up, and it has to begin again. Some do so after a damaged part.
    func uploadInParts(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure) -> UploadProof? {
        let uploadID = try begin(key)
        do {
            var whole = SHA256()
            var parts: [Part] = []
            let partBytes = Self.partBytes(of: source.length)
            for start in stride(from: 0, to: source.length, by: partBytes) {
                let range = start..<min(start + partBytes, source.length)
                let digests = try digests(of: source, range, key) { whole.update($0) }
                let part = try upload(source, range, digests, parts.count + 1, uploadID, key)
                guard let part else { return nil }
                parts.append(part)
            }
            try complete(key, uploadID, parts)
            let composite = SHA256.digest(of: parts.flatMap(\.sha256))
            return UploadProof(
                sha256: whole.finish(), checksum: "\(DigestText.base64(composite))-\(parts.count)")
        } catch {
            abort(key, uploadID)
            throw error
        }
    }

    private struct Part {
        let number: Int
        let entityTag: String
        let sha256: [UInt8]
    }

    private func begin(_ key: String) throws(ObjectStoreFailure) -> String {
        try repeating(key) { () throws(S3Trouble) in
            var request = request("POST", address.url(of: key, [("uploads", "")]))
            request.body = .bytes([])
            request.fields.append(("Content-Type", "application/octet-stream"))
            request.fields.append(("x-amz-checksum-algorithm", "SHA256"))
            let body = try answer(to: request, key).body
            var uploadID = ""
            do {
                try XMLReader.read(body) { path, text in
                    if path == ["InitiateMultipartUploadResult", "UploadId"]
                        || path == ["InitiateMultipartUpload", "UploadId"]
                    {
                        uploadID = text
                    }
                }
            } catch {
                throw .passing("the answer cannot be read: \(error)")
            }
            guard !uploadID.isEmpty else { throw .passing("the answer has no UploadId") }
            return uploadID
        }
    }

    private func upload(
        _ source: ObjectSource, _ range: Range<Int>, _ digests: BodyDigests, _ number: Int,
        _ uploadID: String,
        _ key: String
    ) throws(ObjectStoreFailure) -> Part? {
        let url = address.url(of: key, [("partNumber", "\(number)"), ("uploadId", uploadID)])
        let response = try repeating(key) { () throws(S3Trouble) -> ClientResponse? in
            do throws(S3Trouble) {
                return try send(source, range, digests, to: url, key)
            } catch {
                guard case .code("NoSuchUpload", _) = error else { throw error }
                return nil
            }
        }
        guard let response else { return nil }
        guard let entityTag = response.field("ETag") else {
            throw ObjectStoreFailure(.refused, location, key, "the server took a part and gave it no ETag")
        }
        return Part(number: number, entityTag: entityTag, sha256: digests.sha256)
    }

    private func complete(_ key: String, _ uploadID: String, _ parts: [Part]) throws(ObjectStoreFailure) {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text +=
                "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(Self.escaped(part.entityTag))</ETag>"
            text += "<ChecksumSHA256>\(DigestText.base64(part.sha256))</ChecksumSHA256></Part>"
        }
        text += "</CompleteMultipartUpload>"
        let bytes = Array(text.utf8)
        let digest = DigestText.hexadecimal(SHA256.digest(of: bytes))
        try repeating(key) { () throws(S3Trouble) in
            var request = request(
                "POST", address.url(of: key, [("uploadId", uploadID)]), payloadDigest: digest)
            request.body = .bytes(bytes)
            request.fields.append(("Content-Type", "application/xml"))
            // A server may put the parts together before it answers.
            request.limits.silenceSeconds = configuration.stallSeconds * 10
            request.limits.totalSeconds = 900
            do throws(S3Trouble) {
                let body = try answer(to: request, key).body
                guard !body.isEmpty else { throw .passing("the answer is empty") }
            } catch {
                // An attempt before may have been the one, with an answer that was lost: verifying tells.
                guard case .code("NoSuchUpload", _) = error else { throw error }
            }
        }
    }

    /// So that the parts take no room; if this fails the bucket's own rule for unfinished uploads has to do it.
    private func abort(_ key: String, _ uploadID: String) {
        var request = request("DELETE", address.url(of: key, [("uploadId", uploadID)]))
        // Also when it was cancelled, but not for long.
        request.isCancelled = nil
        request.limits.connectSeconds = min(3, configuration.connectSeconds)
        request.limits.totalSeconds = 5
        // The failure that led here is the one to tell.
        _ = try? answer(to: request, key)
    }

    static func escaped(_ text: String) -> String {
        String(
            decoding: text.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "&"): Array("&amp;".utf8)
                case UInt8(ascii: "<"): Array("&lt;".utf8)
                case UInt8(ascii: ">"): Array("&gt;".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
    }
}
