/// What a dump is written in. `docs/dump.md` describes it.
enum DumpFormat {
    static let name = "pyralog-dump"
    /// Higher ones cannot be read: what is only added does not make one.
    static let version: Int64 = 1
    /// Positions stay so far below the end of the numbers that no sum overflows.
    static let offsetMax: Int64 = 1 << 60
}

/// How a dump is sent.
enum DumpForm: String, CaseIterable, Sendable {
    /// One object a line.
    case lines = "application/x-ndjson"
    /// The same objects in one: `{"header": …, "entries": […], "end": …}`.
    case document = "application/json"
}
