import Platform
import StorageEngine

// The loops that are measured. Anything thrown here would be a mistake of the benchmark itself.

func append(_ value: [UInt8], _ count: Int, to log: Log, partition: Int) {
    expectNoError {
        for _ in 0..<count { _ = try log.append(value: value.span.bytes, partition: partition) }
    }
}

func appendBatches(_ value: [UInt8], _ count: Int, to log: Log, partition: Int = 0) {
    let rows = 1000
    let values = [UInt8](repeating: value.first ?? 0, count: value.count * rows)
    let ends = (1...rows).map { Int32($0 * value.count) }
    expectNoError {
        for _ in 0..<count {
            _ = try log.append(values: values.span.bytes, ends: ends.span, partition: partition)
        }
    }
}

func put(_ keys: [UInt64], _ value: [UInt8], _ log: Log, expiry: Expiry = .logDefault) {
    var options = PutOptions()
    options.expiry = expiry
    expectNoError {
        for key in keys {
            try withUnsafeBytes(of: key) { key in
                _ = try log.put(key: key.bytes, value: value.span.bytes, options)
            }
        }
    }
}

/// - Parameter done: called when it is acknowledged.
func put(_ key: UInt64, _ value: [UInt8], _ log: Log, _ done: @escaping @Sendable () -> Void) {
    expectNoError {
        let outcome = try withUnsafeBytes(of: key) { key in
            try log.put(key: key.bytes, value: value.span.bytes, PutOptions())
        }
        switch outcome {
        case .done: done()
        case .pending(let ticket): ticket.whenComplete { _ in done() }
        }
    }
}

func get(_ keys: [UInt64], _ log: Log) {
    var found = 0
    for key in keys where contains(key, log) { found += 1 }
    precondition(found == keys.count)
}

func contains(_ key: UInt64, _ log: Log) -> Bool {
    withUnsafeBytes(of: key) { log.withValue(key: $0.bytes) { _ in } }
}

func shuffled(_ count: Int) -> [UInt64] {
    var random = SystemRandomNumberGenerator()
    return (0..<UInt64(count)).shuffled(using: &random)
}

private func expectNoError(_ body: () throws -> Void) {
    do { try body() } catch { preconditionFailure("the benchmark's own operation failed: \(error)") }
}
