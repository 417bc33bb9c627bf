import Platform
import StorageEngine

/// Every eviction policy under a cache's load, against what it promises.
struct Traces {
    /// How many more gets may miss than with an exact LRU of as many entries.
    private static let missPointsMax = 2.0
    private static let looks = 10

    private let keys: Int
    private let operations: Int
    private let zipf: Zipf
    private let seed: UInt64 = 0x7472_6163

    static func run(scale: Double) throws {
        let traces = Traces(scale: scale)
        let policies = [
            { try traces.lru(isMoving: false) }, { try traces.lru(isMoving: true) }, traces.fifo,
            traces.priority,
            traces.ttl, traces.reject,
        ]
        var failures: [String] = []
        // Each has its say, whatever the others come to.
        for policy in policies {
            do { try policy() } catch {
                report("  wrong: \(error)")
                failures.append("\(error)")
            }
        }
        try require(failures.isEmpty, failures.joined(separator: "; "))
    }

    private init(scale: Double) {
        keys = scaled(1_000_000, by: scale, min: 300_000)
        operations = scaled(10_000_000, by: scale, min: 3_000_000)
        zipf = Zipf(count: keys, theta: Trace.theta)
        report("\(operations) operations over \(keys) keys, Zipf \(Trace.theta), seed \(seed)")
    }

    private func trace(isMoving: Bool = false) -> Trace {
        Trace(keys: keys, operations: operations, zipf: zipf, isMoving: isMoving, seed: seed)
    }

    /// Runs a trace through a log: gets that miss become puts. Memory is looked at every thousand operations.
    private func drive(
        _ trace: Trace, _ cache: inout LogCache, options: (Int) -> PutOptions = { _ in PutOptions() },
        beside: (_ key: Int, _ isPut: Bool) -> Void = { _, _ in },
        look: (inout LogCache) throws -> Void = { _ in }
    ) throws {
        var trace = trace
        for number in 1...trace.operations {
            let (key, isPut) = trace.next()
            beside(key, isPut)
            let isMissing = try isPut || !cache.get(key)
            if isMissing { try cache.put(key, number: number, options(key)) }
            if number % 1000 == 0 { try cache.sampleMemory() }
            if number % (trace.operations / Self.looks) == 0 { try look(&cache) }
        }
    }

    private func lru(isMoving: Bool) throws {
        let watch = Stopwatch()
        var cache = try LogCache(keys: keys, eviction: .lru)
        var exact = ExactCache(keys: keys, capacity: keys / 10, countsHits: true)
        try drive(
            trace(isMoving: isMoving), &cache,
            beside: { key, isPut in
                if isPut { exact.put(key) } else { exact.get(key) }
            })
        let name = isMoving ? "lru, hot set moving" : "lru"
        report(missText(name, cache, exact, "exact LRU", watch))
        report("  \(cache.memoryText)")
        let points = 100 * Double(cache.misses - exact.misses) / Double(cache.gets)
        try require(
            points <= Self.missPointsMax,
            "\(name) misses \(rounded(points, places: 2)) points more than exact LRU")
    }

    private func fifo() throws {
        let watch = Stopwatch()
        var cache = try LogCache(keys: keys, eviction: .fifo)
        var exact = ExactCache(keys: keys, capacity: keys / 10, countsHits: false)
        try drive(
            trace(), &cache,
            beside: { key, isPut in
                if isPut { exact.put(key) } else { exact.get(key) }
            })
        try cache.settle()
        let live = try (0..<keys).map { try cache.liveOffset($0) }
        guard let first = live.compactMap({ $0 }).min() else { throw Failure("fifo kept nothing") }
        var kept = 0
        for key in 0..<keys where cache.offsets[key] >= 0 {
            let isWanted = cache.offsets[key] >= first
            if isWanted { kept += 1 }
            try require(
                isWanted == (live[key] != nil),
                "key \(key), put at \(cache.offsets[key]), is \(live[key] == nil ? "gone" : "there"): "
                    + "the oldest that is there was put at \(first)")
        }
        report(missText("fifo", cache, exact, "exact FIFO", watch))
        report("  exactly the \(kept) keys put last are there; \(cache.memoryText)")
    }

