import CSimdJSON

/// Makes summaries of rows' fields. One user at a time; working memory is used again by the next rows.
package final class FieldSummarizer: @unchecked Sendable {
    // Sendable: one user at a time, as a parser has; nothing in it belongs to a thread.
    private let handle: OpaquePointer

    package init() {
        guard let handle = pyra_field_summarizer_create(FieldSummary.fieldsMax) else {
            preconditionFailure("no memory for a summary of fields")
        }
        self.handle = handle
    }

    deinit { pyra_field_summarizer_destroy(handle) }

    /// Adds rows to a summary: rows of the same batch that came later, say.
    ///
    /// - Complexity: linear in the rows' bytes, and in the fields found so far.
    /// - Throws: when there is no memory; the summary is as it was.
    package func add(_ rows: FieldRows, to summary: inout FieldSummary) throws(RecordFailure) {
        var found = pyra_field_summary()
        var error = pyra_json_error()
        begin(with: summary.fields, &error)
        if error.code == PYRA_JSON_OK {
            rows.withRows { pyra_field_summarizer_add(handle, $0, &found, &error) }
        }
        if error.code != PYRA_JSON_OK { throw RecordFailure(error) }
        let fields = UnsafeBufferPointer(start: found.fields, count: found.count)
        if !fields.isEmpty {
            summary.update(
                count: fields.count, kinds: { FieldKinds(rawValue: fields[$0].kinds) },
                name: {
                    let name = UnsafeBufferPointer(start: fields[$0].name, count: Int(fields[$0].name_count))
                    return String(decoding: name, as: UTF8.self)
                })
        }
        summary.isCut = summary.isCut || found.is_cut
        summary.rowCount += rows.range.count
        summary.rowsNotJSON += found.rows_not_json
        summary.rowsNotObjects += found.rows_not_objects
    }

    /// Hands over the fields found so far, their names in one array.
    private func begin(with fields: [FieldSummary.Field], _ error: inout pyra_json_error) {
        // A byte more, so that even empty names have an address.
        let names = fields.flatMap(\.name.utf8) + [0]
        names.withUnsafeBufferPointer { names in
            var next = names.baseAddress
            let known = fields.map { field in
                let count = field.name.utf8.count
                defer { next = next?.advanced(by: count) }
                return pyra_field(name: next, name_count: UInt32(count), kinds: field.kinds.rawValue)
            }
            pyra_field_summarizer_begin(handle, known, known.count, &error)
        }
    }
}
