/// What committed transactions read and wrote, in no order.
struct History: Sendable {
    /// One version of one key. Versions of a key are ordered as their numbers are.
    struct Access: Sendable {
        let key: Int32
        let version: Int64
    }

    private(set) var count = 0
    private var reads: [Access] = []
    private var writes: [Access] = []
    private var readEnds: [Int] = []
    private var writeEnds: [Int] = []

    mutating func add(reads: some Sequence<Access>, writes: some Sequence<Access>) {
        self.reads += reads
        self.writes += writes
        readEnds.append(self.reads.count)
        writeEnds.append(self.writes.count)
        count += 1
    }

    mutating func add(_ other: History) {
        for transaction in 0..<other.count {
            add(reads: other.reads(of: transaction), writes: other.writes(of: transaction))
        }
    }

    func reads(of transaction: Int) -> ArraySlice<Access> {
        reads[(transaction > 0 ? readEnds[transaction - 1] : 0)..<readEnds[transaction]]
    }

    func writes(of transaction: Int) -> ArraySlice<Access> {
        writes[(transaction > 0 ? writeEnds[transaction - 1] : 0)..<writeEnds[transaction]]
    }

    /// How many keys there are if they are numbered from 0.
    var keyCount: Int {
        var highest: Int32 = -1
        for access in reads { highest = max(highest, access.key) }
        for access in writes { highest = max(highest, access.key) }
        return Int(highest) + 1
    }
}
