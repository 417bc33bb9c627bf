import HTTP
import Platform
import StorageEngine

/// Something of a fixed size that a user's request is made of. It is run once before it is counted.
struct Scenario: Sendable {
    let name: String
    let prepare: @Sendable (Bench) throws -> () throws -> Void

    static let all = [
        appends, batches, reads, newKeys, overwrites, gets, transactions, httpGets, httpPuts, httpLines,
    ]

    private static let value = [UInt8](repeating: 0x61, count: 100)

    private static let appends = Scenario(name: "10,000 appends of 100 bytes") { bench in
        let log = try bench.log("appends")
        return { for _ in 0..<10_000 { _ = try log.append(value: value.span.bytes, partition: 0) } }
    }

    private static let batches = Scenario(name: "100 batches of 1,000 appends of 32 bytes") { bench in
        let log = try bench.log("batches")
        let values = [UInt8](repeating: 0x61, count: 32_000)
        let ends = (1...1000).map { Int32($0 * 32) }
        return {
            for _ in 0..<100 { _ = try log.append(values: values.span.bytes, ends: ends.span, partition: 0) }
        }
    }

    private static let reads = Scenario(name: "10,000 reads by offset") { bench in
        let log = try bench.log("reads")
        for _ in 0..<10_000 { _ = try log.append(value: value.span.bytes, partition: 0) }
        return {
            for offset in 0..<10_000 {
                _ = log.withValue(partition: 0, at: Offset(Int64(offset))) { _ in }
            }
        }
    }

    private static let newKeys = Scenario(name: "10,000 puts of new keys") { bench in
        let log = try bench.keyed(0, value)
        var next: UInt64 = 0
        return {
            for _ in 0..<10_000 {
                try bench.put(next, value, log)
                next += 1
            }
        }
    }

    private static let overwrites = Scenario(name: "10,000 puts of known keys") { bench in
        let log = try bench.keyed(10_000, value)
        return { for key in 0..<UInt64(10_000) { try bench.put(key, value, log) } }
    }

    private static let gets = Scenario(name: "10,000 gets of keys") { bench in
        let log = try bench.keyed(10_000, value)
        return {
            for key in 0..<UInt64(10_000) {
                let isThere = withUnsafeBytes(of: key) { log.withValue(key: $0.bytes) { _ in } }
                precondition(isThere)
            }
        }
    }

    private static let transactions = Scenario(name: "1,000 transactions of two increments") { bench in
        _ = try bench.log("accounts") { $0.compaction = .keys }
        let keys = (0..<100).map { Array("account-\($0)".utf8) }
        return {
            for number in 0..<1000 {
                var transaction = Transaction()
                transaction.then = [
                    .init(log: "accounts", .increment(key: keys[number % 100], IncrementOptions())),
                    .init(log: "accounts", .increment(key: keys[(number + 1) % 100], IncrementOptions())),
                ]
                _ = try bench.engine.transact(transaction)
            }
        }
    }

    private static let httpGets = Scenario(name: "1,000 requests that get a key") { bench in
        bench.call(.put, "/v1/logs/bench/keys/k", type: "text/plain", value, status: 201)
        return {
            for _ in 0..<1000 { bench.call(.get, "/v1/logs/bench/keys/k", type: "", [], status: 200) }
        }
    }

    private static let httpPuts = Scenario(name: "1,000 requests that put a key") { bench in
        bench.call(.put, "/v1/logs/bench/keys/k", type: "text/plain", value, status: 201)
        return {
            for _ in 0..<1000 {
                bench.call(.put, "/v1/logs/bench/keys/k", type: "text/plain", value, status: 200)
            }
        }
    }

    private static let httpLines = Scenario(name: "a request that appends 10,000 lines") { bench in
        let lines = (0..<10_000).map {
            "{\"user\":\($0),\"action\":\"click\",\"page\":\"/products/\($0)\"}\n"
        }
        let body = Array(lines.joined().utf8)
        return {
            bench.call(.post, "/v1/logs/lines/records", type: "application/x-ndjson", body, status: 201)
        }
    }
}
