/// Where snapshots and the archive are kept: objects by key, in a directory or in a bucket of S3.
///
/// A key is UTF-8 text of segments parted by `/`; none is empty, `.` or `..`, and none has control characters.
/// All calls block; any number of threads may make them at once.
package protocol ObjectStore: Sendable {
    /// For messages; there is no secret in it. `s3://bucket/prefix`, or an absolute directory.
    var location: String { get }

    /// Stores an object and proves it: returns only when what is there was compared with what the source gave.
    ///
    /// An object is under its key whole or not at all. When this throws, the key has what it had before or the new object;
    /// after `corrupt` what is there may also be damaged. The source is read more than once.
    func put(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure)

    /// Hands the bytes of a range on, in order and in pieces; nil is the whole object.
    ///
    /// What was handed on stays so when the rest fails: `receive` sees every byte once, and must not trust them before the end.
    /// - Throws: `corrupt` when the object ends before the range does, or was replaced in the meantime.
    func get(_ key: String, range: Range<Int>?, _ receive: (UnsafeRawBufferPointer) throws -> Void)
        throws(ObjectStoreFailure)

    /// In bytes; nil: there is no such object.
    func size(of key: String) throws(ObjectStoreFailure) -> Int?

    /// Hands on all objects whose key begins so, in byte order, in pages that are never empty.
    func list(prefix: String, _ receive: ([ObjectEntry]) throws -> Void) throws(ObjectStoreFailure)

    /// An object that is not there is no failure.
    func delete(_ key: String) throws(ObjectStoreFailure)

    /// The same store; its calls end with `cancelled` soon after `isCancelled` says so, also in the middle of a transfer.
    func cancelled(when isCancelled: @escaping @Sendable () -> Bool) -> any ObjectStore
}

/// An object in a list.
package struct ObjectEntry: Equatable, Sendable {
    package let key: String
    package let bytes: Int
    /// When it was stored, in Unix milliseconds, if the store says so.
    package let modified: Int64?

    package init(key: String, bytes: Int, modified: Int64? = nil) {
        self.key = key
        self.bytes = bytes
        self.modified = modified
    }
}

extension ObjectStore {
    /// The whole object in memory: for small ones.
    ///
    /// - Parameter bytesMax: what is larger is refused.
    package func bytes(of key: String, bytesMax: Int) throws(ObjectStoreFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        let tooLarge = ObjectStoreFailure(
            .refused, location, key, "it has more than the \(bytesMax) bytes that are expected at most")
        do {
            try get(key, range: nil) { piece in
                guard piece.count <= bytesMax - bytes.count else { throw tooLarge }
                bytes.append(contentsOf: piece)
            }
        } catch {
            throw error.cause as? ObjectStoreFailure ?? error
        }
        return bytes
    }

    /// The digest of all bytes that are under the key.
    func digest(of key: String) throws(ObjectStoreFailure) -> (bytes: Int, sha256: [UInt8]) {
        var digest = SHA256()
        var count = 0
        try get(key, range: nil) { piece in
            digest.update(piece)
            count += piece.count
        }
        return (count, digest.finish())
    }
}
