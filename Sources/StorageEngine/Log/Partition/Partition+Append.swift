import Platform

// Records by the row and by the column.
extension Partition {
    /// Appends one unkeyed JSON record: the shortest way in.
    package func append(value: RawSpan) throws(EngineError) -> Offset {
        let time = clock.tick()
        let (offset, followUp) = try value.withUnsafeBytes { value throws(EngineError) in
            try state.withLock { state throws(EngineError) -> (Int64, FollowUp) in
                try checkWritable(state)
                let deadline =
                    state.policy.ttlMilliseconds.map { addingSaturated(clock.now(), $0) } ?? Deadline.never
                let row = RowDraft(value: value, timestamp: time, arrival: time, deadline: deadline)
                try state.makeRoom(for: row)
                state.write(row)
                let offset = state.assigned &- 1
                if submit(&state) == nil { state.committed = state.assigned }
                return (offset, settle(&state, rows: 1))
            }
        }
        carryOut(followUp)
        return Offset(offset)
    }

    /// Appends unkeyed JSON records that lie behind each other in `values`; `ends` are their ends. One copy for all that
    /// fit a batch. - Precondition: `ends` ascends and its last element is the length of `values`.
    package func append(values: RawSpan, ends: Span<Int32>) throws(EngineError) -> Offset {
        let time = clock.tick()
        let (offset, followUp) = try values.withUnsafeBytes { values throws(EngineError) in
            try ends.withUnsafeBufferPointer { ends throws(EngineError) in
                try state.withLock { state throws(EngineError) -> (Int64, FollowUp) in
                    try checkWritable(state)
                    let start = state.assigned
                    try state.write(columns: values, ends: ends, time: time)
                    if submit(&state) == nil { state.committed = state.assigned }
                    return (start, settle(&state, rows: ends.count))
                }
            }
        }
        carryOut(followUp)
        return Offset(offset)
    }

    /// Under the lock: copies the rows of a draft, all of which go to this partition.
    /// - Parameter rows: indexes into the draft; nil for all of it in order.
    func write(_ draft: Draft, rows: [Int32]?, now: Int64, _ state: inout PartitionState) {
        let source = draft.source.bytes
        let scratch = draft.scratch.bytes
        let logDeadline = state.policy.ttlMilliseconds.map { addingSaturated(now, $0) } ?? Deadline.never
        for position in 0..<(rows?.count ?? draft.count) {
            let index = rows.map { Int($0[position]) } ?? position
            let row = draft.row(index, source, scratch, now: now, logDeadline: logDeadline)
            state.makeFreeRoom(for: row)
            state.write(row)
        }
    }
}

extension PartitionState {
    /// Copies runs of rows, as many as fit, into one batch after the other.
    fileprivate mutating func write(
        columns values: UnsafeRawBufferPointer, ends: UnsafeBufferPointer<Int32>, time: Int64
    ) throws(EngineError) {
        let isPlain = policy.ttlMilliseconds == nil
        if fits(columns: values.count, rows: ends.count), isPlain, let header = active {
            Self.copyRun(values, ends[...], 0, time: time, to: header)
            finishRun(rows: ends.count, bytes: values.count, time: time, header)
            return
        }
        try account.admit(bytes: values.count + ends.count * 16)
        var start = 0
        for end in ends {
            let value = UnsafeRawBufferPointer(rebasing: values[start..<Int(end)])
            let deadline = policy.ttlMilliseconds.map { addingSaturated(time, $0) } ?? Deadline.never
            let row = RowDraft(value: value, timestamp: time, arrival: time, deadline: deadline)
            try makeRoom(for: row, isFree: true)
            write(row)
            start = Int(end)
        }
    }

    private func fits(columns bytes: Int, rows: Int) -> Bool {
        guard let header = active, header.pointee.usedColumns.isEmpty, header.pointee.keyOffsets == nil,
            header.pointee.extrasOffsets == nil
        else { return false }
        return header.pointee.rows + rows <= header.pointee.capacityRows
            && Int(header.pointee.valueOffsets[header.pointee.rows]) + bytes <= header.pointee.valueCapacity
    }

    private static func copyRun(
        _ values: UnsafeRawBufferPointer, _ ends: Slice<UnsafeBufferPointer<Int32>>, _ start: Int,
        time: Int64,
        to header: UnsafeMutablePointer<BatchHeader>
    ) {
        let position = header.pointee.rows
        let first = header.pointee.valueOffsets[position]
        if let bytes = values.baseAddress {
            (header.pointee.values + Int(first)).copyMemory(from: bytes, byteCount: values.count)
        }
        let offsets = header.pointee.valueOffsets + position + 1
        let timestamps = header.pointee.timestamps + position
        guard let source = ends.base.baseAddress else { return }
        for row in 0..<ends.count {
            offsets[row] = first &+ source[row]
            timestamps[row] = time
        }
    }

    private mutating func finishRun(
        rows: Int, bytes: Int, time: Int64, _ header: UnsafeMutablePointer<BatchHeader>
    ) {
        header.pointee.rows += rows
        header.pointee.presentCount += rows
        header.pointee.newestCount += rows
        header.pointee.maxTimestamp = max(header.pointee.maxTimestamp, time)
        header.pointee.lastArrival = time
        assigned += Int64(rows)
        header.pointee.endOfRange = assigned
        appendedCount += rows
        appendedBytes += bytes
    }
}

extension Draft {
    /// - Parameter now: arrival; the deadline for `Deadline.logDefault` is `logDeadline`.
    @inline(__always)
    func row(
        _ index: Int, _ source: UnsafeRawBufferPointer, _ scratch: UnsafeRawBufferPointer, now: Int64,
        logDeadline: Int64
    ) -> RowDraft {
        func bytes(_ slice: Slice) -> UnsafeRawBufferPointer {
            let base = slice.isScratch ? scratch : source
            return UnsafeRawBufferPointer(rebasing: base[slice.start..<slice.start + Int(slice.count)])
        }
        var row = RowDraft(value: bytes(values[index]), timestamp: now, arrival: now, deadline: logDeadline)
        if !keys.isEmpty, !keys[index].isAbsent { row.key = bytes(keys[index]) }
        if !types.isEmpty { row.type = types[index] }
        if !timestamps.isEmpty, timestamps[index] != Self.timeOfArrival { row.timestamp = timestamps[index] }
        if !deadlines.isEmpty, deadlines[index] != Deadline.logDefault { row.deadline = deadlines[index] }
        if row.type.isTombstone { row.deadline = Deadline.never }
        if !priorities.isEmpty { row.priority = priorities[index] }
        if !extras.isEmpty, !extras[index].isAbsent { row.extras = bytes(extras[index]) }
        return row
    }

    /// What the batches will need for it, generously.
    var estimatedBytes: Int {
        var bytes = count * 32
        for slice in values { bytes += Int(slice.count) }
        for slice in keys where !slice.isAbsent { bytes += Int(slice.count) + 8 }
        for slice in extras where !slice.isAbsent { bytes += Int(slice.count) }
        return bytes
    }
}

/// Milliseconds, saturating at `Deadline.never`.
@inline(__always)
func addingSaturated(_ time: Int64, _ milliseconds: Int64) -> Int64 {
    let (sum, overflow) = time.addingReportingOverflow(milliseconds)
    return overflow ? Deadline.never : sum
}
