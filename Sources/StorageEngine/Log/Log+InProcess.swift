import Platform

// The shortest ways in and out for programs that live with the engine: no request, no copy beyond the batch's own.
extension Log {
    /// Appends one unkeyed JSON record.
    package func append(value: RawSpan, partition number: Int) throws(EngineError) -> Offset {
        try checkExists(partition: number)
        return try makingRoom(in: number) { partition throws(EngineError) in
            try partition.append(value: value)
        }
    }

    /// Appends unkeyed JSON records that lie behind each other in `values`; `ends` are their ends, ascending.
    /// - Precondition: the last end is the length of `values`.
    package func append(values: RawSpan, ends: Span<Int32>, partition number: Int) throws(EngineError)
        -> Offset
    {
        try checkExists(partition: number)
        return try makingRoom(in: number) { partition throws(EngineError) in
            try partition.append(values: values, ends: ends)
        }
    }

    /// Looks at the value at exactly this offset, inside the partition's lock: `body` must be short.
    /// Not generic: across modules a generic closure costs more than the read.
    /// - Returns: false for a hole, and for what is in the archive, which `read` gets.
    package func withValue(partition number: Int, at offset: Offset, _ body: (UnsafeRawBufferPointer) -> Void)
        -> Bool
    {
        partitions.indices.contains(number)
            ? withPartition(number) { $0.withValue(at: offset, body) } : false
    }

    /// Looks at a key's newest value, inside the partition's lock: `body` must be short.
    /// - Returns: false without one, and for what is in the archive, which `get` gets.
    package func withValue(key: RawSpan, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        key.withUnsafeBytes { key in
            withPartition(partition(of: key)) { $0.withValue(key: key, hash: $0.hash(key), body) }
        }
    }

    /// Adds up all readable records' timestamps, wrapping: what a scan of one column costs.
    package func sumOfTimestamps(partition number: Int) -> Int64 {
        guard partitions.indices.contains(number) else { return 0 }
        var views: [BatchView] = []
        partitions[number].state.withLock { $0.addViews(partition: number, to: &views) }
        return views.reduce(0) { $0 &+ $1.sumOfTimestamps() }
    }
}

extension Partition {
    @inline(__always)
    func withValue(key: UnsafeRawBufferPointer, hash: UInt64, _ body: (UnsafeRawBufferPointer) -> Void)
        -> Bool
    {
        state.withLock { state in
            guard let found = state.findLive(key, hash, now: { clock.now() }) else { return false }
            if state.policy.eviction == .lru { state.markVisited(found.position, found.row) }
            if found.header.pointee.isStub { return false }
            body(found.header.pointee.value(found.row))
            return true
        }
    }
}

extension BatchView {
    /// Sums all rows, then takes off the dead ones: a loop without branches is vectorised.
    fileprivate func sumOfTimestamps() -> Int64 {
        var sum: Int64 = 0
        for row in rows { sum &+= header.timestamps[row] }
        guard header.present != nil else { return sum }
        for row in rows where !header.isPresent(row) { sum &-= header.timestamps[row] }
        return sum
    }
}
