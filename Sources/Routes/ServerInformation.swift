/// What `/v1/info` tells about the process.
package struct ServerInformation: Sendable {
    package var version: String
    package var commit: String?
    /// Unix milliseconds.
    package var startedAt: Int64

    package init(version: String = "development", commit: String? = nil, startedAt: Int64 = 0) {
        self.version = version
        self.commit = commit
        self.startedAt = startedAt
    }
}
