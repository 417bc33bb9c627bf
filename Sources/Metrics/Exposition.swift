/// Writes families in the Prometheus text format 0.0.4 or in OpenMetrics 1.0.
///
/// They differ in three places: OpenMetrics names a counter's family without `_total`, escapes quotes in help
/// texts, and ends in `# EOF`, by which a reader knows that nothing was cut off.
struct Exposition {
    private let format: MetricsRegistry.Format
    private var text = ""

    init(_ format: MetricsRegistry.Format) {
        self.format = format
        text.reserveCapacity(16 * 1024)
    }

    mutating func write(_ family: Family) {
        writeHead(family)
        for (labels, metric) in samples(of: family) {
            switch metric {
            case .number(let number): writeSample(family.name, labels, number)
            case .histogram(let histogram): write(histogram, family.name, labels)
            }
        }
    }

    consuming func finish() -> [UInt8] {
        if format == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    /// `name="value",name="value"`, values escaped; empty without labels.
    static func labels(_ labels: [MetricsRegistry.Label]) -> String {
        labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
    }

    // MARK: Samples

    private enum Reading {
        case number(String)
        case histogram(Histogram)
    }

    private func samples(of family: Family) -> [(labels: String, Reading)] {
        var readings: [(labels: String, Reading)] = family.metrics.map { labels, metric in
            switch metric {
            case .counter(let counter): (labels, .number(String(counter.value)))
            case .gauge(let gauge): (labels, .number(String(gauge.value)))
            case .histogram(let histogram): (labels, .histogram(histogram))
            }
        }
        for collector in family.collectors {
            for sample in collector() {
                readings.append((Self.labels(sample.labels), .number(Self.number(sample.value))))
            }
        }
        return readings.sorted { $0.labels < $1.labels }
    }

    private mutating func writeHead(_ family: Family) {
        let isOpen = format == .openMetrics
        let name =
            isOpen && family.kind == .counter ? String(family.name.dropLast("_total".count)) : family.name
        text += "# HELP \(name) \(Self.escaped(family.help, quotes: isOpen))\n"
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
    }

    private mutating func write(_ histogram: Histogram, _ name: String, _ labels: String) {
        let separator = labels.isEmpty ? "" : ","
        var cumulated: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            cumulated &+= count
            // The bound keeps its decimal point: `1` and `1.0` would be two series to whoever switches the format.
            let bound = index < histogram.bounds.count ? histogram.bounds[index].description : "+Inf"
            writeSample(name + "_bucket", "\(labels)\(separator)le=\"\(bound)\"", String(cumulated))
        }
        writeSample(name + "_sum", labels, Self.number(histogram.sum))
        writeSample(name + "_count", labels, String(cumulated))
    }

    private mutating func writeSample(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    // MARK: Values

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let integer = Int64(exactly: value) { return String(integer) }
        return value.description
    }

    private static func escaped(_ value: String, quotes: Bool) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
