import CExpat

/// Reads the small documents that S3 answers with, by expat: the texts of elements that have no others in them.
///
/// Entities of the document's own are refused: no answer has them, and they can be made to grow without end.
struct XMLReader {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Calls `element` for each text, with the names from the outermost element down to its own, namespaces left out, and
    /// `end` whenever an element ends.
    static func read(
        _ bytes: [UInt8], text: @escaping (_ path: [String], String) -> Void,
        end: @escaping (_ path: [String]) -> Void = { _ in }
    ) throws(Failure) {
        guard let parser = XML_ParserCreateNS("UTF-8", 0x20) else {
            throw Failure(description: "expat could not be initialised")
        }
        defer { XML_ParserFree(parser) }
        let state = XMLState(text: text, end: end, parser: parser)
        XML_SetUserData(parser, Unmanaged.passUnretained(state).toOpaque())
        XML_SetElementHandler(parser, XMLState.onStart, XMLState.onEnd)
        XML_SetCharacterDataHandler(parser, XMLState.onText)
        XML_SetEntityDeclHandler(parser, XMLState.onEntity)
        let status = withExtendedLifetime(state) {
            bytes.withUnsafeBytes { buffer in
                XML_Parse(
                    parser, buffer.bindMemory(to: CChar.self).baseAddress, Int32(clamping: buffer.count), 1)
            }
        }
        guard status == XML_STATUS_OK else {
            let words = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "an error"
            throw Failure(description: "\(words) in line \(XML_GetCurrentLineNumber(parser))")
        }
    }
}

/// What expat's callbacks work on.
private final class XMLState {
    /// Deeper than any answer; without a limit a document could use up memory by its depth.
    private static let depthMax = 32

    private let text: ([String], String) -> Void
    private let end: ([String]) -> Void
    private let parser: XML_Parser
    private var path: [String] = []
    private var characters: [UInt8] = []
    /// The element has no other in it so far.
    private var isLeaf = false

    init(text: @escaping ([String], String) -> Void, end: @escaping ([String]) -> Void, parser: XML_Parser) {
        self.text = text
        self.end = end
        self.parser = parser
    }

    static let onStart: XML_StartElementHandler = { context, name, _ in
        guard let context, let name else { return }
        XMLState.at(context).start(String(cString: name))
    }

    static let onEnd: XML_EndElementHandler = { context, _ in
        guard let context else { return }
        XMLState.at(context).finish()
    }

    static let onText: XML_CharacterDataHandler = { context, bytes, count in
        guard let context, let bytes else { return }
        XMLState.at(context).characters.append(
            contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    }

    static let onEntity: XML_EntityDeclHandler = { context, _, _, _, _, _, _, _, _ in
        guard let context else { return }
        XML_StopParser(XMLState.at(context).parser, 0)
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> XMLState {
        Unmanaged<XMLState>.fromOpaque(context).takeUnretainedValue()
    }

    /// - Parameter name: behind its namespace and a space, if it has one.
    private func start(_ name: String) {
        if path.count >= Self.depthMax { XML_StopParser(parser, 0) }
        path.append(name.split(separator: " ").last.map(String.init) ?? "")
        characters.removeAll(keepingCapacity: true)
        isLeaf = true
    }

    private func finish() {
        if isLeaf { text(path, String(decoding: characters, as: UTF8.self)) }
        end(path)
        isLeaf = false
        path.removeLast()
    }
}
