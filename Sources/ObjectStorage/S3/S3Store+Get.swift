import HTTPClient

extension S3Store {
    /// As much is worth as many attempts as there are at the beginning.
    private static let progressBytes = 1 << 20

    package func get(
        _ key: String, range: Range<Int>?, _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws(ObjectStoreFailure) {
        try check(key)
        if let range, range.isEmpty { return }
        var download = Download(position: range?.lowerBound ?? 0, end: range?.upperBound)
        var retries = Retries(configuration.retries, clock)
        while true {
            if isCancelled() { throw ObjectStoreFailure(.cancelled, location, key, "it was cancelled") }
            let before = download.position
            let said: String
            let retryAfterSeconds: Int?
            do throws(S3Trouble) {
                return try attempt(key, &download, receive)
            } catch {
                switch error {
                case .passing(let words, let seconds): (said, retryAfterSeconds) = (words, seconds)
                case .code("InvalidRange", _):
                    if range == nil, before == 0, try size(of: key) == 0 { return }
                    throw try beyondEnd(key, before)
                case .code(_, let failure), .final(let failure): throw failure
                }
            }
            if download.position - before >= Self.progressBytes { retries.restart() }
            try wait(&retries, said, retryAfterSeconds, key)
        }
    }

    /// The object has no such byte.
    private func beyondEnd(_ key: String, _ position: Int) throws(ObjectStoreFailure) -> ObjectStoreFailure {
        let bytes = try size(of: key).map { "it has \($0) bytes" } ?? "it is gone"
        return ObjectStoreFailure(
            .corrupt, location, key, "\(bytes), and those from \(position) on are wanted")
    }

    /// From where the last attempt ended.
    private func attempt(
        _ key: String, _ download: inout Download,
        _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws(S3Trouble) {
        var request = request("GET", address.url(of: key))
        // The whole object too, since the answer then says how long that is apart from how long the answer is.
        let last = download.end.map { "\($0 - 1)" } ?? ""
        request.fields.append(("Range", "bytes=\(download.position)-\(last)"))
        if let entityTag = download.entityTag { request.fields.append(("If-Match", entityTag)) }
        request.limits.bytesPerSecondMin = 1024
        var errorBody: [UInt8] = []
        var isChecked = false
        var problem: S3Trouble?
        let response: ClientResponse
        do {
            response = try transport.send(request) { head, bytes in
                guard (200..<300).contains(head.status) else {
                    errorBody.append(contentsOf: bytes.prefix(65_536 - errorBody.count))
                    return errorBody.count < 65_536
                }
                do throws(S3Trouble) {
                    if !isChecked { try check(head, &download, key) }
                    isChecked = true
                    try hand(bytes, &download, key, receive)
                    return true
                } catch {
                    problem = error
                    return false
                }
            }
        } catch {
            throw trouble(error, key)
        }
        if let problem { throw problem }
        if response.status == 412 {
            throw .final(ObjectStoreFailure(.corrupt, location, key, "it was replaced while it was read"))
        }
        guard (200..<300).contains(response.status) else { throw trouble(response, errorBody, key) }
        if !isChecked { try check(response, &download, key) }
        guard download.position == download.end else {
            throw .passing("the answer ended at byte \(download.position) of \(download.end ?? 0)")
        }
    }

    /// Whether an answer is of the bytes that were asked for, and of the object that the attempts before were of.
    private func check(_ head: ClientResponse, _ download: inout Download, _ key: String) throws(S3Trouble) {
        let entityTag = head.field("ETag")
        if let known = download.entityTag, let entityTag, known != entityTag {
            throw .final(ObjectStoreFailure(.corrupt, location, key, "it was replaced while it was read"))
        }
        download.entityTag = download.entityTag ?? entityTag
        let length = head.field("Content-Length").flatMap { Int($0) }
        guard let text = head.field("Content-Range") else {
            // The whole object, of a server without ranges; or all there is of an empty one.
            guard download.position == 0, let length, download.end == nil || download.end == length else {
                throw .final(
                    ObjectStoreFailure(.refused, location, key, "the server does not give ranges of objects"))
            }
            download.end = length
            return
        }
        guard let range = ContentRange(text), range.first == download.position else {
            throw .passing(
                "the answer is of other bytes than were asked for: Content-Range \(text.prefix(100))")
        }
        if let end = download.end, range.end < min(end, range.total ?? end) {
            throw .passing("the answer is of fewer bytes than were asked for")
        }
        if let end = download.end, let total = range.total, total < end {
            throw .final(
                ObjectStoreFailure(
                    .corrupt, location, key, "it has \(total) bytes, and those up to \(end) are wanted"))
        }
        download.end = download.end ?? range.total ?? range.end
    }

    private func hand(
        _ bytes: UnsafeRawBufferPointer, _ download: inout Download, _ key: String,
        _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws(S3Trouble) {
        guard let end = download.end, bytes.count <= end - download.position else {
            throw .passing("the answer has more bytes than were asked for")
        }
        do {
            try receive(bytes)
        } catch {
            throw .final(ObjectStoreFailure(.receiver, location, key, "\(error)", cause: error))
        }
        download.position += bytes.count
    }
}

/// How far the bytes of an object have been handed on.
private struct Download {
    var position: Int
    /// Nil: not known before the first answer.
    var end: Int?
    /// Of the first answer; all others have to be of the same object.
    var entityTag: String?
}

/// `bytes 0-4/10`.
struct ContentRange: Equatable {
    let first: Int
    /// After the last byte.
    let end: Int
    let total: Int?

    init?(_ text: String) {
        guard text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst("bytes ".count).split(separator: "/")
        guard parts.count == 2 else { return nil }
        let bounds = parts[0].split(separator: "-").compactMap { Int($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1], bounds[1] < Int.max else { return nil }
        first = bounds[0]
        end = bounds[1] + 1
        total = Int(parts[1])
        if let total, total < end { return nil }
    }
}
