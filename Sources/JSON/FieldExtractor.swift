import CSimdJSON

/// Fills columns from the top-level members of rows' objects. One user at a time; working memory is used
/// again.
///
/// Of members of one name the last one counts. A row whose member is missing or null has no value, nor has a
/// row that is no JSON or no object. A value that cannot be given in the target is a misfit, and no value
/// either.
package final class FieldExtractor: @unchecked Sendable {
    // Sendable: one user at a time, as a parser has; nothing in it belongs to a thread.
    package struct Extraction {
        /// A column's values that were there and not null but could not be given in its target.
        package let misfits: [Int]
        /// What texts point into that had to be decoded; nil when there are none. The others point into the
        /// rows' `values`.
        package let arena: TextArena?
    }

    package let columns: [FieldColumn]
    private let handle: OpaquePointer

    package init(_ columns: [FieldColumn]) {
        guard let handle = Self.create(columns) else {
            preconditionFailure("no memory for an extractor of fields")
        }
        self.columns = columns
        self.handle = handle
    }

    deinit { pyra_extractor_destroy(handle) }

    /// Fills an output a column.
    ///
    /// - Parameter outputs: room for all rows in each; element 0 and bit 0 are of the row
    /// `rows.range.lowerBound`.
    /// - Throws: when there is no memory; the outputs hold anything then.
    package func extract(_ rows: FieldRows, into outputs: [FieldOutput]) throws(RecordFailure) -> Extraction {
        precondition(outputs.count == columns.count)
        var filled = outputs.map { pyra_column_output(values: $0.values, validity: $0.validity, misfits: 0) }
        var arena: OpaquePointer?
        var error = pyra_json_error()
        rows.withRows { pyra_extractor_extract(handle, $0, &filled, &arena, &error) }
        if error.code != PYRA_JSON_OK { throw RecordFailure(error) }
        return Extraction(misfits: filled.map(\.misfits), arena: arena.map(TextArena.init(owning:)))
    }

    /// The names go over in one array, as that has an address.
    private static func create(_ columns: [FieldColumn]) -> OpaquePointer? {
        // A byte more, so that even empty names have one.
        let names = columns.flatMap(\.name) + [0]
        return names.withUnsafeBufferPointer { names in
            var next = names.baseAddress
            let wanted = columns.map { column in
                defer { next = next?.advanced(by: column.name.count) }
                let (target, flags) = column.target.forC
                return pyra_column(
                    name: next, name_count: column.name.count, target: target, flags: UInt32(flags))
            }
            return pyra_extractor_create(wanted, wanted.count)
        }
    }
}
