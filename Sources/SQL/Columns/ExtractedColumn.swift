import DuckDBClient
import JSON
import Platform
import StorageEngine

/// A field's values of a batch's first rows, in vectors that DuckDB shares. Never changes; charged to the log.
final class ExtractedColumn: @unchecked Sendable {
    // Sendable: filled before it is published, only read afterwards.
    static let pieceRows = OutputChunk.rowsMax
    /// Batches of fewer rows are copied into chunks together with others.
    static let sharedRowsMin = 2 * pieceRows

    let rowCount: Int
    let elementBytes: Int
    /// Of `pieceRows` rows each, the last one of what is left.
    let pieces: ColumnVectors
    /// One bit a row, set where there is a value.
    let validity: UnsafeMutablePointer<UInt64>
    /// Every row has a value. Set once it is filled.
    private(set) var isFull = false
    /// What texts point into beside the batch.
    private(set) var texts: [any AnyObject & Sendable] = []
    private(set) var chargedBytes: Int
    /// Not the log, which keeps its batches and with them this.
    private let account: MemoryAccount

    /// No row has a value.
    init(_ type: ColumnType, rowCount: Int, _ account: MemoryAccount) {
        self.rowCount = rowCount
        elementBytes = type.storage?.byteCount ?? TextHeader.byteCount
        self.account = account
        // A shared vector is a whole one: DuckDB need not look at its capacity.
        let isShared = rowCount >= Self.sharedRowsMin
        let capacities = stride(from: 0, to: max(1, rowCount), by: Self.pieceRows).map { start in
            isShared ? Self.pieceRows : max(1, min(Self.pieceRows, rowCount - start))
        }
        pieces = ColumnVectors(type, capacities: capacities)
        let words = Self.words(rowCount)
        validity = .allocate(capacity: words)
        validity.initialize(repeating: 0, count: words)
        chargedBytes = Self.bytes(rows: rowCount, elementBytes)
        account.charge(.columns, chargedBytes)
    }

    deinit {
        validity.deallocate()
        account.release(.columns, chargedBytes)
    }

    /// Of the vectors and bits, with what DuckDB keeps beside a vector.
    static func bytes(rows: Int, _ elementBytes: Int) -> Int {
        let pieces = (rows + pieceRows - 1) / pieceRows
        let capacity = rows >= sharedRowsMin ? pieces * pieceRows : rows
        return capacity * elementBytes + words(rows) * 16 + pieces * 320 + 160
    }

    static func words(_ rows: Int) -> Int { max(1, (rows + 63) / 64) }

    /// - Precondition: the row is there.
    @inline(__always)
    func element(_ row: Int) -> UnsafeMutableRawPointer {
        pieces.data(row / Self.pieceRows) + row % Self.pieceRows * elementBytes
    }

    /// Pieces of memory that hold the rows of a range, in order.
    func forEachStretch(
        _ range: Range<Int>, _ body: (_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> Void
    ) {
        var row = range.lowerBound
        while row < range.upperBound {
            let count = min(range.upperBound - row, Self.pieceRows - row % Self.pieceRows)
            body(element(row), count * elementBytes)
            row += count
        }
    }

    // Sharing a vector and reading its first values waits for memory that nobody has used for long, unless it was
    // loaded before.

    /// First the table of the pieces.
    @inline(__always)
    func prefetchTable() {
        let table = pieces.table
        if let start = table.baseAddress { prefetch(start, bytes: table.count) }
    }

    /// Then a piece, if there is one of that number.
    @inline(__always)
    func prefetchPiece(_ index: Int) {
        guard index < pieces.count else { return }
        prefetch(pieces.description(index), bytes: Self.descriptionBytes)
        prefetch(pieces.data(index), bytes: Self.firstBytes)
    }

    private static let descriptionBytes = 128
    /// Once these are read the processor has seen where the reading goes. Measured: 256 gain half as much, 4096 no more.
    private static let firstBytes = 1024

    /// The last step of filling it: vectors learn which of their values are NULL.
    func finish() {
        isFull = true
        for index in 0..<pieces.count {
            let start = index * Self.pieceRows
            let count = min(Self.pieceRows, rowCount - start)
            let words = validity + start / 64
            let isPieceFull = (0..<(count + 63) / 64).allSatisfy { word in
                let left = count - word * 64
                return words[word] == (left >= 64 ? .max : (1 &<< UInt64(left)) &- 1)
            }
            guard !isPieceFull else { continue }
            isFull = false
            readBits(words, at: 0, count: count, into: pieces.makeValidity(index))
        }
    }

    func keep(_ texts: any AnyObject & Sendable, bytes: Int) {
        self.texts.append(texts)
        chargedBytes += bytes
        account.charge(.columns, bytes)
    }

    /// Instants of DuckDB's are less than this away from the Unix epoch.
    static let millisecondsLimit = Int64.max / 1000

    /// Milliseconds become microseconds; times beyond what DuckDB's instants hold have no value.
    func setTimes(_ milliseconds: UnsafePointer<Int64>, from start: Int) {
        let limit = Self.millisecondsLimit
        for row in start..<rowCount where milliseconds[row] < limit && milliseconds[row] > -limit {
            element(row).storeBytes(of: milliseconds[row] &* 1000, as: Int64.self)
            validity[row >> 6] |= 1 &<< UInt64(row & 63)
        }
    }

    /// Takes over the rows of a shorter one of the same kind.
    func copyPrefix(of other: ExtractedColumn) {
        var row = 0
        other.forEachStretch(0..<other.rowCount) { memory, byteCount in
            element(row).copyMemory(from: memory, byteCount: byteCount)
            row += byteCount / elementBytes
        }
        validity.update(from: other.validity, count: Self.words(other.rowCount))
        for texts in other.texts { self.texts.append(texts) }
        let shared = other.chargedBytes - Self.bytes(rows: other.rowCount, elementBytes)
        chargedBytes += shared
        account.charge(.columns, shared)
    }
}
