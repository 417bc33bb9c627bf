/// A text that equals only the same bytes. `String` takes texts that Unicode calls equivalent for equal, such as é in one
/// scalar and in two: what a client sent must not be answered with what was found out about another text.
package struct ExactString: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (one: Self, other: Self) -> Bool {
        var (one, other) = (one.text, other.text)
        return one.withUTF8 { one in
            other.withUTF8 { equalBytes(UnsafeRawBufferPointer(one), UnsafeRawBufferPointer($0)) }
        }
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// As identifiers of SQL are compared: without case, which only letters of ASCII have.
    package var identifier: ExactString {
        ExactString(
            String(decoding: utf8.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self))
    }
}
