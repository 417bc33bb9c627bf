import DuckDBClient
import JSON
import StorageEngine

/// The columns of a log as a query sees them: the fields of its values, then what every record has.
struct LogSchema: Sendable {
    private(set) var columns: [(name: String, column: LogColumn)] = []
    /// In lower case, as DuckDB compares.
    private var taken: Set<String> = []

    /// `timestamp` is the record's own time: no field has that name.
    private(set) var timestampIsAlias = false

    /// - Parameters:
    ///   - facts: of all batches of the cut.
    ///   - asked: what the query asks for: `timestamp` and `key` are there only if they are.
    init(_ facts: BatchFields.Facts, declared: [LogConfiguration.SchemaField], asked: Fence.Finding) {
        let system: [(String, LogColumn)] = [
            ("_partition", .partition), ("_offset", .offset), ("_timestamp", .timestamp),
            ("_key", .key(facts.keysAreText ? .text : .bytes)),
            ("_value", .value(facts.valuesAreJSON ? .json : facts.valuesAreText ? .text : .bytes)),
            ("_headers", .headers), ("_expires_at", .expiresAt), ("_priority", .priority),
        ]
        // The record's own names are never given to a field.
        taken = Set(system.map(\.0))
        let declaredNames = Set(declared.map(\.name))
        for field in declared {
            // An unknown type is refused when a log is configured.
            if let type = FieldType(declared: field.type) { add(field.name, type) }
        }
        for field in facts.summary.fields where !declaredNames.contains(field.name) {
            add(field.name, FieldType(inferredFrom: field.kinds))
        }
        // DuckDB reads the first column to count rows: one that costs nothing, where nobody sees the order.
        columns = asked.showsOrder ? columns + system : system + columns
        timestampIsAlias = !taken.contains("timestamp")
        for alias in ["timestamp", "key"] where asked.columns.contains(alias) && !taken.contains(alias) {
            if let column = system.first(where: { $0.0 == "_\(alias)" }) { columns.append((alias, column.1)) }
        }
    }

    private mutating func add(_ name: String, _ type: FieldType) {
        // Not a name that DuckDB's C interface could pass on.
        guard !name.isEmpty, !name.utf8.contains(0) else { return }
        var unique = name
        var number = 0
        while !taken.insert(unique.lowercased()).inserted {
            number += 1
            unique = "\(name)_\(number)"
        }
        columns.append((unique, .field(FieldRequest(name: name, type: type))))
    }
}

extension BatchFields.Facts {
    /// Joins what is known of another batch.
    mutating func join(_ other: Self) {
        summary.join(other.summary)
        keysAreText = keysAreText && other.keysAreText
        valuesAreJSON = valuesAreJSON && other.valuesAreJSON
        valuesAreText = valuesAreText && other.valuesAreText
    }
}
