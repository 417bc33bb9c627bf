import Platform

/// The survivors of a run in new batches, packed into as little memory as slabs allow. Made without the partition's
/// lock: rows below the committed count do not change, and the bitmaps are ours while the views live.
struct SurvivorCopy {
    /// Where a survivor was, in the order of offsets.
    private struct Origin {
        let view: Int32
        let row: Int32
    }

    private var origins: [Origin] = []
    /// The first survivor of each view, and one past the last.
    private var viewStarts: [Int] = []
    /// The first survivor of each batch.
    private var batchStarts: [Int] = []
    private(set) var batches: [Batch] = []

    var allocatedBytes: Int { batches.reduce(0) { $0 + $1.chargedBytes } }

    /// - Complexity: O(rows of the run).
    init(of run: RewritingRun, partition: Partition) {
        let (pool, account) = partition.state.withLock { ($0.pool, $0.account) }
        for (number, view) in run.views.enumerated() {
            viewStarts.append(origins.count)
            for row in view.rows where run.keeps(row, of: view.header) {
                origins.append(Origin(view: Int32(number), row: Int32(row)))
            }
        }
        viewStarts.append(origins.count)
        let plans = plan(run)
        var freed = run.allocatedBytes
        for plan in plans { freed -= plan.columns.slabBytes + Batch.fixedBytes }
        // Not worth a copy.
        guard freed > 0 else {
            batches = run.views.map(\.batch)
            return
        }
        for (number, plan) in plans.enumerated() {
            let base = number == 0 ? run.views[0].header.base : offset(of: plan.range.lowerBound, run)
            let batch = Batch(base: base, plan: plan.columns, pool: pool, account: account)
            for index in plan.range {
                batch.appendCopy(
                    of: Int(origins[index].row), in: run.views[Int(origins[index].view)].header)
            }
            let next = plans.indices.contains(number + 1) ? plans[number + 1].range.lowerBound : nil
            let end = next.map { offset(of: $0, run) } ?? run.views.last?.header.endOfRange
            batch.header.pointee.endOfRange = end ?? base
            batch.header.pointee.isSealed = true
            batchStarts.append(plan.range.lowerBound)
            batches.append(batch)
        }
    }

    private func offset(of index: Int, _ run: RewritingRun) -> Int64 {
        run.views[Int(origins[index].view)].header.offset(ofRow: Int(origins[index].row))
    }

    // MARK: Packing

    private typealias Plan = (range: Range<Int>, columns: ColumnPlan)

    /// Full slabs first; what is left goes into the powers of two that it fills, so that little stays unfilled.
    private func plan(_ run: RewritingRun) -> [Plan] {
        var columns: ColumnPlan.Columns = .deltas
        for view in run.views { columns.formUnion(view.header.usedColumns) }
        var remaining = 0
        for origin in origins { remaining += usage(origin, run, columns).bytes }
        var plans: [Plan] = []
        var start = 0
        while start < origins.count {
            let target = Self.slabBytes(for: remaining, max: run.slabBytesMax)
            var need = ColumnPlan.Usage(columns: columns)
            var end = start
            while end < origins.count {
                let row = usage(origins[end], run, columns)
                let isTooMuch = need.bytes + row.bytes + ColumnPlan.overheadBytes > target
                if end > start, isTooMuch || need.rows == ColumnPlan.rowsMax { break }
                need.add(row)
                end += 1
            }
            remaining -= need.bytes
            plans.append((start..<end, ColumnPlan(need: need, habit: ColumnPlan.Usage(), target: 0)))
            start = end
        }
        return plans
    }

    private func usage(_ origin: Origin, _ run: RewritingRun, _ columns: ColumnPlan.Columns)
        -> ColumnPlan.Usage
    {
        let header = run.views[Int(origin.view)].header
        let row = Int(origin.row)
        return ColumnPlan.Usage(
            rows: 1, keyBytes: header.key(row)?.count ?? 0, valueBytes: header.value(row).count,
            extrasBytes: header.extras(row).count, columns: columns)
    }

