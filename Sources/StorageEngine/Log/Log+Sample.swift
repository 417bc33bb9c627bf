import Platform

extension Log {
    /// Random live keys, each with the bytes of its key and value; the same key may come twice.
    ///
    /// - Complexity: O(`count`), whatever the log holds; locks are held for a few rows at a time.
    package func sampleKeys(atMost count: Int) -> [(key: [UInt8], bytes: Int)] {
        var sample: [(key: [UInt8], bytes: Int)] = []
        let share = max(1, count / partitionCount)
        let rowsAStep = 64
        for partition in partitions {
            var remaining = share
            while remaining > 0 {
                let step = min(rowsAStep, remaining)
                remaining -= step
                sample += partition.state.withLock { state in
                    (0..<step).compactMap { _ in state.randomKey() }
                }
            }
        }
        return sample
    }
}

extension PartitionState {
    /// A row chosen evenly among batches' rows by offset; nil when it is no live key.
    fileprivate func randomKey() -> (key: [UInt8], bytes: Int)? {
        guard first < committed else { return nil }
        let position = list.position(of: Int64.random(in: first..<committed))
        guard position < list.count else { return nil }
        let header = list.headers[position]
        guard header.pointee.rows > 0 else { return nil }
        let row = Int.random(in: 0..<header.pointee.rows)
        let offset = header.pointee.offset(ofRow: row)
        guard offset >= first, offset < committed, header.pointee.isPresent(row),
            header.pointee.isNewest(row),
            let key = header.pointee.key(row)
        else { return nil }
        return (Array(key), key.count + header.pointee.value(row).count)
    }
}
