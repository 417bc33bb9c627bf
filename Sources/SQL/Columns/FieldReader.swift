import DuckDBClient
import JSON
import Metrics
import StorageEngine
import Synchronization

/// Gives the columns of a batch's fields: kept ones where they reach far enough, extracted ones otherwise. For one thread.
final class FieldReader {
    private let services: ScanServices
    private let log: Log
    private let requests: [FieldRequest]
    /// Where the requests were among the columns of the last batch.
    private var hints: [Int]
    /// All that this uses counts as used when it began.
    private let usedAt: Int
    /// What was given last is kept beside its batch.
    private(set) var isKept = false
    /// What the texts of the last batch's columns point into, where that is not the batch itself.
    private(set) var source: BatchView?
    private let hasTexts: Bool
    /// One for each set of fields that was missing so far; mostly that is all of them.
    private var extractors: [[FieldRequest]: FieldExtractor] = [:]

    init(_ requests: [FieldRequest], of log: Log, _ services: ScanServices) {
        self.requests = requests
        self.log = log
        self.services = services
        hints = requests.map { _ in 0 }
        hasTexts = requests.contains { $0.isText }
        usedAt = services.cache.nextTime()
    }

    /// In the order of the requests, covering the view's rows.
    ///
    /// Texts of a batch from the archive are valid until the next batch: what holds them holds all of it.
    func columns(of view: BatchView, for query: Query) throws -> [ExtractedColumn] {
        source = nil
        guard !requests.isEmpty else { return [] }
        let fields = view.fields
        fields.usedAt.store(usedAt, ordering: .relaxed)
        let count = view.rows.upperBound
        var columns = fields.columns(requests, near: &hints)
        isKept = true
        if columns.allSatisfy({ $0.map { $0.rowCount >= count } ?? false }) {
            return columns.compactMap { $0 }
        }
        // Those that reach equally far are extracted in one pass over the values.
        let missing = Dictionary(
            grouping: requests.indices.filter { (columns[$0]?.rowCount ?? 0) < count },
            by: { columns[$0]?.rowCount ?? 0 })
        for (start, indices) in missing {
            let made = try extract(
                indices.map { requests[$0] }, view, from: start, before: indices.map { columns[$0] }, query)
            let bytes = made.reduce(0) { $0 + $1.chargedBytes }
            // Their bytes are charged already: there is room if nothing is over a watermark with them.
            if log.account.isWithinWatermark, bytes > 0, !(view.isStub && hasTexts) {
                for (index, column) in zip(indices, made) {
                    fields.keep(column, for: requests[index], in: log.facts.columns)
                }
                services.cache.add(fields, of: log)
            } else {
                isKept = false
            }
            for (index, column) in zip(indices, made) { columns[index] = column }
        }
        return columns.compactMap { $0 }
    }

    private func extract(
        _ requests: [FieldRequest], _ view: BatchView, from start: Int, before: [ExtractedColumn?],
        _ query: Query
    ) throws -> [ExtractedColumn] {
        let count = view.rows.upperBound
        let made = zip(requests, before).map { request, shorter in
            let column = ExtractedColumn(request.type.type, rowCount: count, log.account)
            if let shorter { column.copyPrefix(of: shorter) }
            return column
        }
        var fields: [(request: FieldRequest, column: ExtractedColumn)] = []
        for (request, column) in zip(requests, made) {
            if request.isRecordTime {
                column.setTimes(view.columns.timestamps, from: start)
            } else {
                fields.append((request, column))
            }
        }
        if !fields.isEmpty {
            let whole = try query.loaded(view, of: log)
            try extract(fields, whole, from: start)
            if view.isStub { source = whole }
        }
        for column in made { column.finish() }
        services.engine.columnsCharged(to: log)
        return made
    }

    private func extract(
        _ fields: [(request: FieldRequest, column: ExtractedColumn)], _ view: BatchView, from start: Int
    ) throws {
        let requests = fields.map(\.request)
        let count = view.rows.upperBound
        let rows = view.fieldRows(start..<count)
        let extractor = self.extractor(requests)
        // What is converted is extracted beside its column, bits from 0 on.
        let scratch = requests.map {
            RawColumn(rows: count - start, elementBytes: $0.type.target.elementBytes)
        }
        let extraction = try extractor.extract(rows, into: scratch.map(\.output))
        for (index, (request, column)) in fields.enumerated() {
            let misfits = try services.converter.convert(
                scratch[index], to: column, from: start, request.type)
            services.countMisfits(extraction.misfits[index] + misfits)
            if let arena = extraction.arena {
                column.keep(arena, bytes: arena.byteCount / requests.count)
            }
        }
    }

    private func extractor(_ requests: [FieldRequest]) -> FieldExtractor {
        if let extractor = extractors[requests] { return extractor }
        let extractor = FieldExtractor(requests.map { FieldColumn($0.name, $0.type.target) })
        extractors[requests] = extractor
        return extractor
    }
}

/// Extracted values before they are converted.
final class RawColumn {
    let rowCount: Int
    let output: FieldOutput

    init(rows: Int, elementBytes: Int) {
        rowCount = rows
        let words = ExtractedColumn.words(rows)
        let validity = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
        validity.initialize(repeating: 0, count: words)
        let values = UnsafeMutableRawPointer.allocate(byteCount: max(1, rows) * elementBytes, alignment: 16)
        output = FieldOutput(values: values, validity: validity)
    }

    deinit {
        output.values.deallocate()
        output.validity.deallocate()
    }

    func isValid(_ row: Int) -> Bool { output.validity[row >> 6] & (1 &<< UInt64(row & 63)) != 0 }
}

extension BatchView {
    /// Its values as the JSON module reads them.
    func fieldRows(_ range: Range<Int>) -> FieldRows {
        let columns = columns
        let count = range.upperBound
        return FieldRows(
            values: UnsafeRawBufferPointer(start: columns.values, count: Int(columns.valueOffsets[count])),
            offsets: UnsafeBufferPointer(start: columns.valueOffsets, count: count + 1),
            types: columns.types.map { UnsafeBufferPointer(start: $0, count: count) }, range: range)
    }
}
