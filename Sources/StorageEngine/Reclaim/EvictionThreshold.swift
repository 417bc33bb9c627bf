/// Where to draw the line so that what lies below it is worth a number of bytes. Works on views, without any lock.
struct EvictionThreshold {
    let views: [BatchView]
    /// Tombstones younger than this stay for tails to see; nil: none is spared.
    var tombstonesFrom: Int64?

    /// What a row takes beside its key and value: its share of the columns, and its slot in the index.
    private static let rowBytes = 40

    /// The earliest deadline such that the rows that expire until then are worth `bytes`; if all together are not,
    /// the latest one. Nil when no row has a deadline.
    ///
    /// - Complexity: a few passes over the deadlines: each narrows the range to a 4096th.
    func deadline(worth bytes: Int) -> Int64? {
        guard var range = deadlineRange() else { return nil }
        var below = 0
        let binsMax: Int64 = 4096
        while range.lowerBound < range.upperBound {
            let width = (range.upperBound &- range.lowerBound) / binsMax + 1
            var bins = [Int](repeating: 0, count: Int(binsMax) + 1)
            forEachRow { header, row in
                let deadline = header.deadline(row)
                guard range.contains(deadline) else { return }
                bins[Int((deadline - range.lowerBound) / width)] += Self.bytes(header, row)
            }
            var bin = 0
            while bin < binsMax, below + bins[bin] < bytes,
                bin < Int((range.upperBound - range.lowerBound) / width)
            {
                below += bins[bin]
                bin += 1
            }
            let start = range.lowerBound + Int64(bin) * width
            range = start...min(range.upperBound, start + width - 1)
        }
        return range.lowerBound
    }

    private func deadlineRange() -> ClosedRange<Int64>? {
        var least = Deadline.never
        var most = Int64.min
        forEachRow { header, row in
            let deadline = header.deadline(row)
            guard deadline != Deadline.never else { return }
            least = min(least, deadline)
            most = max(most, deadline)
        }
        // A deadline is at least 1, so the range's width cannot overflow.
        return least <= most ? max(0, least)...max(0, most) : nil
    }

    /// How much of the data has a deadline.
    func bytesWithDeadline() -> Int {
        var bytes = 0
        forEachRow { header, row in
            if header.deadline(row) != Deadline.never { bytes += Self.bytes(header, row) }
        }
        return bytes
    }

    /// The lowest priority there is, and where its rows are: batches that have most of it first, as many as it takes
    /// to be worth `bytes`.
    func lowestPriority(worth bytes: Int) -> (
        priority: UInt8, batches: [(partition: Int, range: Range<Int64>)]
    )? {
        var lowest: UInt8 = .max
        var hasRows = false
        forEachRow { header, row in
            hasRows = true
            lowest = min(lowest, header.priority(row))
        }
        guard hasRows else { return nil }
        var shares: [(bytes: Int, index: Int)] = []
        for (index, entry) in views.enumerated() {
            var share = 0
            entry.forEachRow(tombstonesFrom) { header, row in
                if header.priority(row) == lowest { share += Self.bytes(header, row) }
            }
            if share > 0 { shares.append((share, index)) }
        }
        shares.sort { $0.bytes > $1.bytes }
        var worth = 0
        let chosen = shares.prefix { share in
            defer { worth += share.bytes }
            return worth < bytes
        }
        return (
            lowest,
            chosen.map { share in
                let header = views[share.index].header
                return (views[share.index].partition, header.base..<header.endOfRange)
            }
        )
    }

    private func forEachRow(_ body: (borrowing BatchHeader, Int) -> Void) {
        for view in views { view.forEachRow(tombstonesFrom, body) }
    }

    private static func bytes(_ header: borrowing BatchHeader, _ row: Int) -> Int {
        rowBytes + header.value(row).count + (header.key(row)?.count ?? 0)
    }
}

extension BatchView {
    fileprivate func forEachRow(_ tombstonesFrom: Int64?, _ body: (borrowing BatchHeader, Int) -> Void) {
        let isSparing = tombstonesFrom != nil && header.types != nil
        for row in rows where header.isPresent(row) {
            if isSparing, header.type(row).isTombstone, header.arrival(row) >= tombstonesFrom ?? 0 {
                continue
            }
            body(header, row)
        }
    }
}
