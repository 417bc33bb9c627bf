import HTTPClient
import JSON

/// A dump on its way from the server to a file. Its last line tells whether it is complete.
struct DumpCopy {
    /// Much longer than a last line.
    private static let keptBytesMax = 4096

    private let output: OutputFile
    var progress = Progress()
    private var kept: [UInt8] = []
    private var refusal: [UInt8] = []
    private(set) var hasBegun = false
    /// Nobody takes it any more.
    private(set) var isAbandoned = false

    init(to output: OutputFile) { self.output = output }

    /// - Returns: false when nobody wants more.
    mutating func take(_ status: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard status == 200 else {
            refusal.append(contentsOf: bytes)
            return true
        }
        hasBegun = true
        let tail = bytes.suffix(Self.keptBytesMax)
        kept = Array((kept + tail).suffix(Self.keptBytesMax))
        progress.add(records: bytes.newlineCount, bytes: bytes.count)
        isAbandoned = !output.write(bytes)
        return !isAbandoned
    }

    /// The answer came to its end. - Returns: what the dump says that it has.
    func end(_ status: Int) throws -> (logs: Int64, records: Int64) {
        guard status == 200 else { throw ServerProblem(status: status, body: refusal) }
        guard kept.last == UInt8(ascii: "\n"),
            let line = kept.dropLast().split(separator: UInt8(ascii: "\n")).last,
            // What is no JSON is not the last line.
            let end = try? ControlJSON.parse(Array(line)), end["complete"] == .bool(true),
            let logs = end["logs"]?.integerValue, let records = end["records"]?.integerValue
        else { throw HTTPClientFailure("the dump ended early: its last line is missing") }
        return (logs, records)
    }
}

extension UnsafeRawBufferPointer {
    var newlineCount: Int {
        var count = 0
        for byte in self { count &+= byte == UInt8(ascii: "\n") ? 1 : 0 }
        return count
    }
}
