import CJansson

/// Control bodies, by Jansson: length-aware, duplicates refused, depth and elements bounded before parsing.
package enum ControlJSON {
    package static let depthMax = 64
    /// Jansson takes up to 79 bytes of memory for a byte of text; this keeps a body below about 10 MB.
    package static let elementsMax = 100_000

    /// Jansson's hash seed, set once whichever thread comes first.
    private static let seeded: Void = json_object_seed(0)

    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONFailure) -> JSONValue {
        _ = seeded
        try checkBudget(bytes)
        let flags = Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
        var error = json_error_t()
        // Jansson would report a missing address as a wrong argument.
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            throw JSONFailure(message: "the text is empty", position: 0)
        }
        guard let root = json_loadb(start.assumingMemoryBound(to: CChar.self), bytes.count, flags, &error)
        else {
            let position = error.position >= 0 ? min(Int(error.position), bytes.count) : nil
            throw JSONFailure(message: text(of: error), position: position)
        }
        defer { json_decref(root) }
        return value(of: root)
    }

    package static func parse(_ bytes: [UInt8]) throws(JSONFailure) -> JSONValue {
        // `withUnsafeBytes` throws any error: a result carries the typed one out.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONFailure) in try parse(buffer) }
        }
        return try result.get()
    }

    package static func serialize(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.finish(newline: false)
    }

    /// A scan that knows strings and brackets only: what it lets pass is still for Jansson to judge.
    private static func checkBudget(_ bytes: UnsafeRawBufferPointer) throws(JSONFailure) {
        var depth = 0
        var elements = 1
        var inString = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if inString {
                if byte == UInt8(ascii: "\\") {
                    index += 1
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): inString = true
                case UInt8(ascii: ","): elements += 1
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    elements += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case 0:
                    // Jansson passes over one that follows a number.
                    throw JSONFailure(message: "NUL byte outside of a string", position: index)
                default: break
                }
                if depth > depthMax {
                    throw JSONFailure(message: "nested deeper than \(depthMax) levels", position: index)
                }
                if elements > elementsMax {
                    throw JSONFailure(message: "more than \(elementsMax) elements", position: index)
                }
            }
            index += 1
        }
    }

    private static func text(of error: json_error_t) -> String {
        withUnsafeBytes(of: error.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Copies a Jansson value, which is at most `depthMax` deep.
    private static func value(of json: UnsafeMutablePointer<json_t>) -> JSONValue {
        switch json.pointee.type {
        case JSON_OBJECT: return .object(members(of: json))
        case JSON_ARRAY:
            return .array((0..<json_array_size(json)).compactMap { json_array_get(json, $0).map(value(of:)) })
        case JSON_STRING:
            guard let start = json_string_value(json) else { return .null }
            let bytes = UnsafeRawBufferPointer(start: start, count: json_string_length(json))
            return .string(String(decoding: bytes, as: UTF8.self))
        case JSON_INTEGER: return .integer(json_integer_value(json))
        case JSON_REAL: return .real(json_real_value(json))
        case JSON_TRUE: return .bool(true)
        case JSON_FALSE: return .bool(false)
        default: return .null
        }
    }

    /// In the text's order, which Jansson's iterators keep.
    private static func members(of object: UnsafeMutablePointer<json_t>) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        members.reserveCapacity(json_object_size(object))
        var iterator = json_object_iter(object)
        while let current = iterator {
            if let name = json_object_iter_key(current), let member = json_object_iter_value(current) {
                let bytes = UnsafeRawBufferPointer(start: name, count: json_object_iter_key_len(current))
                members.append(.init(String(decoding: bytes, as: UTF8.self), value(of: member)))
            }
            iterator = json_object_iter_next(object, current)
        }
        return members
    }
}
