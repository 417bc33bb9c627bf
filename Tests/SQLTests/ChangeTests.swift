import Platform
import StorageEngine
import Support
import Synchronization
import Testing

@testable import SQL

/// Queries while everything they read is overwritten, expired, evicted and rewritten under them.
@Suite("Queries see a state that there was")
struct ChangeTests {
    private static let queries = 1000

    @Test("a thousand of them, during writes, expiry, eviction and compaction", .timeLimit(.minutes(5)))
    func consistency() throws {
        let world = try World()
        let threads = world.start()
        defer {
            world.isOver.store(true, ordering: .sequentiallyConsistent)
            for thread in threads { thread.join() }
        }
        for number in 0..<Self.queries / World.questions.count {
            for (text, expected) in World.questions {
                let answer = try world.sql.short(text)
                #expect(answer == expected, "query \(number): \(text)")
                if answer != expected { return }
            }
        }
        #expect(world.rounds.load(ordering: .relaxed) > 100)
    }

    private final class World: Sendable {
        let sql = SQLHarness(maxMemoryBytes: 256 << 20)
        let isOver = Atomic<Bool>(false)
        let rounds = Atomic<Int>(0)
        private let left: Log
        private let right: Log
        private let pairs: Log
        private let queue: Log

        init() throws {
            left = try sql.log("left_side") { $0.compaction = .keys }
            right = try sql.log("right_side") {
                $0.compaction = .keys
                $0.partitions = 3
            }
            pairs = try sql.log("pairs") { $0.compaction = .keys }
            queue = try sql.log("queue") {
                $0.memory.maxBytes = 1 << 20
                $0.memory.eviction = .fifo
            }
            try transfer(version: 0)
            try queue.appendTexts([#"{"n":-1,"filler":"\#(String(repeating: "x", count: 200))"}"#])
            sql.engine.start()
        }

        /// Every one of these is true of each state that there was, and of no mixture of two.
        static let accounts = 200
        static let questions = [
            (
                // Both sides are written by one transaction.
                "SELECT count(*), count(DISTINCT l.version), count(*) FILTER (l.version <> r.version OR l.amount + r.amount <> 100) FROM left_side l JOIN right_side r ON l._key = r._key",
                "\(accounts),1,0"
            ),
            // Texts that are read after they were overwritten would differ from what their version says.
            (
                "SELECT count(*) FILTER (note <> 'note of version ' || version || ', long and \"quoted\"') FROM left_side",
                "0"
            ),
            // Both of a pair have one deadline and were written at once.
            ("SELECT count(*) FROM (SELECT pair FROM pairs GROUP BY pair HAVING count(*) <> 2)", "0"),
            // What is evicted first in, first out leaves a run of numbers without a hole.
            (
                "SELECT max(n) - min(n) + 1 - count(*), count(*) FILTER (filler <> repeat('x', 200)) FROM queue",
                "0,0"
            ),
            // The same of a part that the scan chooses, where the first of its batches go all the time.
            (
                "SELECT coalesce(max(n) - min(n) + 1, 0) - count(*), count(*) FILTER (n + 1 <> _offset OR _offset < 100) FROM queue WHERE _offset >= 100 AND _timestamp <= now()",
                "0,0"
            ),
            (
                "SELECT count(*), count(DISTINCT version) FROM right_side WHERE _timestamp <= now() AND _offset >= 0",
                "\(accounts),1"
            ),
        ]

        func start() -> [Thread] {
            [
                Thread(name: "transfers") { [self] in
                    repeatUntilOver { version in try transfer(version: version + 1) }
                },
                Thread(name: "pairs") { [self] in
                    repeatUntilOver { number in
                        // A frozen clock, moved now and then: deadlines come up while queries run.
                        sql.clock.advance(milliseconds: 1)
                        sql.engine.clockMoved()
                        let deadline = sql.clock.now() + Int64(number % 50)
                        let value = #"{"pair":\#(number)}"#
                        _ = try pairs.append(
                            Draft.of(
                                [value, value], keys: ["\(number % 900)-a", "\(number % 900)-b"],
                                deadlines: [deadline, deadline]), AppendOptions())
                    }
                },
                Thread(name: "queue") { [self] in
                    let filler = String(repeating: "x", count: 200)
                    repeatUntilOver { number in
                        try queue.appendTexts([#"{"n":\#(number),"filler":"\#(filler)"}"#])
                    }
                },
            ]
        }

        private func repeatUntilOver(_ step: (Int) throws -> Void) {
            var number = 0
            while !isOver.load(ordering: .relaxed) {
                do { try step(number) } catch { Issue.record("\(error)") }
                number += 1
                rounds.wrappingAdd(1, ordering: .relaxed)
                if number % 20 == 0 { pause() }
            }
        }

        private func transfer(version: Int) throws {
            var transaction = Transaction()
            transaction.then = (0..<Self.accounts).flatMap { account -> [Transaction.Operation] in
                let amount = (account * 7 + version) % 101
                let note = #"note of version \#(version), long and \"quoted\""#
                return [
                    put(
                        "left_side", account,
                        #"{"version":\#(version),"amount":\#(amount),"note":"\#(note)"}"#),
                    put("right_side", account, #"{"version":\#(version),"amount":\#(100 - amount)}"#),
                ]
            }
            _ = try sql.engine.transact(transaction)
        }

        private func put(_ log: String, _ account: Int, _ value: String) -> Transaction.Operation {
            .init(log: log, .put(.init(key: Array("\(account)".utf8), value: Array(value.utf8))))
        }
    }
}
