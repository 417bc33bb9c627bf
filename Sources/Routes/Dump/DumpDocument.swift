import JSON
import Platform

/// Takes a dump that is one JSON text apart while it comes: the header, each entry and the end become lines of their own.
///
/// It looks at brackets and strings only: whether a line is JSON is for its reader to judge. Other members are passed over.
struct DumpDocument {
    private enum State {
        case beforeDocument
        /// A name, or the end; where something was before, behind a comma.
        case beforeName(isFirst: Bool)
        case inName(isEscaped: Bool)
        case behindName
        case beforeValue
        case behindValue
        /// The same in the array of entries.
        case beforeEntry(isFirst: Bool)
        case behindEntry
        case inValue
        case behindDocument
    }

    private static let linesOfTheirOwn = ["header", "end"]
    /// Longer ones are nobody's.
    private static let nameBytesMax = 64

    private var state = State.beforeDocument
    private var name: [UInt8] = []
    private var isEntry = false
    /// Of the value at hand: whether it becomes a line, and where in it the scan is.
    private var isWanted = false
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var position = 0

    /// Appends what becomes lines. - Returns: whether one ended. - Throws: for what is no document.
    mutating func take(_ bytes: UnsafeRawBufferPointer, to lines: ByteBuffer) throws(Problem) -> Bool {
        var index = 0
        var hasLine = false
        while index < bytes.count {
            if case .inValue = state {
                let start = index
                index = try endOfValue(bytes, from: index)
                if isWanted { append(bytes[start..<index], to: lines) }
                if case .inValue = state { break }
                if isWanted {
                    lines.append([UInt8(ascii: "\n")])
                    hasLine = true
                }
                continue
            }
            let byte = bytes[index]
            if try take(byte) { index += 1 }
        }
        position += bytes.count
        return hasLine
    }

    /// - Throws: when it does not end here.
    func finish() throws(Problem) {
        guard case .behindDocument = state else {
            throw Problem(.invalidJSON, "the document ends before its last brace")
        }
    }

    // MARK: Between values

    /// - Returns: false when a value begins with the byte, which is looked at again.
    private mutating func take(_ byte: UInt8) throws(Problem) -> Bool {
        if case .inName(let isEscaped) = state {
            takeName(byte, isEscaped: isEscaped)
            return true
        }
        if [0x20, 0x09, 0x0A, 0x0D].contains(byte) { return true }
        switch (state, byte) {
        case (.beforeDocument, UInt8(ascii: "{")): state = .beforeName(isFirst: true)
        case (.beforeName, UInt8(ascii: "\"")):
            name = []
            state = .inName(isEscaped: false)
        case (.beforeName(isFirst: true), UInt8(ascii: "}")), (.behindValue, UInt8(ascii: "}")):
            state = .behindDocument
        case (.behindName, UInt8(ascii: ":")): state = .beforeValue
        case (.behindValue, UInt8(ascii: ",")): state = .beforeName(isFirst: false)
        case (.beforeValue, UInt8(ascii: "[")) where name.elementsEqual("entries".utf8):
            state = .beforeEntry(isFirst: true)
        case (.beforeEntry(isFirst: true), UInt8(ascii: "]")), (.behindEntry, UInt8(ascii: "]")):
            state = .behindValue
        case (.behindEntry, UInt8(ascii: ",")): state = .beforeEntry(isFirst: false)
        case (.beforeValue, _) where !name.elementsEqual("entries".utf8): return begin(isEntry: false)
        case (.beforeEntry, _): return begin(isEntry: true)
        default: throw Problem(.invalidJSON, "the document is no JSON object of header, entries and end")
        }
        return true
    }

    private mutating func takeName(_ byte: UInt8, isEscaped: Bool) {
        if !isEscaped, byte == UInt8(ascii: "\"") {
            state = .behindName
            return
        }
        if name.count <= Self.nameBytesMax { name.append(byte) }
        state = .inName(isEscaped: !isEscaped && byte == UInt8(ascii: "\\"))
    }

    private mutating func begin(isEntry: Bool) -> Bool {
        self.isEntry = isEntry
        isWanted = isEntry || Self.linesOfTheirOwn.contains { name.elementsEqual($0.utf8) }
        depth = 0
        isInString = false
        isEscaped = false
        state = .inValue
        return false
    }

    // MARK: In a value

    /// - Returns: where it ends, or the bytes do.
    private mutating func endOfValue(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(Problem) -> Int
    {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if isInString {
                if byte < 0x20 {
                    throw Problem(.invalidJSON, "control character in a string at byte \(position + index)")
                }
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if depth == 0 { return ended(at: index + 1) }
                }
                index += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // That of the object or array around it.
                if depth == 0 { return ended(at: index) }
                depth -= 1
                if depth == 0 { return ended(at: index + 1) }
            case UInt8(ascii: ","): if depth == 0 { return ended(at: index) }
            default: break
            }
            index += 1
        }
        return index
    }

    private mutating func ended(at index: Int) -> Int {
        state = isEntry ? .behindEntry : .behindValue
        return index
    }

    /// Line ends between tokens are blanks; there are none in strings.
    private func append(_ bytes: Slice<UnsafeRawBufferPointer>, to lines: ByteBuffer) {
        let start = lines.count
        lines.append(UnsafeRawBufferPointer(rebasing: bytes))
        compactLines(UnsafeMutableRawBufferPointer(rebasing: lines.mutableBytes[start...]))
    }
}
