import JSON
import Platform
import StorageEngine

/// Turns the envelopes of a batch into columns for the engine.
struct BatchDraft {
    private let envelopes: [RecordEnvelope]
    private let body: ByteBuffer
    private let services: Services
    private let now: Int64
    private var result: Draft

    /// - Throws: `Problem` naming the record's index.
    init(_ parser: RecordParser, _ body: ByteBuffer, _ services: Services) throws {
        do throws(RecordFailure) {
            envelopes = try parser.envelopes(of: body, recordsMax: RecordRoutes.recordsPerCallMax)
        } catch {
            throw Problem(index: error)
        }
        self.body = body
        self.services = services
        now = services.clock.now()
        result = Draft(source: body)
        result.scratch.append(parser.found.scratch)
    }

    consuming func draft() throws -> Draft {
        result.values.reserveCapacity(envelopes.count)
        result.keys.reserveCapacity(envelopes.count)
        for (index, envelope) in envelopes.enumerated() {
            do {
                try add(envelope)
            } catch var problem as Problem {
                problem.name("index", index)
                throw problem
            }
        }
        addOptionalColumns()
        return result
    }

    private mutating func add(_ envelope: RecordEnvelope) throws {
        let key = Draft.Slice(envelope.key)
        if !key.isAbsent, envelope.partition != nil {
            throw Problem.invalidArgument(
                "partition", "cannot be combined with a key, whose hash is the partition")
        }
        let isDelete = !key.isAbsent && (envelope.form == .missing || envelope.form == .null)
        let type = isDelete ? ValueType(type: .deleted) : try type(of: envelope)
        let headers = try headers(of: envelope)
        result.keys.append(key)
        result.values.append(isDelete ? .init(source: 0, count: 0) : .init(envelope.value))
        addType(type, headers: headers)
    }

    /// Columns that few batches have are made when the first record needs them.
    private mutating func addType(_ type: ValueType, headers: [RecordExtras.Header]) {
        let row = result.values.count - 1
        if type.type != .json, result.types.isEmpty { result.types = Array(repeating: .json, count: row) }
        if type.type != .json || !result.types.isEmpty { result.types.append(type.type) }
        let extras = type.extras(with: headers)
        if !extras.isEmpty, result.extras.isEmpty { result.extras = Array(repeating: .absent, count: row) }
        if !extras.isEmpty {
            let slice = result.appendScratch(extras)
            result.extras.append(slice)
        } else if !result.extras.isEmpty {
            result.extras.append(.absent)
        }
    }

    private mutating func addOptionalColumns() {
        if envelopes.contains(where: { $0.timestamp != nil }) {
            result.timestamps = envelopes.map { $0.timestamp ?? Draft.timeOfArrival }
        }
        if envelopes.contains(where: { $0.ttlMilliseconds != nil }) {
            result.deadlines = envelopes.map { envelope in
                guard let ttl = envelope.ttlMilliseconds else { return Deadline.logDefault }
                return now.addingReportingOverflow(min(ttl, KeyRoutes.ttlRange.upperBound)).partialValue
            }
        }
        if envelopes.contains(where: { ($0.priority ?? 0) != 0 }) {
            result.priorities = envelopes.map { $0.priority ?? 0 }
        }
        if envelopes.contains(where: { $0.partition != nil }) {
            result.partitions = envelopes.map { $0.partition.map { Int32($0) } ?? -1 }
        }
        if result.keys.allSatisfy({ $0.isAbsent }) { result.keys = [] }
    }

    // MARK: One record

    private func type(of envelope: RecordEnvelope) throws -> ValueType {
        try ValueType(envelope.form, contentType: text(envelope.contentType)) {
            services.parsers.withParser { parser in
                withBytes(envelope.value) { parser.isSingleText($0) }
            }
        }
    }

    private func headers(of envelope: RecordEnvelope) throws -> [RecordExtras.Header] {
        guard !envelope.headers.isAbsent else { return [] }
        return try withBytes(envelope.headers) { try RecordExtras.headers(json: $0) }
    }

    private func text(_ slice: RecordSlice) -> String? {
        slice.isAbsent ? nil : withBytes(slice) { String(decoding: $0, as: UTF8.self) }
    }

    private func withBytes<Result>(
        _ slice: RecordSlice, _ use: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let buffer = slice.isScratch ? result.scratch : body
        defer { withExtendedLifetime(buffer) {} }
        let start = Int(slice.start)
        return try use(UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<start + Int(slice.count)]))
    }
}
