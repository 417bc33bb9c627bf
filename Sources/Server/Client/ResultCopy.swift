import HTTPClient
import JSON
import Platform

/// Rows on their way from the server to a file, in bounded memory. Their end is held back until it is known whether it
/// tells of a failure.
struct ResultCopy {
    private let output: OutputFile
    private let held = ByteBuffer()
    private var refusal: [UInt8] = []
    private var isRefused = false

    init(to output: OutputFile) { self.output = output }

    /// - Returns: false when nobody wants more.
    mutating func take(_ status: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard status == 200 else {
            isRefused = true
            refusal.append(contentsOf: bytes)
            return true
        }
        held.append(bytes)
        // Each byte is moved once or twice.
        guard held.count > 4 * ResultFrame.bytesMax else { return true }
        let count = held.count - ResultFrame.bytesMax
        let isWritten = output.write(UnsafeRawBufferPointer(rebasing: held.bytes[..<count]))
        held.removePrefix(count)
        return isWritten
    }

    /// The answer came to its end.
    mutating func end(_ status: Int) throws {
        guard status == 200 else { throw ServerProblem(status: status, body: refusal) }
        _ = output.write(held.bytes)
    }

    /// It did not: what came is written, but for the line that says why.
    mutating func fail(_ error: HTTPClientFailure) throws {
        let frame = isRefused ? nil : ResultFrame(in: held.bytes[...])
        _ = output.write(UnsafeRawBufferPointer(rebasing: held.bytes[..<(frame?.start ?? held.count)]))
        if let frame { throw frame.problem }
        throw held.count == 0 ? error : HTTPClientFailure("the answer ended early: \(error)")
    }
}

/// The last line of an answer that failed behind its first byte: `{"error": {…}}`.
struct ResultFrame {
    /// The longest that is looked for.
    static let bytesMax = 64 * 1024
    private static let opening = Array("\n{\"error\":{".utf8)

    let problem: ServerProblem
    /// Where the newline before it is.
    let start: Int

    /// - Parameter bytes: the end of a body that was left unfinished.
    init?(in bytes: Slice<UnsafeRawBufferPointer>) {
        guard bytes.last == UInt8(ascii: "\n") else { return nil }
        let line = bytes.dropLast()
        guard let start = line.lastIndex(of: UInt8(ascii: "\n")), line[start...].starts(with: Self.opening),
            // What is no JSON is no frame.
            let document = try? ControlJSON.parse(Array(line[(start + 1)...])), let error = document["error"]
        else { return nil }
        self.start = start
        problem = ServerProblem(status: 200, body: ControlJSON.serialize(error))
    }
}

/// A body kept whole, up to a limit.
struct CollectedAnswer {
    let bytes = ByteBuffer()
    private(set) var isTooLarge = false
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// - Returns: false beyond the limit.
    mutating func take(_ piece: UnsafeRawBufferPointer) -> Bool {
        isTooLarge = bytes.count + piece.count > bytesMax
        if !isTooLarge { bytes.append(piece) }
        return !isTooLarge
    }
}
