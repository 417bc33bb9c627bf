/// In which form an answer goes out.
package enum ResultFormat: String, CaseIterable, Sendable {
    case json = "application/json"
    case lines = "application/x-ndjson"
    case csv = "text/csv"
    case parquet = "application/vnd.apache.parquet"
    case arrow = "application/vnd.apache.arrow.stream"

    package var contentType: String { self == .csv ? "text/csv; charset=utf-8" : rawValue }

    /// Whether an error can be told behind what has been sent.
    package var isText: Bool { self == .json || self == .lines || self == .csv }
}
