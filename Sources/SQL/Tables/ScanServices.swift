import Metrics
import StorageEngine

/// What scans of logs share.
final class ScanServices: Sendable {
    let engine: Engine
    let cache: ColumnCache
    let converter: FieldConverter
    let threads: Int
    private let misfits: Counter

    init(
        _ engine: Engine, cache: ColumnCache, converter: FieldConverter, threads: Int, misfits: Counter
    ) {
        self.engine = engine
        self.cache = cache
        self.converter = converter
        self.threads = threads
        self.misfits = misfits
    }

    func countMisfits(_ count: Int) { if count > 0 { misfits.add(UInt64(count)) } }
}
