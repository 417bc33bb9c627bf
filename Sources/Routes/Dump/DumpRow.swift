import JSON
import Platform
import StorageEngine

/// A record of a dump that has been read. Its bytes lie where it was read from, for as long as that is there.
struct DumpRow {
    let line: Int
    let partition: Int
    let offset: Int64
    let key: RecordSlice
    let value: RecordSlice
    /// In the extras of its source.
    let extras: Range<Int>
    let timestamp: Int64
    let arrival: Int64
    /// `Deadline.never` without one.
    let deadline: Int64
    let type: RecordType
    let priority: UInt8
    let isSuperseded: Bool
}

/// Where the bytes of some rows lie.
struct DumpBytes {
    let text: ByteBuffer
    /// A copy of what the parser has decoded.
    let scratch: ByteBuffer
    /// Encoded `RecordExtras` of the rows.
    let extras = ByteBuffer()

    /// Valid while `text` and `scratch` are there and nothing is appended to them.
    func bytes(_ slice: RecordSlice) -> UnsafeRawBufferPointer {
        guard !slice.isAbsent else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = Int(slice.start)
        return UnsafeRawBufferPointer(
            rebasing: (slice.isScratch ? scratch : text).bytes[start..<start + Int(slice.count)])
    }

    func string(_ slice: RecordSlice) -> String { String(decoding: bytes(slice), as: UTF8.self) }
}
