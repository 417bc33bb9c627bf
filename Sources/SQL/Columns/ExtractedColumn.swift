import DuckDBClient
import JSON
import StorageEngine

/// A field's values of a batch's first rows, as they go into DuckDB's vectors. Never changes; charged to the log.
final class ExtractedColumn: @unchecked Sendable {
    // Sendable: filled before it is published, only read afterwards.
    let rowCount: Int
    let elementBytes: Int
    let values: UnsafeMutableRawPointer
    /// One bit a row, set where there is a value.
    let validity: UnsafeMutablePointer<UInt64>
    /// Every row has a value. Set once it is filled.
    private(set) var isFull = false
    /// What texts point into beside the batch.
    private(set) var texts: [any AnyObject & Sendable] = []
    private(set) var chargedBytes: Int
    private let engine: Engine
    private let log: Log

    /// Zeroed: no row has a value.
    init(rowCount: Int, elementBytes: Int, _ engine: Engine, _ log: Log) {
        self.rowCount = rowCount
        self.elementBytes = elementBytes
        self.engine = engine
        self.log = log
        let words = Self.words(rowCount)
        values = .allocate(byteCount: max(rowCount, 1) * elementBytes, alignment: 16)
        values.initializeMemory(as: UInt8.self, repeating: 0, count: rowCount * elementBytes)
        validity = .allocate(capacity: words)
        validity.initialize(repeating: 0, count: words)
        chargedBytes = Self.bytes(rows: rowCount, elementBytes)
        engine.chargeColumns(chargedBytes, to: log)
    }

    deinit {
        values.deallocate()
        validity.deallocate()
        engine.chargeColumns(-chargedBytes, to: log)
    }

    static func words(_ rows: Int) -> Int { max(1, (rows + 63) / 64) }
    static func bytes(rows: Int, _ elementBytes: Int) -> Int { rows * elementBytes + words(rows) * 8 + 160 }

    /// The last step of filling it.
    func finish() {
        let whole = rowCount >> 6
        let rest = rowCount & 63
        isFull =
            (0..<whole).allSatisfy { validity[$0] == .max }
            && (rest == 0 || validity[whole] == (1 &<< UInt64(rest)) &- 1)
    }

    func keep(_ texts: any AnyObject & Sendable, bytes: Int) {
        self.texts.append(texts)
        chargedBytes += bytes
        engine.chargeColumns(bytes, to: log)
    }

    /// Takes over the rows of a shorter one of the same kind.
    func copyPrefix(of other: ExtractedColumn) {
        values.copyMemory(from: other.values, byteCount: other.rowCount * elementBytes)
        validity.update(from: other.validity, count: Self.words(other.rowCount))
        for texts in other.texts { self.texts.append(texts) }
        let shared = other.chargedBytes - Self.bytes(rows: other.rowCount, elementBytes)
        chargedBytes += shared
        engine.chargeColumns(shared, to: log)
    }
}
