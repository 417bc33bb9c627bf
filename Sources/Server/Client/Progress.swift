import Glibc
import Platform

/// One line on a terminal that says how far long work has come; nothing elsewhere.
struct Progress {
    private(set) var records = 0
    private var bytes = 0
    private var shownAt: Int64?
    private let startedAt = Clock.monotonicNanoseconds()
    private let isTerminal = isatty(STDERR_FILENO) == 1

    mutating func add(records: Int, bytes: Int) {
        self.records += records
        self.bytes += bytes
        let now = Clock.monotonicNanoseconds()
        guard isTerminal, now - (shownAt ?? startedAt) > 200_000_000 else { return }
        shownAt = now
        let seconds = max(1, (now - startedAt) / 1_000_000_000)
        let line =
            "\r\(self.records) records, \(self.bytes / 1_000_000) MB, \(self.bytes / 1_000_000 / Int(seconds)) MB/s\u{1B}[K"
        StandardStreams.write(line, to: STDERR_FILENO)
    }

    /// Removes the line.
    mutating func end() {
        guard shownAt != nil else { return }
        shownAt = nil
        StandardStreams.write("\r\u{1B}[K", to: STDERR_FILENO)
    }
}
