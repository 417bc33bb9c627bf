import Platform

/// The layout of a write-ahead log file. `docs/formats/wal.md` draws it.
///
/// A file is filled with zeros and synchronised before it is used, so it never changes its size. A header is followed by
/// frames, each of which is what one write brought: whole entries, acknowledged together or not at all. Payloads are
/// masked with the file's salt, so that no sector that was written is all zero: a zero sector was never written.
enum WALFormat {
    static let magic: UInt64 = 0x314C_4157_4152_5950  // "PYRAWAL1"
    static let frameMagic: UInt32 = 0x4D52_4650  // "PFRM"
    static let version: UInt32 = 1
    /// Of the file and of each frame. A header lies within one sector, so it is there or it is not.
    static let headerBytes = 64
    static let sectorBytes = 512

    /// What a frame takes in its file.
    static func frameBytes(payload: Int) -> Int {
        headerBytes + (payload + headerBytes - 1) / headerBytes * headerBytes
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { xxh3(bytes, seed: 0) }

    /// Its own inverse. - Precondition: the length is a multiple of 8.
    static func mask(_ bytes: UnsafeMutableRawBufferPointer, _ salt: UInt64) {
        bytes.withMemoryRebound(to: UInt64.self) { words in
            let mask = salt.littleEndian
            for index in words.indices { words[index] ^= mask }
        }
    }
}

/// Counts frames of the write-ahead log from 1 on, across files.
struct LSN: RawRepresentable, Comparable, Hashable, Sendable {
    let rawValue: UInt64
    static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
    static let zero = LSN(rawValue: 0)
    var next: LSN { LSN(rawValue: rawValue &+ 1) }
}

struct WALFileHeader: Equatable {
    /// Random and not 0; in every frame of the file, so that no bytes of another file are taken for its own.
    let salt: UInt64
    /// Of its first frame.
    let first: LSN
    let fileBytes: Int

    func encode(to buffer: ByteBuffer) {
        let start = buffer.count
        buffer.append(WALFormat.magic)
        buffer.append(WALFormat.version)
        buffer.append(UInt32(0))
        buffer.append(salt)
        buffer.append(first.rawValue)
        buffer.append(UInt64(fileBytes))
        buffer.appendZeros(16)
        buffer.append(WALFormat.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...])))
    }

    init(salt: UInt64, first: LSN, fileBytes: Int) {
        self.salt = salt
        self.first = first
        self.fileBytes = fileBytes
    }

    /// - Throws: `Malformed` when it is no such header; `UnknownVersion`.
    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = BinaryReader(bytes)
        let covered = try reader.take(WALFormat.headerBytes - 8)
        let checksum = try reader.integer(UInt64.self)
        var fields = BinaryReader(covered)
        guard try fields.integer(UInt64.self) == WALFormat.magic, checksum == WALFormat.checksum(covered)
        else {
            throw BinaryReader.Malformed()
        }
        let version = try fields.integer(UInt32.self)
        let features = try fields.integer(UInt32.self)
        guard version == WALFormat.version, features == 0 else { throw UnknownVersion(version: version) }
        salt = try fields.integer()
        first = LSN(rawValue: try fields.integer())
        fileBytes = Int(clamping: try fields.integer(UInt64.self))
        guard salt != 0 else { throw BinaryReader.Malformed() }
    }
}

/// A format of a later version, or with a feature that this one does not know.
struct UnknownVersion: Error, Equatable {
    let version: UInt32
}

struct WALFrameHeader: Equatable {
    let payloadBytes: Int
    let lsn: LSN
    let salt: UInt64
    /// The checksum of the header before, the file's for the first: a chain, so that none is missing.
    let previous: UInt64
    /// When this was written, all frames up to it had been synchronised.
    let synchronised: LSN
    let payloadChecksum: UInt64
    /// In the last frame of a file, which is empty: the number of the file that goes on, so that none can be missing. Else 0.
    let nextFile: UInt64

    var frameBytes: Int { WALFormat.frameBytes(payload: payloadBytes) }

    /// - Returns: its own checksum.
    func encode(to bytes: UnsafeMutableRawBufferPointer) -> UInt64 {
        func store<Integer: FixedWidthInteger>(_ value: Integer, _ position: Int) {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: position, as: Integer.self)
        }
        store(WALFormat.frameMagic, 0)
        store(UInt32(payloadBytes), 4)
        store(lsn.rawValue, 8)
        store(salt, 16)
        store(previous, 24)
        store(synchronised.rawValue, 32)
        store(payloadChecksum, 40)
        store(nextFile, 48)
        let checksum = WALFormat.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<56]))
        store(checksum, 56)
        return checksum
    }

    init(
        payloadBytes: Int, lsn: LSN, salt: UInt64, previous: UInt64, synchronised: LSN,
        payloadChecksum: UInt64, nextFile: UInt64
    ) {
        self.payloadBytes = payloadBytes
        self.lsn = lsn
        self.salt = salt
        self.previous = previous
        self.synchronised = synchronised
        self.payloadChecksum = payloadChecksum
        self.nextFile = nextFile
    }

    /// Nil when there is no valid header of a file with this salt.
    init?(decoding bytes: UnsafeRawBufferPointer, salt expected: UInt64) {
        guard bytes.count >= WALFormat.headerBytes else { return nil }
        func load<Integer: FixedWidthInteger>(_ position: Int, _: Integer.Type = Integer.self) -> Integer {
            Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Integer.self))
        }
        guard load(0, UInt32.self) == WALFormat.frameMagic, load(16, UInt64.self) == expected,
            load(56, UInt64.self) == WALFormat.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<56]))
        else { return nil }
        self.init(
            payloadBytes: Int(load(4, UInt32.self)), lsn: LSN(rawValue: load(8)), salt: expected,
            previous: load(24), synchronised: LSN(rawValue: load(32)), payloadChecksum: load(40),
            nextFile: load(48))
    }

    /// What stands in its last eight bytes.
    static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: UInt64.self))
    }
}
