import CSimdJSON

/// One line of a dump: its text, and the fields of a record as far as it has them. Slices are of the text that was parsed
/// or of `found.scratch`.
package struct DumpLine: Sendable {
    /// Within the call, from 1.
    package let number: Int
    /// The whole JSON text.
    package let text: RecordSlice
    package let log: RecordSlice
    /// Nil: it is no record.
    package let offset: Int64?
    /// Unix milliseconds.
    package let arrival: Int64?
    package let expiresAt: Int64?
    package let tombstone: RecordSlice
    package let isSuperseded: Bool
    package let record: RecordEnvelope

    init(_ line: pyra_json_dump_line, text: RecordSlice) {
        func has(_ bit: Int) -> Bool { Int(line.has) & bit != 0 }
        number = Int(line.number)
        self.text = text
        log = RecordSlice(line.log)
        offset = has(PYRA_JSON_DUMP_HAS_OFFSET) ? line.offset : nil
        arrival = has(PYRA_JSON_DUMP_HAS_ARRIVAL) ? line.arrival : nil
        expiresAt = has(PYRA_JSON_DUMP_HAS_DEADLINE) ? line.expires_at : nil
        tombstone = RecordSlice(line.tombstone)
        isSuperseded = has(PYRA_JSON_DUMP_SUPERSEDED)
        record = RecordEnvelope(line.envelope)
    }
}

/// The lines that a parser has found since its last reset. Valid until its next call.
package struct DumpLines {
    private let lines: UnsafeBufferPointer<pyra_json_dump_line>
    private let texts: UnsafeBufferPointer<RecordSlice>

    init(_ lines: UnsafeBufferPointer<pyra_json_dump_line>, texts: UnsafeBufferPointer<RecordSlice>) {
        self.lines = lines
        self.texts = texts
    }

    package var count: Int { lines.count }
    package subscript(_ index: Int) -> DumpLine { DumpLine(lines[index], text: texts[index]) }
}
