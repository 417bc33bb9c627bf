import Platform

/// One row on its way into the active batch.
struct RowDraft {
    var key: UnsafeRawBufferPointer?
    var value: UnsafeRawBufferPointer
    var extras = UnsafeRawBufferPointer(start: nil, count: 0)
    var timestamp: Int64
    var arrival: Int64
    var deadline = Deadline.never
    var type = RecordType.json
    var priority: UInt8 = 0

    var usage: ColumnPlan.Usage {
        var usage = ColumnPlan.Usage(
            rows: 1, keyBytes: key?.count ?? 0, valueBytes: value.count, extrasBytes: extras.count)
        if key != nil { usage.columns.insert(.keys) }
        if extras.count > 0 { usage.columns.insert(.extras) }
        if type != .json { usage.columns.insert(.types) }
        if deadline != Deadline.never { usage.columns.insert(.deadlines) }
        if priority != 0 { usage.columns.insert(.priorities) }
        if arrival != timestamp { usage.columns.insert(.arrivals) }
        return usage
    }
}

// Assigning: rows get offsets and are copied above the committed count, where nobody sees them.
extension PartitionState {
    /// Makes sure that one more row of this size fits the active batch.
    /// - Throws: `memoryFull` when that takes a new batch and the budget has no room, unless `isFree` of it (deletes).
    @inline(__always)
    mutating func makeRoom(for row: RowDraft, isFree: Bool = false) throws(EngineError) {
        if isOverLimit, !isFree {
            try account.admit(bytes: 0)
            isOverLimit = false
        }
        if let active, Self.fits(row, active) { return }
        try openBatch(for: row.usage, isFree: isFree)
    }

    /// The same for a row that takes no memory budget, so that a full log can be emptied and gone over.
    mutating func makeFreeRoom(for row: RowDraft) {
        do {
            try makeRoom(for: row, isFree: true)
        } catch {
            preconditionFailure("only the budget refuses room: \(error)")
        }
    }

    @inline(__always)
    private static func fits(_ row: RowDraft, _ header: UnsafeMutablePointer<BatchHeader>) -> Bool {
        let rows = header.pointee.rows
        guard rows < header.pointee.capacityRows,
            Int(header.pointee.valueOffsets[rows]) &+ row.value.count <= header.pointee.valueCapacity
        else { return false }
        if let key = row.key {
            guard let keyOffsets = header.pointee.keyOffsets,
                Int(keyOffsets[rows]) &+ key.count <= header.pointee.keyCapacity
            else { return false }
        }
        if row.extras.count > 0 {
            guard let extrasOffsets = header.pointee.extrasOffsets,
                Int(extrasOffsets[rows]) &+ row.extras.count <= header.pointee.extrasCapacity
            else { return false }
        }
        return true
    }

    /// What opening batches for these rows would take; 0 when they fit the active one.
    func bytesToOpen(for need: ColumnPlan.Usage) -> Int {
        if let active, Self.fits(need, active) { return 0 }
        let target = min(nextSlabBytes, policy.slabBytesMax)
        let plan = ColumnPlan(need: need, habit: active?.pointee.usage ?? need, target: target)
        return plan.slabBytes + Batch.fixedBytes
    }

    private static func fits(_ need: ColumnPlan.Usage, _ header: UnsafeMutablePointer<BatchHeader>) -> Bool {
        func fits(_ bytes: Int, _ offsets: UnsafeMutablePointer<Int32>?, _ capacity: Int) -> Bool {
            bytes == 0 || offsets.map { Int($0[header.pointee.rows]) + bytes <= capacity } ?? false
        }
        return header.pointee.rows + need.rows <= header.pointee.capacityRows
            && fits(need.valueBytes, header.pointee.valueOffsets, header.pointee.valueCapacity)
            && fits(need.keyBytes, header.pointee.keyOffsets, header.pointee.keyCapacity)
            && fits(need.extrasBytes, header.pointee.extrasOffsets, header.pointee.extrasCapacity)
    }