    /// The largest slab that these bytes fill to four fifths.
    private static func slabBytes(for bytes: Int, max slabBytesMax: Int) -> Int {
        var slab = SlabPool.smallestSlabBytes
        while slab < slabBytesMax, bytes >= slab * 2 / 5 * 4 { slab *= 2 }
        return slab
    }

    // MARK: Meanwhile

    /// Under the partition's lock: what died, or was visited, since the views were taken.
    func carryOver(_ run: RewritingRun) {
        guard !batchStarts.isEmpty else { return }
        for (number, view) in run.views.enumerated() {
            let now = view.batch.header
            let survivors = viewStarts[number]..<viewStarts[number + 1]
            if now.pointee.present !== view.header.present || now.pointee.newest !== view.header.newest {
                for index in survivors {
                    let row = Int(origins[index].row)
                    let (batch, target) = place(of: index)
                    if !now.pointee.isPresent(row) { batch.clearPresent(target) }
                    if !now.pointee.isNewest(row) { batch.clearNewest(target) }
                }
            }
            if now.pointee.visited != nil {
                for index in survivors where now.pointee.isVisited(Int(origins[index].row)) {
                    let (batch, target) = place(of: index)
                    batch.markVisited(target)
                }
            }
        }
    }

    private func place(of index: Int) -> (batch: Batch, row: Int) {
        var number = batchStarts.count - 1
        while batchStarts[number] > index { number -= 1 }
        return (batches[number], index - batchStarts[number])
    }
}

extension RewritingRun {
    fileprivate func keeps(_ row: Int, of header: BatchHeader) -> Bool {
        guard header.isPresent(row) else { return false }
        if !protected.isEmpty, protected.contains(header.offset(ofRow: row)) { return true }
        return !keepsNewestOnly || header.isNewest(row)
            || (header.lastTombstone >= tombstonesFrom && header.type(row).isTombstone
                && header.arrival(row) >= tombstonesFrom)
    }
}

extension Batch {
    /// Before any other thread sees this batch.
    fileprivate func appendCopy(of row: Int, in source: BatchHeader) {
        let target = header.pointee.rows
        func copy(
            _ bytes: UnsafeRawBufferPointer, to data: UnsafeMutableRawPointer?,
            _ offsets: UnsafeMutablePointer<Int32>?
        ) {
            guard let data, let offsets else { return }
            if let start = bytes.baseAddress {
                (data + Int(offsets[target])).copyMemory(from: start, byteCount: bytes.count)
            }
            offsets[target + 1] = offsets[target] + Int32(bytes.count)
        }
        header.pointee.timestamps[target] = source.timestamps[row]
        header.pointee.deltas?[target] = UInt32(source.offset(ofRow: row) - header.pointee.base)
        copy(source.value(row), to: header.pointee.values, header.pointee.valueOffsets)
        let key = source.key(row) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        copy(key, to: header.pointee.keys, header.pointee.keyOffsets)
        copy(source.extras(row), to: header.pointee.extras, header.pointee.extrasOffsets)
        header.pointee.types?[target] = source.type(row).rawValue
        if source.type(row).isTombstone {
            header.pointee.lastTombstone = max(header.pointee.lastTombstone, source.arrival(row))
        }
        header.pointee.priorities?[target] = source.priority(row)
        header.pointee.deadlines?[target] = source.deadline(row)
        header.pointee.arrivals?[target] = source.arrival(row)
        header.pointee.rows = target + 1
        header.pointee.presentCount += 1
        header.pointee.newestCount += 1
        if !source.isNewest(row) { clearNewest(target) }
        header.pointee.earliestDeadline = min(header.pointee.earliestDeadline, source.deadline(row))
        header.pointee.maxTimestamp = max(header.pointee.maxTimestamp, source.timestamps[row])
        header.pointee.lastArrival = max(header.pointee.lastArrival, source.arrival(row))
    }
}
