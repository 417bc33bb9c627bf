import JSON
import Platform
import StorageEngine

extension AppendPlan {
    /// The records that a parser has found in `source`, as columns for the engine.
    ///
    /// - Parameter type: of all of them.
    func draft(of found: FoundRecords, in source: ByteBuffer, type: ValueType = .json) -> Draft {
        var draft = Draft(source: source)
        draft.values = Self.slices(found.values)
        if fields.key != nil, let keys = found.keys {
            draft.scratch.append(found.scratch)
            draft.keys = Self.slices(keys)
        }
        if fields.timestamp != nil, let timestamps = found.timestamps { draft.timestamps = Array(timestamps) }
        addCommonColumns(to: &draft, type)
        return draft
    }

    /// The whole body as one record.
    func draft(ofWhole source: ByteBuffer, type: ValueType) -> Draft {
        var draft = Draft(source: source)
        draft.values = [.init(source: 0, count: UInt32(source.count))]
        addCommonColumns(to: &draft, type)
        return draft
    }

    private func addCommonColumns(to draft: inout Draft, _ type: ValueType) {
        let count = draft.count
        if let key { draft.keys = Array(repeating: draft.appendScratch(key), count: count) }
        if type.type != .json { draft.types = Array(repeating: type.type, count: count) }
        if !type.extras.isEmpty {
            draft.extras = Array(repeating: draft.appendScratch(type.extras), count: count)
        }
        if let timestamp { draft.timestamps = Array(repeating: timestamp, count: count) }
        if let ttlMilliseconds {
            let deadline = services.clock.now().addingReportingOverflow(ttlMilliseconds).partialValue
            draft.deadlines = Array(repeating: deadline, count: count)
        }
        if priority != 0 { draft.priorities = Array(repeating: priority, count: count) }
    }

    private static func slices(_ found: UnsafeBufferPointer<RecordSlice>) -> [Draft.Slice] {
        Array(unsafeUninitializedCapacity: found.count) { slices, count in
            for index in 0..<found.count {
                slices.initializeElement(at: index, to: Draft.Slice(found[index]))
            }
            count = found.count
        }
    }
}

extension Draft {
    /// Keeps bytes that do not stand in the source.
    mutating func appendScratch(_ bytes: [UInt8]) -> Slice {
        let start = scratch.count
        scratch.append(bytes)
        return Slice(scratch: UInt32(start), count: UInt32(bytes.count))
    }
}

extension Draft.Slice {
    @inline(__always)
    init(_ slice: RecordSlice) {
        self =
            slice.isAbsent
            ? .absent
            : slice.isScratch
                ? Self(scratch: slice.start, count: slice.count)
                : Self(source: slice.start, count: slice.count)
    }
}
