import Platform

/// The limit of a data directory's files, beside the disk's own. What makes room is not held up by it.
final class DiskLimit: Sendable {
    private let allows = Lock<(@Sendable (Int) -> Bool)?>(nil)

    /// - Parameter allows: whether so many bytes more may be used.
    func set(_ allows: @escaping @Sendable (Int) -> Bool) { self.allows.withLock { $0 = allows } }

    /// - Throws: what a full disk says.
    func check(_ bytes: Int, at path: String) throws(FileFailure) {
        if let allows = allows.withLock({ $0 }), !allows(bytes) { throw .noSpace(path) }
    }
}
