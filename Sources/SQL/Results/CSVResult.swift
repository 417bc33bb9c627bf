import DuckDBClient
import JSON

/// RFC 4180 with a header and line feeds. NULL is an empty field, an empty text is `""`; nested values are JSON texts.
final class CSVResult: ResultEncoder {
    private var bytes: [UInt8] = []
    private var types: [ColumnType] = []

    func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    func begin(_ result: ResultStream) {
        types = result.columns.map(\.type)
        for (index, column) in result.columns.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            var name = column.name
            name.withUTF8 { field(UnsafeRawBufferPointer($0)) }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    func add(_ chunk: Chunk, _ rows: Range<Int>) {
        let vectors = types.indices.map(chunk.vector)
        for row in rows {
            for index in types.indices {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                if vectors[index].isValid(row) { value(vectors[index], row, types[index]) }
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    func end(rows: Int, elapsedMilliseconds: Double) {}

    private func value(_ vector: Vector, _ row: Int, _ type: ColumnType) {
        switch type {
        case .scalar(.varchar), .json: field(vector.bytes(row))
        case .scalar(.double): number(vector.value(row, as: Double.self))
        case .scalar(.float): number(vector.value(row, as: Float.self))
        default:
            var json = JSONWriter(capacity: 64)
            json.value(vector, row, type)
            json.bytes.withStringContent { field($0) }
        }
    }

    private func number<Value: BinaryFloatingPoint & CustomStringConvertible>(_ value: Value) {
        bytes.append(contentsOf: value.description.utf8)
    }

    private func field(_ text: UnsafeRawBufferPointer) {
        let needsQuotes =
            text.isEmpty
            || text.contains {
                $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n")
                    || $0 == UInt8(ascii: "\r")
            }
        guard needsQuotes else {
            bytes.append(contentsOf: text)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension UnsafeRawBufferPointer {
    /// What stands between the quotes of a JSON string that needs no escapes; the whole text of anything else.
    fileprivate func withStringContent(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard count >= 2, first == UInt8(ascii: "\"") else { return body(self) }
        let content = UnsafeRawBufferPointer(rebasing: self[1..<count - 1])
        guard content.contains(UInt8(ascii: "\\")), case .string(var text)? = try? ControlJSON.parse(self)
        else {
            return body(content)
        }
        // What was just written parses; only an ENUM's value can have escapes.
        text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
