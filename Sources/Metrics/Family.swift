/// The metrics of one name: what they mean, and a metric for each set of labels.
struct Family: Sendable {
    enum Kind: String, Sendable { case counter, gauge, histogram }

    enum Metric: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    let name: String
    let help: String
    let kind: Kind
    /// By rendered labels.
    private(set) var metrics: [String: Metric] = [:]
    var collectors: [@Sendable () -> [MetricsRegistry.Sample]] = []

    init(_ name: String, _ help: String, _ kind: Kind) {
        precondition(Self.isIdentifier(name), "malformed metric name \(name)")
        precondition(!help.isEmpty, "\(name) needs a help text")
        precondition(
            (kind == .counter) == name.hasSuffix("_total"), "_total is the suffix of counters: \(name)")
        self.name = name
        self.help = help
        self.kind = kind
    }

    mutating func metric(_ labels: String, make: () -> Metric) -> Metric {
        if let existing = metrics[labels] { return existing }
        let made = make()
        metrics[labels] = made
        return made
    }

    static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first), !name.hasPrefix("__") else { return false }
        return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}
