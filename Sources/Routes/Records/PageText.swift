import JSON
import StorageEngine

/// The text of a page of records, written piece by piece.
struct PageText: ~Copyable {
    private let form: PageForm
    private let result: ReadResult
    private var index = 0
    private var isBegun = false
    private(set) var isEnded = false
    private(set) var json: JSONWriter

    init(_ result: ReadResult, _ form: PageForm, capacity: Int) {
        self.result = result
        self.form = form
        json = JSONWriter(capacity: capacity)
    }

    var count: Int { json.count }

    /// Writes more until about `bytesMin` bytes are there, or all of it.
    mutating func write(atLeast bytesMin: Int) {
        if !isBegun { begin() }
        while index < result.records.count, json.count < bytesMin {
            json.record(result.records[index], onOneLine: form == .lines)
            if form == .lines { json.endLine() }
            index += 1
        }
        if index == result.records.count, !isEnded { end() }
    }

    mutating func removeWritten() { json.removeWritten() }

    /// The whole text at once.
    consuming func finish() -> [UInt8] {
        write(atLeast: .max)
        return json.finish(newline: false)
    }

    private mutating func begin() {
        isBegun = true
        guard form == .json else { return }
        json.beginObject()
        json.key("records")
        json.beginArray()
    }

    private mutating func end() {
        isEnded = true
        guard form == .json else { return }
        json.endArray()
        json.member("next_offset", result.next.rawValue)
        json.member("tail", result.tail.rawValue)
        json.member("up_to_date", result.next == result.tail)
        json.endObject()
        json.endLine()
    }
}
