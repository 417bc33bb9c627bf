import Platform

// The one mechanism that frees memory inside the log: the survivors of mostly dead batches move together into one batch.
// Offsets stay; a delta column says where each row was.
extension Partition {
    /// Adjacent batches whose survivors fit one batch, as they were when chosen.
    private struct Run {
        let views: [BatchView]
        let usage: ColumnPlan.Usage
    }

    /// Rewrites one run. - Returns: whether there was one, so that another may follow.
    func rewriteWorstRun() -> Bool {
        guard let run = state.withLock({ chooseRun(&$0) }) else { return false }
        let isKeyed = state.withLock { $0.policy.compactsKeys }
        let survivors = run.usage.rows == 0 ? nil : copySurvivors(run, keepsNewestOnly: isKeyed)
        state.withLock { $0.swap(run.views, for: survivors?.batch, copied: survivors?.rows ?? []) }
        return true
    }

    /// The first reclaimable batch and its neighbours, as long as their survivors fit a largest slab together.
    private func chooseRun(_ state: inout PartitionState) -> Run? {
        guard state.hasReclaimable else { return nil }
        guard
            let start = state.list.headers.firstIndex(where: {
                isChoosable($0, state) && $0.pointee.isReclaimable
            })
        else {
            state.hasReclaimable = false
            return nil
        }
        var usage = ColumnPlan.Usage()
        var end = start
        while end < state.list.count, isChoosable(state.list.headers[end], state) {
            let header = state.list.headers[end]
            let share = Double(state.keptCount(header)) / Double(max(1, header.pointee.rows))
            guard header.pointee.isReclaimable,
                end == start || fitsAfter(header, share, usage, state.list.headers[start])
            else { break }
            usage.rows += state.keptCount(header)
            usage.keyBytes += Int(Double(header.pointee.keyBytes) * share)
            usage.valueBytes += Int(Double(header.pointee.valueBytes) * share)
            usage.extrasBytes += Int(Double(header.pointee.extrasBytes) * share)
            usage.columns.formUnion(header.pointee.usedColumns)
            end += 1
        }
        let views = (start..<end).map { position in
            BatchView(
                batch: state.list.batches[position], header: state.list.headers[position].pointee,
                rows: 0..<state.list.headers[position].pointee.rows)
        }
        return Run(views: views, usage: usage)
    }

    private func isChoosable(_ header: UnsafeMutablePointer<BatchHeader>, _ state: borrowing PartitionState)
        -> Bool
    {
        header.pointee.isSealed && header.pointee.endOfRange <= state.committed
            && header.pointee.base >= state.first
    }

    private func fitsAfter(
        _ header: UnsafeMutablePointer<BatchHeader>, _ share: Double, _ usage: ColumnPlan.Usage,
        _ first: UnsafeMutablePointer<BatchHeader>
    ) -> Bool {
        let bytes =
            Double(header.pointee.keyBytes + header.pointee.valueBytes + header.pointee.extrasBytes) * share
        let soFar = usage.keyBytes + usage.valueBytes + usage.extrasBytes + usage.rows * 40
        return soFar + Int(bytes) < SlabPool.largestSlabBytes / 2
            && header.pointee.endOfRange - first.pointee.base < Int64(UInt32.max)
    }

    /// Without the lock: rows below the committed count do not change, and the bitmaps are ours while the views live.
    private func copySurvivors(
        _ run: Run, keepsNewestOnly: Bool
    ) -> (batch: Batch, rows: [(view: Int, row: Int)]) {
        var rows: [(view: Int, row: Int)] = []
        var need = ColumnPlan.Usage()
        need.columns = run.usage.columns.union(.deltas)
        for (index, view) in run.views.enumerated() {
            for row in view.rows
            where view.header.isPresent(row) && (!keepsNewestOnly || view.header.isNewest(row)) {
                rows.append((index, row))
                need.rows += 1
                need.keyBytes += view.header.key(row)?.count ?? 0
                need.valueBytes += view.header.value(row).count
                need.extrasBytes += view.header.extras(row).count
            }
        }
        let base = run.views[0].header.base
        let batch = state.withLock { state in
            Batch(
                base: base, plan: ColumnPlan(need: need, habit: ColumnPlan.Usage(), target: 0),
                pool: state.pool,
                account: state.account)
        }
        for (index, row) in rows { batch.appendCopy(of: row, in: run.views[index].header, keepsNewestOnly) }
        batch.header.pointee.endOfRange = run.views.last?.header.endOfRange ?? base
        batch.header.pointee.isSealed = true
        return (batch, rows)
    }
}

extension Batch {
    /// Before any other thread sees this batch.
    fileprivate func appendCopy(of row: Int, in source: BatchHeader, _ keepsNewestOnly: Bool) {
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
        header.pointee.priorities?[target] = source.priority(row)
        header.pointee.deadlines?[target] = source.deadline(row)
        header.pointee.arrivals?[target] = source.arrival(row)
        header.pointee.rows = target + 1
        header.pointee.presentCount += 1
        header.pointee.newestCount += 1
        if !keepsNewestOnly && !source.isNewest(row) { clearNewest(target) }
        header.pointee.earliestDeadline = min(header.pointee.earliestDeadline, source.deadline(row))
        header.pointee.maxTimestamp = max(header.pointee.maxTimestamp, source.timestamps[row])
        header.pointee.lastArrival = max(header.pointee.lastArrival, source.arrival(row))
    }
}

extension PartitionState {
    /// Puts the copy in the place of the run, after carrying over what died meanwhile; gives up when the run changed.
    fileprivate mutating func swap(
        _ views: [BatchView], for survivors: Batch?, copied: [(view: Int, row: Int)]
    ) {
        guard let base = views.first?.header.base else { return }
        let start = list.position(of: base)
        let range = start..<start + views.count
        guard range.upperBound <= list.count, zip(range, views).allSatisfy({ list.batches[$0] === $1.batch })
        else {
            return
        }
        if survivors == nil, range.contains(where: { keptCount(list.headers[$0]) > 0 }) { return }
        for (target, origin) in copied.enumerated() {
            let now = views[origin.view].batch.header
            if !now.pointee.isPresent(origin.row) { survivors?.clearPresent(target) }
            if !now.pointee.isNewest(origin.row) { survivors?.clearNewest(target) }
        }
        for position in range { list.batches[position].leavePartition() }
        list.replace(range, with: survivors.map { [$0] } ?? [])
        chargeIndex()
        if let survivors { noteIfReclaimable(survivors.header) }
    }
}
