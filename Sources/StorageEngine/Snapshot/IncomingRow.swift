import Platform

/// A record that keeps the place that it had, or gets one. Its bytes have to stay until it is appended.
package struct IncomingRow {
    package let offset: Int64
    package let key: UnsafeRawBufferPointer?
    package let value: UnsafeRawBufferPointer
    /// Encoded `RecordExtras`; empty without any.
    package let extras: UnsafeRawBufferPointer
    package let timestamp: Int64
    package let arrival: Int64
    package let deadline: Int64
    package let type: RecordType
    package let priority: UInt8
    /// It was no longer the newest of its key, though a newer one may not be there any more.
    package let isSuperseded: Bool

    package init(
        offset: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer,
        extras: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), timestamp: Int64,
        arrival: Int64, deadline: Int64 = Deadline.never, type: RecordType = .json, priority: UInt8 = 0,
        isSuperseded: Bool = false
    ) {
        self.offset = offset
        self.key = key
        self.value = value
        self.extras = extras
        self.timestamp = timestamp
        self.arrival = arrival
        self.deadline = deadline
        self.type = type
        self.priority = priority
        self.isSuperseded = isSuperseded
    }

    fileprivate var draft: RowDraft {
        RowDraft(
            key: key, value: value, extras: extras, timestamp: timestamp, arrival: arrival,
            deadline: deadline,
            type: type, priority: priority)
    }
}

/// Some rows on their way into a sealed batch.
struct IncomingBatch {
    /// As large as batches of full logs are.
    private static let bytesMax = 1 << 20

    let plan: ColumnPlan
    let isAscending: Bool
    private let rows: ArraySlice<IncomingRow>
    private let base: Int64

    /// One past the last row that still fits into a batch which begins at `start`.
    static func end(of rows: [IncomingRow], from start: Int) -> Int {
        var bytes = 0
        var end = start
        while end < rows.count, end - start < ColumnPlan.rowsMax {
            bytes += rows[end].value.count + (rows[end].key?.count ?? 0) + rows[end].extras.count
            let distance = rows[end].offset &- rows[start].offset
            if end > start, bytes > bytesMax || distance > Int64(UInt32.max) { break }
            end += 1
        }
        return end
    }

    /// - Precondition: there are some.
    init(_ rows: ArraySlice<IncomingRow>) {
        self.rows = rows
        var need = ColumnPlan.Usage()
        var isDense = true
        var isAscending = true
        var last: Int64?
        for row in rows {
            let usage = row.draft.usage
            need.add(usage)
            need.columns.formUnion(usage.columns)
            if let last {
                isAscending = isAscending && row.offset > last
                isDense = isDense && row.offset == last &+ 1
            }
            last = row.offset
        }
        if !isDense { need.columns.insert(.deltas) }
        base = rows.first?.offset ?? 0
        self.isAscending = isAscending && base >= 0 && (last ?? 0) < Int64.max / 4
        plan = ColumnPlan(need: need, habit: ColumnPlan.Usage(), target: 0)
    }

    func make(_ pool: SlabPool, _ account: MemoryAccount) -> Batch {
        let batch = Batch(base: base, plan: plan, pool: pool, account: account)
        let header = batch.header
        for (position, row) in rows.enumerated() {
            header.pointee.timestamps[position] = row.timestamp
            header.pointee.deltas?[position] = UInt32(truncatingIfNeeded: row.offset - base)
            Self.copy(row.value, to: header.pointee.values, header.pointee.valueOffsets, position)
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            if let keys = header.pointee.keys, let offsets = header.pointee.keyOffsets {
                Self.copy(row.key ?? none, to: keys, offsets, position)
            }
            if let extras = header.pointee.extras, let offsets = header.pointee.extrasOffsets {
                Self.copy(row.extras, to: extras, offsets, position)
            }
            header.pointee.types?[position] = row.type.rawValue
            header.pointee.priorities?[position] = row.priority
            header.pointee.deadlines?[position] = row.deadline
            header.pointee.arrivals?[position] = row.arrival
            header.pointee.earliestDeadline = min(header.pointee.earliestDeadline, row.deadline)
            header.pointee.maxTimestamp = max(header.pointee.maxTimestamp, row.timestamp)
            header.pointee.lastArrival = max(header.pointee.lastArrival, row.arrival)
            if row.type.isTombstone {
                header.pointee.lastTombstone = max(header.pointee.lastTombstone, row.arrival)
            }
        }
        header.pointee.rows = rows.count
        header.pointee.presentCount = rows.count
        header.pointee.newestCount = rows.count
        header.pointee.endOfRange = (rows.last?.offset ?? base) + 1
        header.pointee.isSealed = true
        for (position, row) in rows.enumerated() where row.isSuperseded && row.key != nil {
            batch.clearNewest(position)
        }
        return batch
    }

    private static func copy(
        _ bytes: UnsafeRawBufferPointer, to data: UnsafeMutableRawPointer,
        _ offsets: UnsafeMutablePointer<Int32>, _ row: Int
    ) {
        if let start = bytes.baseAddress {
            (data + Int(offsets[row])).copyMemory(from: start, byteCount: bytes.count)
        }
        offsets[row + 1] = offsets[row] + Int32(truncatingIfNeeded: bytes.count)
    }
}
