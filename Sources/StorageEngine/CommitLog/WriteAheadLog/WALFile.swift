import Platform

/// The file that is being written, by one thread.
struct WALFile {
    private let file: any OpenFile
    private let header: WALFileHeader
    private(set) var position = WALFormat.headerBytes
    private var previous: UInt64
    private(set) var last: LSN

    var path: String { file.path }
    let number: UInt64
    var fileBytes: Int { header.fileBytes }
    var first: LSN { header.first }

    /// Begins a file that is filled with zeros. Its header is durable before anything else is written to it.
    init(_ blank: BlankWALFile, first: LSN) throws(FileFailure) {
        file = blank.file
        number = blank.number
        header = WALFileHeader(salt: UInt64.random(in: 1...UInt64.max), first: first, fileBytes: blank.bytes)
        last = LSN(rawValue: first.rawValue - 1)
        let buffer = ByteBuffer()
        header.encode(to: buffer)
        previous = WALFrameHeader.checksum(of: buffer.bytes)
        try file.write(buffer.bytes, at: 0)
        try file.synchronise()
    }

    var roomBytes: Int { header.fileBytes - position }

    /// Beside the frame that will name the next file.
    func hasRoom(forPayload bytes: Int) -> Bool {
        position + WALFormat.frameBytes(payload: bytes) + WALFormat.headerBytes <= header.fileBytes
    }

    /// The last frame: it says which file goes on. Durable when this returns.
    mutating func close(next: WALFile, synchronised: LSN) throws(FileFailure) {
        let buffer = ByteBuffer()
        buffer.appendZeros(WALFormat.headerBytes)
        try write(buffer, synchronised: synchronised, nextFile: next.number)
        try file.synchronise()
    }

    /// Writes one frame; it is durable after `synchronise`.
    ///
    /// - Parameter buffer: a header's room and the payload; both are changed.
    /// - Precondition: there is room for it.
    mutating func write(
        _ buffer: ByteBuffer, synchronised: LSN, nextFile: UInt64 = 0
    ) throws(FileFailure) {
        let payloadBytes = buffer.count - WALFormat.headerBytes
        buffer.pad(to: WALFormat.headerBytes)
        precondition(position + buffer.count <= header.fileBytes, "the caller looks for room first")
        let bytes = buffer.mutableBytes
        let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[WALFormat.headerBytes...])
        WALFormat.mask(payload, header.salt)
        let frame = WALFrameHeader(
            payloadBytes: payloadBytes, lsn: last.next, salt: header.salt, previous: previous,
            synchronised: synchronised, payloadChecksum: WALFormat.checksum(UnsafeRawBufferPointer(payload)),
            nextFile: nextFile)
        let checksum = frame.encode(
            to: UnsafeMutableRawBufferPointer(rebasing: bytes[0..<WALFormat.headerBytes]))
        try file.write(buffer.bytes, at: position)
        position += buffer.count
        previous = checksum
        last = frame.lsn
    }

    func synchronise() throws(FileFailure) { try file.synchronise() }
}

/// A file of the write-ahead log before its first use: zeros all through, and on disk.
struct BlankWALFile: Sendable {
    let file: any OpenFile
    let number: UInt64
    let bytes: Int
}
