import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Transactions: all or nothing, at one instant")
struct TransactionTests {
    private typealias Operation = Transaction.Operation

    private func put(_ log: String, _ key: String, _ value: String, _ expiry: Expiry = .logDefault)
        -> Transaction.Operation
    {
        var put = Transaction.Put(key: Array(key.utf8), value: Array(value.utf8))
        put.options.expiry = expiry
        return Operation(log: log, .put(put))
    }

    private func get(_ log: String, _ key: String) -> Transaction.Operation {
        Operation(log: log, .get(key: Array(key.utf8)))
    }

    private func increment(_ log: String, _ key: String, _ by: Int64) -> Transaction.Operation {
        var options = IncrementOptions()
        options.by = by
        return Operation(log: log, .increment(key: Array(key.utf8), options))
    }

    private func run(
        _ engine: Engine, if requirements: [Transaction.Requirement] = [], _ then: [Transaction.Operation],
        else otherwise: [Transaction.Operation] = []
    ) throws -> Outcome<TransactionResult> {
        var transaction = Transaction()
        transaction.requirements = requirements
        transaction.then = then
        transaction.otherwise = otherwise
        return try engine.transact(transaction)
    }

    private func text(_ item: TransactionResult.Item) -> String {
        switch item {
        case .found(let record, _): "found \(String(decoding: record.value, as: UTF8.self))"
        case .missing: "missing"
        case .written(let revision): "\(revision.partition)-\(revision.offset.rawValue)"
        case .incremented(let value, _): "= \(value)"
        }
    }

