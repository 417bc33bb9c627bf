import Platform

/// One figure and the bar it has to reach.
struct Measurement {
    let name: String
    /// What was measured on: state size, access pattern, warm or cold.
    let conditions: String
    let value: Double
    let unit: String
    /// Nil where the figure only explains another.
    var bar: Double?
    /// False for latencies and bytes: there the bar is an upper bound.
    var higherIsBetter = true

    var isMet: Bool? { bar.map { higherIsBetter ? value >= $0 : value <= $0 } }

    var line: String {
        let figure = Self.short(value) + " " + unit
        let limit = bar.map { (higherIsBetter ? "≥ " : "≤ ") + Self.short($0) } ?? ""
        let verdict = isMet.map { $0 ? "met" : "MISSED" } ?? ""
        return [pad(name, 44), pad(figure, 20), pad(limit, 10), pad(verdict, 7), conditions].joined(
            separator: " ")
    }

    var json: String {
        "{\"name\":\"\(name)\",\"conditions\":\"\(conditions)\",\"value\":\(value),\"unit\":\"\(unit)\","
            + "\"bar\":\(bar.map { "\($0)" } ?? "null"),\"met\":\(isMet.map { "\($0)" } ?? "null")}"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func short(_ value: Double) -> String {
        func rounded(_ value: Double) -> String { String(Double(Int(value * 100)) / 100) }
        switch value {
        case 1e9...: return rounded(value / 1e9) + " G"
        case 1e6...: return rounded(value / 1e6) + " M"
        case 1e4...: return rounded(value / 1e3) + " k"
        default: return rounded(value)
        }
    }
}

/// The median rate, per second, of several runs of `count` operations.
func medianRate(count: Int, runs: Int = 5, _ body: () -> Void) -> Double {
    var rates: [Double] = []
    for _ in 0..<runs {
        let start = Clock.monotonicNanoseconds()
        body()
        rates.append(Double(count) / (Double(Clock.monotonicNanoseconds() - start) / 1e9))
    }
    return rates.sorted()[runs / 2]
}

/// The 99th percentile of single operations, nanoseconds, the clock's own cost taken off.
func percentile99(count: Int, _ body: (Int) -> Void) -> Double {
    let clockCost = clockNanoseconds()
    var times = [Int64](repeating: 0, count: count)
    for index in 0..<count { times[index] = nanoseconds { body(index) } - clockCost }
    return percentile99(&times)
}

func percentile99(_ times: inout [Int64]) -> Double {
    times.sort()
    return Double(times[times.count * 99 / 100])
}

@inline(__always)
func nanoseconds(_ body: () -> Void) -> Int64 {
    let start = Clock.monotonicNanoseconds()
    body()
    return Clock.monotonicNanoseconds() - start
}

/// What it takes to look at the clock.
func clockNanoseconds() -> Int64 {
    let costs = (0..<10_000).map { _ in nanoseconds {} }
    return costs.sorted()[costs.count / 2]
}

/// Does the same on several threads at once, each of which is given its number.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { number in Thread(name: "bench") { body(number) } }
    for thread in threads { thread.join() }
}
