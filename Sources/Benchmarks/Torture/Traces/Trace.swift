/// A sequence of gets and puts over keys of Zipf's frequencies, the same for the same seed.
struct Trace {
    static let theta = 0.99
    static let putPercent = 10

    let keys: Int
    let operations: Int
    private let isMoving: Bool
    private let zipf: Zipf
    private var random: SplitMix64
    private var done = 0

    /// - Parameter isMoving: with every tenth of the trace the ranks move on by a tenth of the keys.
    init(keys: Int, operations: Int, zipf: Zipf, isMoving: Bool = false, seed: UInt64) {
        self.keys = keys
        self.operations = operations
        self.zipf = zipf
        self.isMoving = isMoving
        random = SplitMix64(seed: seed)
    }

    mutating func next() -> (key: Int, isPut: Bool) {
        let rank = zipf.rank(&random)
        let isPut = random.chance(Self.putPercent)
        let shift = isMoving ? done * 10 / operations * (keys / 10) : 0
        done += 1
        return ((rank + shift) % keys, isPut)
    }
}
