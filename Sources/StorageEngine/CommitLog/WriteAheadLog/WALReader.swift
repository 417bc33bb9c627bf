import Platform

/// Reads the frames of one file. Total: any bytes may be given to it.
///
/// Where the next frame is not valid, three things may be: the file ends there; the last write was torn by a loss of power
/// and never acknowledged; or what was acknowledged is damaged. `ENGINE.md` has the rule: torn is what has a sector that was
/// never written, and nothing behind it that was written after it had been synchronised.
struct WALReader {
    enum Step {
        /// The payload is valid until the next step.
        case frame(WALFrameHeader, UnsafeRawBufferPointer)
        /// Nothing was written from here on.
        case end
        /// The last write was never completed.
        case torn
        case damaged(reason: String)
    }

    let header: WALFileHeader
    private let bytes: UnsafeRawBufferPointer
    /// Of the next frame.
    private(set) var position = WALFormat.headerBytes
    private(set) var next: LSN
    private var previous: UInt64
    private let scratch = ByteBuffer()

    /// - Parameter bytes: of the whole file; they must outlive the reader.
    /// - Throws: `Malformed`, `UnknownVersion`.
    init(_ bytes: UnsafeRawBufferPointer) throws {
        header = try WALFileHeader(decoding: bytes)
        self.bytes = bytes
        next = header.first
        previous = WALFrameHeader.checksum(of: bytes)
    }

    mutating func step() -> Step {
        guard bytes.count >= header.fileBytes else {
            return .damaged(reason: "the file has \(bytes.count) bytes and should have \(header.fileBytes)")
        }
        guard position + WALFormat.headerBytes <= bytes.count else { return .end }
        let place = UnsafeRawBufferPointer(rebasing: bytes[position..<position + WALFormat.headerBytes])
        guard let frame = WALFrameHeader(decoding: place, salt: header.salt) else {
            if !isZero(place) {
                return .damaged(reason: "the header of frame \(next.rawValue) is not valid")
            }
            return isZero(UnsafeRawBufferPointer(rebasing: bytes[position...])) ? .end : afterGap()
        }
        guard frame.lsn == next, frame.previous == previous, position + frame.frameBytes <= bytes.count else {
            return .damaged(reason: "frame \(frame.lsn.rawValue) stands where \(next.rawValue) should")
        }
        let start = position + WALFormat.headerBytes
        let padded = UnsafeRawBufferPointer(rebasing: bytes[start..<position + frame.frameBytes])
        guard WALFormat.checksum(padded) == frame.payloadChecksum else {
            return isTorn(start..<position + frame.frameBytes)
                ? afterGap() : .damaged(reason: "the checksum of frame \(frame.lsn.rawValue) is wrong")
        }
        scratch.removeAll()
        scratch.append(padded)
        WALFormat.mask(scratch.mutableBytes, header.salt)
        position += frame.frameBytes
        next = frame.lsn.next
        previous = WALFrameHeader.checksum(of: place)
        return .frame(frame, UnsafeRawBufferPointer(rebasing: scratch.bytes[0..<frame.payloadBytes]))
    }

    /// Something is missing at `position`: it was never acknowledged, unless a later frame says that it was synchronised.
    private func afterGap() -> Step {
        var place = position + WALFormat.headerBytes
        while place + WALFormat.headerBytes <= bytes.count {
            let candidate = UnsafeRawBufferPointer(rebasing: bytes[place..<place + WALFormat.headerBytes])
            if let frame = WALFrameHeader(decoding: candidate, salt: header.salt), frame.synchronised >= next
            {
                return .damaged(reason: "frame \(next.rawValue) is missing, and later ones are there")
            }
            place += WALFormat.headerBytes
        }
        return .torn
    }

    /// Whether a sector of the range was never written.
    private func isTorn(_ range: Range<Int>) -> Bool {
        var sector = range.lowerBound / WALFormat.sectorBytes * WALFormat.sectorBytes
        while sector < range.upperBound {
            let part = max(sector, range.lowerBound)..<min(sector + WALFormat.sectorBytes, range.upperBound)
            if isZero(UnsafeRawBufferPointer(rebasing: bytes[part])) { return true }
            sector += WALFormat.sectorBytes
        }
        return false
    }
}
