import Platform

/// Where an archive's objects lie: a seam, so that the engine knows no object store, and tests can make any call fail.
///
/// Every call ends within time limits of the store's own. Safe from any thread.
package protocol ArchiveStore: Sendable {
    /// Where it is, in the one spelling that all spellings of the same place have: what opens it again.
    var location: String { get }
    /// Returns only when the object is there as a whole and was verified. One that is there already is replaced.
    func put(_ key: String, _ bytes: ByteBuffer) throws(ArchiveFailure)
    /// These bytes of the object, all of them.
    func get(_ key: String, _ range: Range<Int>) throws(ArchiveFailure) -> ByteBuffer
    /// The keys that begin with the prefix, in no order.
    func list(_ prefix: String) throws(ArchiveFailure) -> [String]
    /// No failure when there is no such object.
    func delete(_ key: String) throws(ArchiveFailure)
}

/// Why the store did not do it.
package struct ArchiveFailure: Error, Equatable, CustomStringConvertible {
    package let reason: String
    /// There is no such object, or it ends before what was asked for: trying again does not help.
    package let isMissing: Bool

    package init(_ reason: String, isMissing: Bool = false) {
        self.reason = reason
        self.isMissing = isMissing
    }

    package var description: String { reason }
}

/// Opens the store of a location. It must not wait for a network. - Throws: why the location is not allowed, or is none.
package typealias OpenArchive = @Sendable (_ location: String) throws -> any ArchiveStore
