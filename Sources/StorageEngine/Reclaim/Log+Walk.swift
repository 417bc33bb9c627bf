import Platform

// The ledger's auditor: what a walk over everything finds must be what was charged.
extension Log {
    /// Memory by kind, counted anew from what is allocated. Pinned batches are held by readers and found by no walk.
    /// - Complexity: O(batches + pages of the index), under one partition's lock at a time.
    package func walkedBytes() -> [MemoryKind: Int] {
        var bytes: [MemoryKind: Int] = [:]
        for partition in partitions {
            partition.state.withLock { state in
                for batch in state.list.batches { bytes[.payload, default: 0] += batch.walkedBytes }
                bytes[.index, default: 0] +=
                    state.index.walkedBytes() + state.list.allocatedBytes
                    + PartitionState.fixedBytes
            }
        }
        return bytes
    }
}

extension Batch {
    fileprivate var walkedBytes: Int {
        let bitmaps = [header.pointee.present, header.pointee.newest].reduce(0) {
            $0 + ($1?.allocatedBytes ?? 0)
        }
        return allocatedBytes + bitmaps + Self.fixedBytes
    }
}
