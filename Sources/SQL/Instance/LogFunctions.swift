import DuckDBClient
import JSON
import StorageEngine

/// Logs as table functions.
enum LogFunctions {
    /// What a bare name stands for.
    static let table = "log_table"

    static func all(run: @escaping @Sendable (UInt64) -> QueryRun?) -> [TableFunction] {
        @Sendable func bind(
            _ call: TableFunction.Call, _ choice: (Cut.Part) throws -> LogTable.Choice
        ) throws -> any TableSource {
            guard let run = run(call.connection), let name = call.arguments.first ?? nil else {
                throw SQLFailure.refused("the name of a log is missing")
            }
            return try run.table(name, choice)
        }
        return [
            TableFunction(table, parameters: [.varchar]) { call in
                try bind(call) { .init(newestOnly: $0.configuration.compaction == .keys) }
            },
            TableFunction("log_records", parameters: [.varchar]) { call in
                try bind(call) { _ in .init(newestOnly: false) }
            },
            TableFunction(
                "log_scan", parameters: [.varchar],
                named: [
                    ("since", .timestamp), ("until", .timestamp), ("from_offset", .bigint),
                    ("to_offset", .bigint),
                ]
            ) { call in
                try bind(call) { part in
                    .init(
                        newestOnly: part.configuration.compaction == .keys,
                        timestamps: try range(call, "since", "until") { try milliseconds($0) },
                        offsets: try range(call, "from_offset", "to_offset") { Int64($0) })
                }
            },
        ]
    }

    /// Nil when neither bound is given.
    private static func range(
        _ call: TableFunction.Call, _ lower: String, _ upper: String, _ read: (String) throws -> Int64?
    ) throws -> Range<Int64>? {
        guard call.named[lower] != nil || call.named[upper] != nil else { return nil }
        let from = try call.named[lower].flatMap(read) ?? Int64.min
        let to = try call.named[upper].flatMap(read) ?? Int64.max
        return from..<max(from, to)
    }

    /// Of a TIMESTAMP as DuckDB writes it: `2026-11-24 12:34:56.5`, taken as UTC.
    private static func milliseconds(_ text: String) throws -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 2, let time = Timestamps.parseRFC3339("\(words[0])T\(words[1])Z") else {
            throw SQLFailure.refused("'\(text)' is no time: give a TIMESTAMP between the years 0 and 9999")
        }
        return time
    }
}
