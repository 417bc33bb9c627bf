import ArgumentParser

/// How the client shows rows.
enum SQLFormat: String, CaseIterable, ExpressibleByArgument {
    case table
    case json
    case ndjson
    case csv
    case parquet
    case arrow

    /// By the ending of a file's name; nil for one that says nothing.
    init?(ending path: String) {
        switch path.split(separator: "/").last?.split(separator: ".").dropFirst().last?.lowercased() {
        case "json": self = .json
        case "ndjson", "jsonl": self = .ndjson
        case "csv": self = .csv
        case "parquet": self = .parquet
        case "arrow", "arrows": self = .arrow
        case "txt": self = .table
        default: return nil
        }
    }

    /// What the server is asked for.
    var accept: String {
        switch self {
        case .table, .json: "application/json"
        case .ndjson: "application/x-ndjson"
        case .csv: "text/csv"
        case .parquet: "application/vnd.apache.parquet"
        case .arrow: "application/vnd.apache.arrow.stream"
        }
    }

    var isBinary: Bool { self == .parquet || self == .arrow }
}
