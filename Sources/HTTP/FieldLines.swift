import Platform

/// Header fields in the form in which they are sent, for answers on the hot path: a text a field would cost more than
/// all else that is done for them.
///
/// What they hold is made by the server, nothing of it comes from a client; `Cache-Control` is among them.
package struct FieldLines: Sendable {
    /// Each line begins with CR and LF.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - bytesMax: of all lines together.
    ///   - write: writes each field as CR, LF, its name, a colon, a blank and its value.
    package init(bytesMax: Int, _ write: (inout TextCursor) -> Void) {
        bytes = [UInt8](bytesMax: bytesMax, write)
    }

    /// The same as names and values.
    var fields: [(name: String, value: String)] {
        bytes.split(separator: UInt8(ascii: "\r")).compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return (
                String(decoding: line[..<colon].dropFirst(), as: UTF8.self),
                String(decoding: line[colon...].dropFirst(2), as: UTF8.self)
            )
        }
    }
}