    /// Seals the active batch and opens the next, twice as large until a mebibyte.
    mutating func openBatch(for need: ColumnPlan.Usage, isFree: Bool) throws(EngineError) {
        let habit = active?.pointee.usage ?? need
        var target = min(nextSlabBytes, policy.slabBytesMax)
        var plan = ColumnPlan(need: need, habit: habit, target: target)
        // Where nothing gives way, what is left is used to the last.
        while !isFree, policy.eviction == .reject, target > SlabPool.smallestSlabBytes,
            plan.slabBytes + Batch.fixedBytes > account.freeBytes
        {
            target /= 2
            plan = ColumnPlan(need: need, habit: habit, target: target)
        }
        if !isFree { try account.admit(bytes: plan.slabBytes + Batch.fixedBytes) }
        active?.pointee.isSealed = true
        if let active { noteIfReclaimable(active) }
        let batch = Batch(base: assigned, plan: plan, pool: pool, account: account)
        list.append(batch)
        active = batch.header
        hasOpenedBatch = true
        if account.isOverWatermark { needsEviction = true }
        nextSlabBytes = min(SlabPool.largestSlabBytes, nextSlabBytes * 2)
    }

    /// Copies a row into the active batch. - Precondition: `makeRoom` succeeded for it.
    @inline(__always)
    mutating func write(_ row: RowDraft) {
        guard let header = active else { preconditionFailure("no room was made for the row") }
        let position = header.pointee.rows
        header.pointee.timestamps[position] = row.timestamp
        let valueStart = header.pointee.valueOffsets[position]
        Self.copy(row.value, to: header.pointee.values + Int(valueStart))
        header.pointee.valueOffsets[position &+ 1] = valueStart &+ Int32(truncatingIfNeeded: row.value.count)
        if let keyOffsets = header.pointee.keyOffsets, let keys = header.pointee.keys {
            let keyStart = keyOffsets[position]
            if let key = row.key { Self.copy(key, to: keys + Int(keyStart)) }
            keyOffsets[position &+ 1] = keyStart &+ Int32(truncatingIfNeeded: row.key?.count ?? 0)
        }
        if let extrasOffsets = header.pointee.extrasOffsets, let extras = header.pointee.extras {
            let start = extrasOffsets[position]
            Self.copy(row.extras, to: extras + Int(start))
            extrasOffsets[position &+ 1] = start &+ Int32(truncatingIfNeeded: row.extras.count)
        }
        writeOptionalColumns(row, position, header)
        header.pointee.rows = position &+ 1
        header.pointee.presentCount &+= 1
        header.pointee.newestCount &+= 1
        header.pointee.maxTimestamp = max(header.pointee.maxTimestamp, row.timestamp)
        header.pointee.lastArrival = row.arrival
        assigned &+= 1
        header.pointee.endOfRange = assigned
        appendedCount &+= 1
        appendedBytes &+= row.value.count &+ (row.key?.count ?? 0)
    }

    @inline(__always)
    private mutating func writeOptionalColumns(
        _ row: RowDraft, _ position: Int, _ header: UnsafeMutablePointer<BatchHeader>
    ) {
        if row.type != .json || header.pointee.types != nil {
            if header.pointee.types == nil { header.pointee.types = addColumn(RecordType.json.rawValue) }
            header.pointee.types?[position] = row.type.rawValue
            if row.type.isTombstone { header.pointee.lastTombstone = row.arrival }
        }
        if row.deadline != Deadline.never || header.pointee.deadlines != nil {
            if header.pointee.deadlines == nil { header.pointee.deadlines = addColumn(Deadline.never) }
            header.pointee.deadlines?[position] = row.deadline
            header.pointee.earliestDeadline = min(header.pointee.earliestDeadline, row.deadline)
        }
        if row.priority != 0 || header.pointee.priorities != nil {
            if header.pointee.priorities == nil { header.pointee.priorities = addColumn(UInt8(0)) }
            header.pointee.priorities?[position] = row.priority
        }
        if row.arrival != row.timestamp || header.pointee.arrivals != nil {
            if header.pointee.arrivals == nil {
                let arrivals = addColumn(Int64(0))
                arrivals.update(from: header.pointee.timestamps, count: position)
                header.pointee.arrivals = arrivals
            }
            header.pointee.arrivals?[position] = row.arrival
        }
    }

    @inline(never)
    private mutating func addColumn<Element>(_ initial: Element) -> UnsafeMutablePointer<Element> {
        guard let batch = list.batches.last else {
            preconditionFailure("the active batch is the last of the list")
        }
        return batch.addColumn(initial)
    }

    @inline(__always)
    private static func copy(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
        if let start = bytes.baseAddress { target.copyMemory(from: start, byteCount: bytes.count) }
    }
}