    @Test("operations see those before them, over logs that come into being with the transaction")
    func sequence() throws {
        let harness = EngineHarness()
        let result = try run(
            harness.engine,
            [
                get("a", "k"), put("a", "k", "1"), get("a", "k"), increment("a", "k", 41), get("a", "k"),
                Operation(log: "a", .delete(key: Array("k".utf8))), get("a", "k"),
                Operation(log: "a", .delete(key: Array("k".utf8))), get("nowhere", "x"),
                Operation(log: "events", .append(.init(key: nil, value: Array("e".utf8)))),
            ]
        ).value()
        #expect(result.isCommitted)
        #expect(
            result.items.map(text) == [
                "missing", "0-0", "found 1", "= 42", "found 42", "0-2", "missing", "missing", "missing",
                "0-0",
            ])
        #expect(harness.engine.log(named: "a")?.configuration.compaction == .keys)
        #expect(
            harness.engine.log(named: "events")?.configuration.compaction == LogConfiguration.Compaction.none)
        #expect(harness.engine.log(named: "nowhere") == nil)
        #expect(try harness.engine.log(named: "events")?.values() == ["e"])
    }

    @Test("what cannot be done is named, and nothing of the rest is done")
    func failure() throws {
        let harness = EngineHarness()
        let log = try harness.log("a") { $0.partitions = 4 }
        _ = try log.put("text", "\"no number\"")
        _ = try log.put("full", "9223372036854775807")
        for (key, cause) in [("text", EngineError.notAnInteger), ("full", .integerOverflow)] {
            #expect(throws: EngineError.transactionFailed(index: 1, cause: cause)) {
                try run(harness.engine, [put("new", "k", "1"), increment("a", key, 1), put("a", "b", "2")])
            }
        }
        #expect(harness.engine.log(named: "new") == nil)
        #expect(log.get("b") == nil)
        #expect(log.keyCount == 2)
    }

    @Test("requirements choose the branch")
    func branches() throws {
        let harness = EngineHarness()
        let log = try harness.log("a")
        let revision = try log.put("k", "1").value().revision
        func requirement(_ test: Transaction.Requirement.Test, _ key: String = "k") -> Transaction.Requirement
        {
            .init(log: "a", key: Array(key.utf8), test: test)
        }
        let isOne: @Sendable (UnsafeRawBufferPointer, RecordType) -> Bool = { value, _ in
            value.elementsEqual("1".utf8)
        }
        let cases: [([Transaction.Requirement], Bool)] = [
            ([], true), ([requirement(.exists(true))], true), ([requirement(.exists(false))], false),
            ([requirement(.exists(false), "other")], true), ([requirement(.revision(revision))], true),
            ([requirement(.revision(nil))], false), ([requirement(.value(isOne))], true),
            ([requirement(.value(isOne), "other")], false),
            ([requirement(.exists(true)), requirement(.exists(true), "other")], false),
            ([.init(log: "nowhere", key: [1], test: .exists(false))], true),
        ]
        for (requirements, isCommitted) in cases {
            let result = try run(
                harness.engine, if: requirements, [get("a", "k"), get("a", "k")], else: [get("a", "k")]
            ).value()
            #expect(result.isCommitted == isCommitted)
            #expect(result.items.count == (isCommitted ? 2 : 1))
        }
    }

    @Test("deadlines: the log's, kept, none, and one that has passed")
    func deadlines() throws {
        let harness = EngineHarness()
        let log = try harness.log("a") { $0.ttlMilliseconds = 1000 }
        let now = harness.clock.now()
        _ = try log.put("kept", "1") { $0.expiry = .at(milliseconds: now + 50) }
        let result = try run(
            harness.engine,
            [
                put("a", "default", "1"), put("a", "kept", "2", .keep), put("a", "none", "3", .never),
                put("a", "past", "4", .at(milliseconds: now)), get("a", "past"), increment("a", "past", 1),
            ]
        ).value()
        #expect(result.items.suffix(2).map(text) == ["missing", "= 1"])
        harness.clock.advance(milliseconds: 50)
        #expect(log.get("kept") == nil)
        harness.clock.advance(milliseconds: 950)
        #expect(log.get("default") == nil)
        #expect(log.get("none") == "3")
    }

    @Test("memory is checked before anything is applied")
    func memory() throws {
        let harness = EngineHarness()
        let small = try harness.log("small") { $0.memory.maxBytes = 1 << 20 }
        let other = try harness.log("other")
        _ = try small.put("k", "v")
        let large = String(repeating: "x", count: 2 << 20)
        #expect(throws: EngineError.self) {
            try run(harness.engine, [put("other", "a", "1"), put("small", "b", large)])
        }
        #expect(other.keyCount == 0)
        #expect(small.keyCount == 1)
    }

    @Test("room is made where it is missing, and asked of no other log")
    func room() throws {
        let harness = EngineHarness()
        let cache = try harness.log("cache") {
            $0.compaction = .keys
            $0.memory.maxBytes = 4 << 20
            $0.memory.eviction = .lru
        }
        _ = try harness.log("small") {
            $0.compaction = .keys
            $0.memory.maxBytes = 64 << 10
        }
        let value = String(repeating: "v", count: 1000)
        for key in 0..<20_000 {
            let result = try run(
                harness.engine,
                [put("cache", "key-\(key)", value), put("small", "last", "\(key)"), get("small", "last")]
            ).value()
            #expect(result.isCommitted)
            if key % 50 == 0 { harness.pass(milliseconds: 1) }
        }
        #expect(cache.keyCount > 2000)
        #expect(cache.account.totalBytes <= 4 << 20)
    }

    @Test("of two that each create what the other must not find, one does")
    func skewOverNewLogs() throws {
        for round in 0..<200 {
            let engine = EngineHarness().engine
            let done = Lock(0)
            let threads = [("a", "b"), ("b", "a")].map { absent, created in
                Thread(name: "skew") {
                    var transaction = Transaction()
                    transaction.requirements = [.init(log: absent, key: [1], test: .exists(false))]
                    transaction.then = [self.put(created, "\u{1}", "1")]
                    transaction.otherwise = [self.get(absent, "\u{1}")]
                    // A failure counts as not done, and is seen below.
                    if case .done(let result)? = try? engine.transact(transaction), result.isCommitted {
                        done.withLock { $0 += 1 }
                    }
                }
            }
            for thread in threads { thread.join() }
            #expect(done.withLock { $0 } == 1, "round \(round)")
        }
    }

    @Test("a transaction is one entry: invisible until it commits, and then wholly")
    func oneEntry() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log("a") { $0.partitions = 8 }
        let held = try #require(harness.commitLog)
        let writes = (0..<20).map { put("a", "k\($0)", "\($0)") } + [put("b", "k", "1")]
        let first = Settled(try run(harness.engine, writes))
        #expect(held.heldCount == 1)
        #expect(first.isPending)
        #expect((0..<20).allSatisfy { log.get("k\($0)") == nil })
        // It depends on a key that has an uncommitted write: it waits, and is then decided.
        let second = Settled(
            try run(
                harness.engine, if: [.init(log: "a", key: Array("k3".utf8), test: .exists(true))],
                [increment("a", "k3", 1)]))
        #expect(second.isPending)
        held.commit(1)
        #expect(first.value?.isCommitted == true)
        #expect((0..<20).allSatisfy { log.get("k\($0)") == "\($0)" })
        held.commit()
        #expect(second.value?.items.map(text) == ["= 4"])
        let third = Settled(try run(harness.engine, [put("a", "k1", "lost"), put("b", "k", "lost")]))
        held.failAll("the disk is gone")
        #expect(third.error == .outcomeUnknown(reason: "the disk is gone"))
        #expect(log.get("k1") == "1")
        #expect(harness.engine.log(named: "b")?.get("k") == "1")
    }

    @Test("transfers by many threads never change the sum, in any transaction's or cut's eyes")
    func transfers() throws {
        let harness = EngineHarness()
        let accounts = 32
        for number in 0..<3 { _ = try harness.log("bank-\(number)") { $0.partitions = 1 + number * 3 } }
        @Sendable func log(_ account: Int) -> String { "bank-\(account % 3)" }
        for account in 0..<accounts {
            _ = try run(harness.engine, [put(log(account), "account-\(account)", "100")])
        }
        let engine = harness.engine
        let everything = (0..<accounts).map { get(log($0), "account-\($0)") }
        let wrong = Lock(0)
        let threads = (0..<4).map { number in
            Thread(name: "teller") {
                var random = UInt64(number + 1)
                for round in 0..<500 {
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let from = Int(random >> 33) % accounts
                    let to = Int(random >> 40) % accounts
                    var transfer = Transaction()
                    transfer.then = [
                        self.increment(log(from), "account-\(from)", -7),
                        self.increment(log(to), "account-\(to)", 7),
                    ]
                    // A failure leaves the sum as it is: the test is about that.
                    _ = try? engine.transact(transfer)
                    guard round % 5 == 0 else { continue }
                    var look = Transaction()
                    look.then = everything
                    guard case .done(let result)? = try? engine.transact(look) else { continue }
                    let sum = result.items.reduce(0) { sum, item in
                        if case .found(let record, _) = item {
                            return sum + (Int(String(decoding: record.value, as: UTF8.self)) ?? 0)
                        }
                        return sum
                    }
                    if sum != accounts * 100 { wrong.withLock { $0 += 1 } }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == 0)
    }
}
