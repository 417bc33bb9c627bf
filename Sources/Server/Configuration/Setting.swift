import JSON
import Platform

/// One configuration key: what it may hold, what it is when nobody says, and under which names it is set.
///
/// `limits.header_timeout` in the file is `PYRALOG_LIMITS_HEADER_TIMEOUT` in the environment and
/// `--limits-header-timeout` on the command line.
struct Setting: Sendable {
    enum Kind: Sendable {
        case text
        case choice([String])
        case integer(ClosedRange<Int64>)
        /// Above 0, at most 1.
        case fraction
        case bytes(ClosedRange<Int64>)
        /// In milliseconds.
        case duration(ClosedRange<Int64>)
        case boolean
        /// Texts, separated by commas where a list cannot be written.
        case list
    }

    let key: String
    let kind: Kind
    let initial: SettingValue
    let help: String

    init(_ key: String, _ kind: Kind, _ initial: SettingValue, _ help: String) {
        self.key = key
        self.kind = kind
        self.initial = initial
        self.help = help
    }

    var components: [String] { key.split(separator: ".").map(String.init) }
    var environmentName: String { Self.environmentName(of: key) }
    var flag: String { Self.flag(of: key) }

    static func environmentName(of key: String) -> String { "PYRALOG_" + join(key, "_").uppercased() }
    static func flag(of key: String) -> String { "--" + join(key, "-") }

    private static func join(_ key: String, _ separator: Character) -> String {
        String(key.map { $0 == "." || $0 == "_" ? separator : $0 })
    }

    /// - Throws: what the value should have been.
    func parse(_ text: String) throws(UsageFailure) -> SettingValue {
        switch kind {
        case .text, .list:
            return .text(text)
        case .choice(let choices):
            guard choices.contains(text) else {
                throw UsageFailure("is \"\(text)\"; expected one of \(choices.joined(separator: ", "))")
            }
            return .text(text)
        case .boolean:
            switch text.lowercased() {
            case "true", "yes", "1": return .boolean(true)
            case "false", "no", "0": return .boolean(false)
            default: throw UsageFailure("is \"\(text)\"; expected true or false")
            }
        case .integer(let range):
            guard let number = Int64(text) else {
                throw UsageFailure("is \"\(text)\"; expected a whole number")
            }
            return try within(range, number, text)
        case .fraction:
            guard let fraction = Double(text), fraction > 0, fraction <= 1 else {
                throw UsageFailure("is \"\(text)\"; expected a number above 0 and at most 1")
            }
            return .fraction(fraction)
        case .bytes(let range):
            do { return try within(range, try Units.bytes(text), text) } catch {
                throw UsageFailure(String(describing: error))
            }
        case .duration(let range):
            do { return try within(range, try Units.milliseconds(text), text) } catch {
                throw UsageFailure(String(describing: error))
            }
        }
    }

    private func within(
        _ range: ClosedRange<Int64>, _ number: Int64, _ text: String
    ) throws(UsageFailure) -> SettingValue {
        guard range.contains(number) else {
            let bounds =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw UsageFailure("is \(text); expected \(bounds)\(unit)")
        }
        return .integer(number)
    }

    private var unit: String {
        switch kind {
        case .bytes: " bytes"
        case .duration: " milliseconds"
        default: ""
        }
    }

    /// The value as `GET /v1/config` shows it: every one of them could be written into the file as it stands.
    func json(_ value: SettingValue) -> JSONValue {
        switch value {
        case .none: return .null
        case .text(let text): return .string(text)
        case .boolean(let boolean): return .bool(boolean)
        case .fraction(let fraction): return .real(fraction)
        case .list(let items): return .array(items.map { .string($0) })
        case .integer(let number):
            if case .duration = kind {
                return .string(number % 1000 == 0 ? "\(number / 1000)s" : "\(number)ms")
            }
            return .integer(number)
        }
    }
}

enum SettingValue: Sendable, Equatable {
    case none
    case text(String)
    case integer(Int64)
    case fraction(Double)
    case boolean(Bool)
    case list([String])
}
