import CSimdJSON
import Platform

extension RecordParser {
    /// The same as `lines` for a dump, whose lines are objects with fields that are read, and others that need not be known.
    package func dumpLines(
        of text: ByteBuffer, from: Int, isFinal: Bool, linesMax: Int
    ) -> LineProgress {
        defer { withExtendedLifetime(text) {} }
        let bytes = text.bytes
        var consumed = from
        var lines = 0
        var failure: RecordFailure?
        do throws(RecordFailure) {
            try check(.none) { _, error in
                pyra_json_dump_lines(
                    handle, bytes.start, from, bytes.count, isFinal, linesMax, RecordFields.keyBytesMax,
                    &consumed, &lines, error)
            }
        } catch {
            failure = error
        }
        return LineProgress(consumed: consumed, lines: lines, failure: failure)
    }

    package var foundDumpLines: DumpLines {
        var start: UnsafePointer<pyra_json_dump_line>?
        let count = pyra_json_found_dump_lines(handle, &start)
        return DumpLines(UnsafeBufferPointer(start: start, count: count), texts: found.values)
    }
}
