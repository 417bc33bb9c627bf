import Platform
import StorageEngine

/// Threads move money between accounts while another one adds all of it up; afterwards the history of who read and wrote
/// which version must have an order in which everything could have happened one after the other.
enum Bank {
    private static let tellers = 16
    private static let seed: UInt64 = 0x6261_6E6B

    /// What the threads have come to.
    private struct Ledger: Sendable {
        var history = History()
        var retries = 0
        var audits = 0
        var failures: [String] = []
    }

    static func run(scale: Double) throws {
        let transfers = scaled(2_000_000, by: scale, min: 20_000)
        report(
            "\(transfers) transfers by \(tellers) threads between \(Accounts.count) accounts, seed \(seed)")
        try BrokenHistories.check()
        let test = TestEngine(maxMemoryBytes: 1 << 30)
        let accounts = try Accounts(test)
        let ledger = Shared(Ledger())
        let opened = try accounts.open()
        ledger.withLock { $0.history.add(reads: [], writes: opened) }

        let watch = Stopwatch()
        let isOver = AtomicFlag()
        let auditor = Thread(name: "auditor") { audit(accounts, ledger, until: isOver) }
        let threads = (0..<tellers).map { number in
            let share = transfers / tellers + (number < transfers % tellers ? 1 : 0)
            return Thread(name: "teller") { transfer(accounts, share, teller: number, ledger) }
        }
        for thread in threads { thread.join() }
        isOver.raise()
        auditor.join()
        let seconds = watch.seconds
        // Moved out, so that the history is not copied.
        let result = ledger.withLock { ledger in
            defer { ledger = Ledger() }
            return ledger
        }
        try require(result.failures.isEmpty, result.failures.joined(separator: "; "))
        report(
            "\(transfers) transfers in \(rounded(seconds)) s (\(Int(Double(transfers) / seconds)) a second), "
                + "\(result.retries) tried again, \(result.audits) audits")
        try require(
            result.history.count == 1 + transfers + result.audits,
            "\(result.history.count) transactions are on record")
        try checkTotal(try accounts.look(Array(0..<Accounts.count)))
        try checkOrder(result.history)
        try measure(accounts, scale)
    }

    private static func checkOrder(_ history: History) throws {
        let watch = Stopwatch()
        switch SerializabilityChecker.check(history) {
        case .serializable(let edges):
            report(
                "serializable: \(history.count) transactions, \(edges) edges, no cycle (checked in \(watch.text))"
            )
        case .broken(let reason): throw Failure("the history is not serializable: \(reason)")
        }
    }

    private static func checkTotal(_ seen: [Accounts.Seen]) throws {
        let sum = seen.reduce(0) { $0 + $1.balance }
        try require(sum == Accounts.total, "the accounts sum up to \(sum), not \(Accounts.total)")
    }

    private static func transfer(_ accounts: Accounts, _ count: Int, teller: Int, _ ledger: Shared<Ledger>) {
        var random = SplitMix64(seed: seed + UInt64(teller))
        var history = History()
        var retries = 0
        do {
            for _ in 0..<count {
                let source = random.below(Accounts.count)
                let target = (source + 1 + random.below(Accounts.count - 1)) % Accounts.count
                let amount = Int64(1 + random.below(100))
                while true {
                    let seen = try accounts.look([source, target])
                    let moved = min(amount, seen[0].balance)
                    let changes = [
                        (seen: seen[0], balance: seen[0].balance - moved),
                        (seen: seen[1], balance: seen[1].balance + moved),
                    ]
                    if let written = try accounts.set(changes) {
                        history.add(reads: seen.map(\.access), writes: written)
                        break
                    }
                    retries += 1
                }
            }
        } catch {
            ledger.withLock { $0.failures.append("teller \(teller): \(error)") }
        }
        ledger.withLock { ledger in
            ledger.history.add(history)
            ledger.retries += retries
        }
    }

    private static func audit(_ accounts: Accounts, _ ledger: Shared<Ledger>, until isOver: AtomicFlag) {
        let all = Array(0..<Accounts.count)
        var history = History()
        do {
            repeat {
                let seen = try accounts.look(all)
                try checkTotal(seen)
                history.add(reads: seen.map(\.access), writes: [])
                Clock.pause(milliseconds: 1)
            } while !isOver.isRaised
        } catch {
            ledger.withLock { $0.failures.append("auditor: \(error)") }
        }
        ledger.withLock { ledger in
            ledger.history.add(history)
            ledger.audits = history.count
        }
    }

    /// Nobody else is there: what a transaction itself takes.
    private static func measure(_ accounts: Accounts, _ scale: Double) throws {
        let count = scaled(1_000_000, by: scale, min: 20_000)
        var looks = LatencyHistogram()
        var sets = LatencyHistogram()
        for number in 0..<count {
            let source = number % Accounts.count
            let pair = [source, (source + 1) % Accounts.count]
            let seen = try looks.time { try accounts.look(pair) }
            let changes = seen.map { (seen: $0, balance: $0.balance) }
            let written = try sets.time { try accounts.set(changes) }
            try require(written != nil, "a transaction that nobody disturbs was not committed")
        }
        report("alone, get of 2 keys: \(text(looks))")
        report("alone, compare and set of 2 keys: \(text(sets))")
    }

    private static func text(_ latencies: LatencyHistogram) -> String {
        "p50 \(microseconds(latencies.quantile(0.5))), p99 \(microseconds(latencies.quantile(0.99)))"
    }
}
