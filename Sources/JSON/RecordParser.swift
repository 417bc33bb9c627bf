import CSimdJSON

/// Record bodies, by simdjson: full validation (UTF-8, depth ≤ 64), values located as ranges of the sender's bytes.
///
/// Numbers of any size and precision are values. One user at a time; memory is used again by the next text.
package final class RecordParser: @unchecked Sendable {
    // Sendable: a pool hands it from one user to the next under a lock; it is never used by two at once.
    package static let depthMax = Int(PYRA_JSON_DEPTH_MAX)

    package enum Kind: Sendable { case null, bool, number, string, array, object }

    /// How far a call over lines came.
    package struct LineProgress: Sendable {
        /// Position behind the last line taken.
        package let consumed: Int
        /// Lines taken, blank ones included.
        package let lines: Int
        /// Its `item` is the line within this call, from 1. The records before it have been found.
        package let failure: RecordFailure?
    }

    let handle: OpaquePointer

    package init() {
        guard let handle = pyra_json_create() else { preconditionFailure("no memory for a JSON parser") }
        self.handle = handle
        precondition(
            MemoryLayout<RecordSlice>.size == MemoryLayout<pyra_json_slice>.size
                && MemoryLayout<RecordSlice>.offset(of: \.count)
                    == MemoryLayout<pyra_json_slice>.offset(of: \.count)
        )
    }

    deinit { pyra_json_destroy(handle) }

    /// Forgets the records found so far and gives large working memory back.
    package func reset() { pyra_json_reset(handle) }

    package var found: FoundRecords {
        let found = pyra_json_found(handle)
        func slices(_ start: UnsafePointer<pyra_json_slice>?) -> UnsafeBufferPointer<RecordSlice>? {
            guard let start else { return nil }
            // Same layout, asserted in `init`.
            let slices = UnsafeRawPointer(start).assumingMemoryBound(to: RecordSlice.self)
            return UnsafeBufferPointer(start: slices, count: found.count)
        }
        return FoundRecords(
            values: slices(found.values) ?? UnsafeBufferPointer(start: nil, count: 0),
            keys: slices(found.keys),
            timestamps: found.timestamps.map { UnsafeBufferPointer(start: $0, count: found.count) },
            scratch: UnsafeRawBufferPointer(start: found.scratch, count: found.scratch_count))
    }

    /// Takes a body that is exactly one JSON text as one record. Forgets those found before.
    package func parse(
        _ text: UnsafeRawBufferPointer, fields: RecordFields = .none
    ) throws(RecordFailure) -> Kind {
        var kind = PYRA_JSON_NULL
        try check(fields) { pyra_json_value(handle, text.start, text.count, $0, &kind, $1) }
        return switch kind {
        case PYRA_JSON_BOOL: .bool
        case PYRA_JSON_NUMBER: .number
        case PYRA_JSON_STRING: .string
        case PYRA_JSON_ARRAY: .array
        case PYRA_JSON_OBJECT: .object
        default: .null
        }
    }

    /// Takes each element of an array text as a record. Forgets those found before. A failure's `item` is the element's index.
    package func elements(
        of text: UnsafeRawBufferPointer, fields: RecordFields = .none, recordsMax: Int
    ) throws(RecordFailure) {
        try check(fields) { pyra_json_elements(handle, text.start, text.count, $0, recordsMax, $1) }
    }

    /// Adds each complete line from `from` on to the records found before with the same fields; positions count from the start of `text`.
    ///
    /// Blank lines are counted and skipped, `\r` before the line's end is tolerated.
    /// - Parameters:
    ///   - isFinal: the text ends here: a last line needs no newline.
    ///   - recordsMax: found records in all; the call stops before the line that would pass it.
    package func lines(
        of text: UnsafeRawBufferPointer, from: Int, isFinal: Bool, fields: RecordFields = .none,
        recordsMax: Int
    ) -> LineProgress {
        var consumed = from
        var lines = 0
        var failure: RecordFailure?
        do throws(RecordFailure) {
            try check(fields) {
                pyra_json_lines(
                    handle, text.start, from, text.count, isFinal, $0, recordsMax, &consumed, &lines, $1)
            }
        } catch {
            failure = error
        }
        return LineProgress(consumed: consumed, lines: lines, failure: failure)
    }

    /// Reads `{"records": […]}`. A failure's `item` is the record's index. Slices are of `text` or `found.scratch`.
    package func envelopes(
        of text: UnsafeRawBufferPointer, recordsMax: Int
    ) throws(RecordFailure) -> [RecordEnvelope] {
        var start: UnsafePointer<pyra_json_envelope>?
        var count = 0
        try check(.none) { _, error in
            pyra_json_envelopes(
                handle, text.start, text.count, recordsMax, RecordFields.keyBytesMax, &start, &count, error)
        }
        return UnsafeBufferPointer(start: start, count: count).map(RecordEnvelope.init)
    }

    /// Whether the bytes are exactly one JSON text.
    package func isSingleText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var kind = PYRA_JSON_NULL
        var error = pyra_json_error()
        let code = pyra_json_value(handle, bytes.start, bytes.count, nil, &kind, &error)
        pyra_json_reset(handle)
        return code == PYRA_JSON_OK
    }

    /// See `MergePatch`.
    func merge(
        target: UnsafeRawBufferPointer, patch: UnsafeRawBufferPointer
    ) throws(RecordFailure) -> [UInt8] {
        var start: UnsafePointer<UInt8>?
        var count = 0
        defer { reset() }
        try check(.none) { _, error in
            pyra_json_merge(
                handle, target.start, target.count, patch.start, patch.count, &start, &count, error)
        }
        return Array(UnsafeBufferPointer(start: start, count: count))
    }

    func check(
        _ fields: RecordFields,
        _ call: (UnsafePointer<pyra_json_fields>?, UnsafeMutablePointer<pyra_json_error>) -> pyra_json_code
    ) throws(RecordFailure) {
        var error = pyra_json_error()
        let code = fields.withPointer { call($0, &error) }
        if code != PYRA_JSON_OK { throw RecordFailure(error) }
    }
}

extension UnsafeRawBufferPointer {
    var start: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