    private func priority() throws {
        let watch = Stopwatch()
        var cache = try LogCache(keys: keys, eviction: .priority)
        var order = EvictionOrder(keys: keys)
        func priority(_ key: Int) -> UInt8 { UInt8(SplitMix64.mix(UInt64(key)) % 5) }
        var evicted = 0
        try drive(trace(), &cache) { key in
            var options = PutOptions()
            options.priority = priority(key)
            return options
        } look: { cache in
            try order.look(cache) { Int64(priority($0)) }
            evicted += order.evicted
        }
        var classes = [Int](repeating: 0, count: 5)
        for key in 0..<keys where cache.log.holds(key) { classes[Int(priority(key))] += 1 }
        report(
            "priority: misses \(percent(cache.misses, of: cache.gets)), \(Self.looks) looks found \(evicted) gone, "
                + "never one above what stayed (\(watch.text))")
        report("  keys by class at the end \(classes); \(cache.memoryText)")
    }

    private func ttl() throws {
        let watch = Stopwatch()
        var cache = try LogCache(keys: keys, eviction: .ttl)
        var order = EvictionOrder(keys: keys)
        var random = SplitMix64(seed: seed + 1)
        let start = cache.test.clock.now()
        let (hour, day): (Int64, Int64) = (3_600_000, 86_400_000)
        var deadlines = [Int64](repeating: 0, count: keys)
        var evicted = 0
        try drive(trace(), &cache) { key in
            // One key in twenty is there for ever.
            let isEternal = SplitMix64.mix(UInt64(key)) % 20 == 0
            deadlines[key] = isEternal ? Int64.max : start + hour + Int64(random.below(Int(day)))
            var options = PutOptions()
            options.expiry = isEternal ? .never : .at(milliseconds: deadlines[key])
            return options
        } look: { cache in
            try order.look(cache) { deadlines[$0] }
            evicted += order.evicted
        }
        report(
            "ttl: misses \(percent(cache.misses, of: cache.gets)), \(Self.looks) looks found \(evicted) gone, "
                + "none with a later deadline than what stayed (\(watch.text))")
        report("  \(cache.memoryText)")
    }

    private func reject() throws {
        let watch = Stopwatch()
        var cache = try LogCache(keys: keys, eviction: .reject)
        var trace = trace()
        var number = 0
        var refusal: EngineError?
        while refusal == nil {
            number += 1
            // Once the trace is over, one key after the other fills the rest.
            let (key, isPut) = number <= operations ? trace.next() : ((number - operations) % keys, true)
            let isMissing = try isPut || !cache.get(key)
            do {
                if isMissing { try cache.put(key, number: number) }
            } catch let error as EngineError {
                refusal = error
            }
            if number % 1000 == 0 { try cache.sampleMemory() }
        }
        guard case .memoryFull(let budget, let limit, _, _) = refusal else {
            throw Failure("a put was refused with \(String(describing: refusal))")
        }
        try require(
            limit == cache.limitBytes, "the refusal names a limit of \(limit), not \(cache.limitBytes)")
        var kept = 0
        for key in 0..<keys where cache.offsets[key] >= 0 {
            try require(try cache.isIntact(key), "key \(key), put before the log was full, is gone")
            kept += 1
        }
        report(
            "reject: operation \(number) refused by \(budget), all \(kept) keys put before are there (\(watch.text))"
        )
        report("  \(cache.memoryText)")
    }

    private func missText(
        _ name: String, _ cache: LogCache, _ exact: ExactCache, _ other: String, _ watch: Stopwatch
    ) -> String {
        "\(name): misses \(percent(cache.misses, of: cache.gets)), \(other) of \(keys / 10) entries "
            + "\(percent(exact.misses, of: cache.gets)) (\(watch.text))"
    }
}
