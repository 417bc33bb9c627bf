/// Bounds on queries, and where DuckDB is.
package struct SQLConfiguration: Sendable {
    /// The only library to try; nil: a system's, then the one that set-up unpacks.
    package var libraryPath: String?
    package var unpackedPaths: [String] = []
    /// What DuckDB may use for sorting, grouping and joining; nil: a fifth of the engine's limit.
    package var memoryBytes: Int?
    package var threads = 2
    /// Queries that run at once.
    package var workers = 4
    /// Queries that wait for a worker.
    package var queuedMax = 64
    package var timeoutMilliseconds: Int64 = 30_000
    package var rowsMax = 10_000_000
    package var resultBytesMax = 4 << 30
    /// Nobody else is in this process: what it holds is what queries and their engine take.
    package var ownsProcess = false
    /// `now()` is the engine's clock, which tests move.
    package var isTestMode = false

    package init() {}
}
