import Glibc
import JSON
import Logging
import Synchronization

/// Where log messages go and in which form: standard error, text on a terminal, a JSON object a line otherwise.
/// The level can be changed while the server runs. Thread-safe; a message is one `write`.
final class LogOutput: Sendable {
    enum Form: Sendable { case text, json }

    private let form: Form
    private let descriptor: Int32
    private let levelIndex: Atomic<Int>

    /// - Parameter format: `auto`, `text` or `json`.
    init(format: String, level: Logger.Level, descriptor: Int32 = STDERR_FILENO) {
        switch format {
        case "text": form = .text
        case "json": form = .json
        default: form = isatty(descriptor) == 1 ? .text : .json
        }
        self.descriptor = descriptor
        levelIndex = Atomic(Self.index(of: level))
    }

    var level: Logger.Level {
        get { Logger.Level.allCases[levelIndex.load(ordering: .relaxed)] }
        set { levelIndex.store(Self.index(of: newValue), ordering: .relaxed) }
    }

    /// A logger that writes here and follows `level`.
    func logger() -> Logger { Logger(label: "pyralog") { _ in LineHandler(output: self) } }

    func write(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        let metadata = metadata.sorted { $0.key < $1.key }
        var line: [UInt8]
        switch form {
        case .text:
            let fields = metadata.map { " \($0.key)=\($0.value)" }.joined()
            line = Array("\(Self.timestamp()) \(level.rawValue.padded(to: 8))\(message)\(fields)".utf8)
            // A message of several lines stays one record for whoever reads the log.
            for index in line.indices where line[index] == 0x0A || line[index] == 0x0D { line[index] = 0x20 }
        case .json:
            line = ControlJSON.serialize(
                .object(
                    [
                        .init("time", .string(Self.timestamp())), .init("level", .string(level.rawValue)),
                        .init("message", .string(message)),
                    ] + metadata.map { .init($0.key, .string($0.value.description)) }))
        }
        if line.last != 0x0A { line.append(0x0A) }
        // A log that cannot be written has nobody to be told.
        _ = Glibc.write(descriptor, line, line.count)
    }

    private static func index(of level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }

    /// RFC 3339, UTC, milliseconds.
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date =
            "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let time =
            "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return "\(date)T\(time).\(digits(now.tv_nsec / 1_000_000, 3))Z"
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
