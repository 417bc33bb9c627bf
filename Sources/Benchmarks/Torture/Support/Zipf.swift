import Glibc

/// Ranks from 0 on, the most popular first, with the frequencies of Zipf's law.
/// Gray et al., Quickly generating billion-record synthetic databases, SIGMOD 1994.
struct Zipf {
    private let count: Double
    private let theta: Double
    private let zeta: Double
    private let alpha: Double
    private let eta: Double

    /// - Complexity: O(count).
    init(count: Int, theta: Double) {
        var zeta = 0.0
        for rank in 1...count { zeta += pow(1 / Double(rank), theta) }
        let zetaOfTwo = 1 + pow(0.5, theta)
        self.count = Double(count)
        self.theta = theta
        self.zeta = zeta
        alpha = 1 / (1 - theta)
        eta = (1 - pow(2 / Double(count), 1 - theta)) / (1 - zetaOfTwo / zeta)
    }

    func rank(_ random: inout SplitMix64) -> Int {
        let unit = random.unit()
        let scaled = unit * zeta
        if scaled < 1 { return 0 }
        if scaled < 1 + pow(0.5, theta) { return 1 }
        return min(Int(count) - 1, Int(count * pow(eta * unit - eta + 1, alpha)))
    }
}
