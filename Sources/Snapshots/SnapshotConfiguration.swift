import ObjectStorage

package struct SnapshotConfiguration: Sendable {
    /// Where snapshots go that do not say.
    package var location: ObjectLocation?
    /// Between the beginnings of two snapshots that are made by themselves; nil: none are.
    package var intervalMilliseconds: Int64?
    /// How many of those that were made by themselves stay.
    package var keep = 7
    /// Requests may name these places and what is below; empty: any.
    package var allowedLocations: [ObjectLocation] = []
    /// Never named by a request: the server's own.
    package var dataDirectory: ObjectLocation?
    /// At most as much is gathered in memory before it is sent.
    package var packBytesMax = 64 << 20
    package init() {}
}
