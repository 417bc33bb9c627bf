import Platform

/// A parsed JSON text of a control body. Members keep their order; duplicates were refused.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSONValue
        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }
}

package struct JSONFailure: Error, Sendable, Equatable {
    package let message: String
    /// Byte position in the text, from 0, where known.
    package let position: Int?
    package init(message: String, position: Int?) {
        self.message = message
        self.position = position
    }
}

/// Control bodies, by Jansson: length-aware, duplicates refused, depth ≤ 64, an element budget checked before parsing.
package enum ControlJSON {
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONFailure) -> JSONValue { fatalError("skeleton") }
    package static func serialize(_ value: JSONValue) -> [UInt8] { fatalError("skeleton") }
}

/// Writes JSON answers straight into bytes; raw JSON values are embedded as they are.
///
///     var json = JSONWriter()
///     json.object { $0.member("offset", 3); $0.rawMember("value", bytes) }
package struct JSONWriter: ~Copyable {
    package private(set) var bytes: [UInt8]
    package init(capacity: Int = 256) { bytes = []; bytes.reserveCapacity(capacity) }
    // object/array/member/element methods: see the JSON brief
}

/// Record bodies, by simdjson: full validation (UTF-8, depth ≤ 64), values located as ranges of the sender's bytes.
/// One parser a thread or request; not thread-safe.
package final class RecordParser {
    package init() {}
}
