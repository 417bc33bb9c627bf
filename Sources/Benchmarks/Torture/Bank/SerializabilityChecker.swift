/// Whether a history is worth some order in which the transactions ran one after the other: whether the graph of what
/// depends on what has no cycle (Adya, Weak consistency, 1999: PL-3, the order of versions being known).
struct SerializabilityChecker {
    enum Verdict {
        case serializable(edges: Int)
        case broken(String)
    }

    private enum Kind: UInt8 {
        /// Wrote what the other read.
        case writeRead
        /// Wrote before the other overwrote it.
        case writeWrite
        /// Read before the other overwrote it.
        case readWrite

        var text: String {
            switch self {
            case .writeRead: "wr"
            case .writeWrite: "ww"
            case .readWrite: "rw"
            }
        }
    }

    private struct Edge {
        let from: Int32
        let to: Int32
        let key: Int32
        let kind: Kind
    }

    private let history: History
    /// By key: its versions in order and who wrote them.
    private var versions: [[(version: Int64, writer: Int32)]]
    private var edges: [Edge] = []

    /// - Complexity: O(n log n) in the accesses.
    static func check(_ history: History) -> Verdict {
        var checker = SerializabilityChecker(history)
        if let reason = checker.orderVersions() ?? checker.addReads() { return .broken(reason) }
        return checker.cycle().map { .broken($0) } ?? .serializable(edges: checker.edges.count)
    }

    private init(_ history: History) {
        self.history = history
        versions = Array(repeating: [], count: history.keyCount)
    }

    /// - Returns: what is wrong: a version that two transactions wrote.
    private mutating func orderVersions() -> String? {
        for transaction in 0..<history.count {
            for write in history.writes(of: transaction) {
                versions[Int(write.key)].append((write.version, Int32(transaction)))
            }
        }
        for key in versions.indices {
            versions[key].sort { $0.version < $1.version }
            for (earlier, later) in zip(versions[key], versions[key].dropFirst()) {
                if earlier.version == later.version {
                    return
                        "T\(earlier.writer) and T\(later.writer) wrote version \(later.version) of key \(key)"
                }
                add(earlier.writer, later.writer, key, .writeWrite)
            }
        }
        return nil
    }

    /// - Returns: what is wrong: a version was read that nobody wrote.
    private mutating func addReads() -> String? {
        for transaction in 0..<history.count {
            for read in history.reads(of: transaction) {
                let key = Int(read.key)
                guard let index = index(of: read.version, key) else {
                    return "T\(transaction) read version \(read.version) of key \(key), which nobody wrote"
                }
                add(versions[key][index].writer, Int32(transaction), key, .writeRead)
                if index + 1 < versions[key].count {
                    add(Int32(transaction), versions[key][index + 1].writer, key, .readWrite)
                }
            }
        }
        return nil
    }

    private func index(of version: Int64, _ key: Int) -> Int? {
        var (low, high) = (0, versions[key].count)
        while low < high {
            let middle = (low + high) / 2
            if versions[key][middle].version < version { low = middle + 1 } else { high = middle }
        }
        return low < versions[key].count && versions[key][low].version == version ? low : nil
    }

    private mutating func add(_ from: Int32, _ to: Int32, _ key: Int, _ kind: Kind) {
        if from != to { edges.append(Edge(from: from, to: to, key: Int32(key), kind: kind)) }
    }

    /// Takes off, again and again, what depends on nothing that is left (Kahn 1962). - Returns: a cycle in words.
    private func cycle() -> String? {
        var starts = [Int](repeating: 0, count: history.count + 1)
        var incoming = [Int32](repeating: 0, count: history.count)
        for edge in edges {
            starts[Int(edge.from) + 1] += 1
            incoming[Int(edge.to)] += 1
        }
        for node in 0..<history.count { starts[node + 1] += starts[node] }
        var targets = [Int32](repeating: 0, count: edges.count)
        var next = starts
        for edge in edges {
            targets[next[Int(edge.from)]] = edge.to
            next[Int(edge.from)] += 1
        }
        var free = (0..<history.count).filter { incoming[$0] == 0 }
        var taken = 0
        while let node = free.popLast() {
            taken += 1
            for target in targets[starts[node]..<starts[node + 1]] {
                incoming[Int(target)] -= 1
                if incoming[Int(target)] == 0 { free.append(Int(target)) }
            }
        }
        return taken == history.count ? nil : describeCycle(among: incoming)
    }

    /// Everything that is left has something before it that is left too: going back must come round.
    private func describeCycle(among incoming: [Int32]) -> String {
        var before: [Int32: Edge] = [:]
        for edge in edges where incoming[Int(edge.from)] > 0 && incoming[Int(edge.to)] > 0 {
            before[edge.to] = edge
        }
        guard var node = before.keys.min() else { return "a cycle" }
        var passed: Set<Int32> = []
        while passed.insert(node).inserted, let edge = before[node] { node = edge.from }
        var text = "T\(node)"
        let end = node
        repeat {
            guard let edge = before[node] else { break }
            text = "T\(edge.from) -\(edge.kind.text) of key \(edge.key)-> " + text
            node = edge.from
        } while node != end
        return "a cycle: \(text)"
    }
}
