import Platform

/// What an object of an archive holds, for who has neither the server that wrote it nor its directory.
package struct ArchiveContent: Sendable {
    package struct Piece: Sendable {
        package let partition: Int
        package let offsets: Range<Int64>
        package let timestamps: ClosedRange<Int64>
        /// In the object.
        package let range: Range<Int>
        package let checksum: UInt64

        /// Of bytes that claim to be this piece.
        package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
            bytes.count == range.count && SegmentFormat.checksum(bytes) == checksum
        }
    }

    package let log: String
    /// Of two logs with the same name, the one that was made later has the higher one.
    package let logNumber: UInt64
    package let configuration: LogConfiguration
    package let pieces: [Piece]

    package static let trailerBytes = ArchiveFormat.trailerBytes
    private static let suffix = ".arc"

    /// Whether an object is called like one of an archive.
    package static func isName(_ key: String) -> Bool {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false).suffix(2)
        guard parts.count == 2, let log = parts.first, let object = parts.last, object.hasSuffix(suffix)
        else {
            return false
        }
        return [log, object.dropLast(suffix.count)].allSatisfy {
            $0.utf8.count == 16 && UInt64($0, radix: 16) != nil
        }
    }

    /// The part of an object's key that all objects of one data directory have before it.
    package static func space(ofKey key: String) -> String {
        key.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    }

    /// Where in an object that is so long its index lies.
    /// - Parameter trailer: its last `trailerBytes`.
    package static func index(
        of trailer: UnsafeRawBufferPointer, objectBytes: Int
    ) throws(SnapshotDamage) -> Range<Int> {
        do throws(BinaryReader.Malformed) {
            return try ArchiveFormat.Trailer(decoding: trailer, objectBytes: objectBytes).index
        } catch {
            throw SnapshotDamage("does not end as an object of an archive does")
        }
    }

    /// Total: any bytes may come.
    package init(
        index: UnsafeRawBufferPointer, trailer: UnsafeRawBufferPointer, objectBytes: Int
    ) throws(SnapshotDamage) {
        do throws(BinaryReader.Malformed) {
            let end = try ArchiveFormat.Trailer(decoding: trailer, objectBytes: objectBytes)
            let content = try ArchiveFormat.index(index, end)
            log = content.log.name
            logNumber = content.log.id.rawValue
            configuration = content.log.configuration
            pieces = content.entries.map { entry in
                Piece(
                    partition: entry.partition, offsets: entry.base..<entry.endOfRange,
                    timestamps: entry.timestamps, range: entry.position..<entry.position + entry.bytes,
                    checksum: entry.checksum)
            }
        } catch {
            throw SnapshotDamage("has an index that is not valid")
        }
    }
}
