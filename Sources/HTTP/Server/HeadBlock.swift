import CMicroHTTPD
import Glibc

/// The header fields of one response, given to libmicrohttpd as a single one.
///
/// Each call of `MHD_add_response_header` costs three allocations and six searches, about 180 ns; a response has five
/// fields. So one field is added whose value is as long as all of them, and they are written over the library's copy of
/// it: it keeps the length beside the bytes and sends them as they are. Since this goes past its checks, no value with a
/// control byte is let in here.
struct HeadBlock {
    private static let firstName: StaticString = "X-Content-Type-Options"
    private static let firstValue: StaticString = "nosniff"
    /// Everything but the response's own fields.
    private static let fixedBytesMax = 160

    private let output: UnsafeMutablePointer<UInt8>
    private var count = 0

    private init(output: UnsafeMutablePointer<UInt8>) { self.output = output }

    /// Adds all header fields of `response`, `extra` and the ones every response has.
    static func add(
        to handle: OpaquePointer, _ response: borrowing Response, extra: [HeaderField], date: HTTPDate,
        now: Int64
    ) {
        let bytesMax =
            fixedBytesMax + (response.contentType?.utf8.count ?? 0) + size(of: response.fields)
            + (response.lines?.bytes.count ?? 0) + size(of: extra)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * bytesMax) { buffer in
            guard let start = buffer.baseAddress else { return }
            var block = HeadBlock(output: start)
            block.append(firstValue)
            block.beginField("Date")
            date.write(into: start + block.count, now: now)
            block.count += HTTPDate.length
            if let contentType = response.contentType { block.append("Content-Type", contentType) }
            var saysCaching = block.append(response.fields)
            if let lines = response.lines {
                block.append(lines)
                saysCaching = true
            }
            if !extra.isEmpty { _ = block.append(extra) }
            if !saysCaching { block.append("Cache-Control", "no-store") }
            block.install(in: handle, placeholder: start + bytesMax)
        }
    }

    /// Visible bytes, blanks and what lies beyond ASCII.
    static func isValid(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    private static func size(of fields: [HeaderField]) -> Int {
        var bytes = 0
        for field in fields { bytes += field.name.utf8CodeUnitCount + field.value.utf8.count + 4 }
        return bytes
    }

    /// - Returns: whether `Cache-Control` is among them.
    private mutating func append(_ fields: [HeaderField]) -> Bool {
        var saysCaching = false
        for field in fields {
            append(field.name, field.value)
            let name = UnsafeRawBufferPointer(
                start: field.name.utf8Start, count: field.name.utf8CodeUnitCount)
            if ASCII.equalWithoutCase(name, "Cache-Control") { saysCaching = true }
        }
        return saysCaching
    }

    private mutating func append(_ lines: FieldLines) {
        lines.bytes.withUnsafeBufferPointer { bytes in
            guard let source = bytes.baseAddress else { return }
            memcpy(output + count, source, bytes.count)
            count += bytes.count
        }
    }

    /// A value with a control byte is left out: it could end the field and begin another.
    private mutating func append(_ name: StaticString, _ value: String) {
        let start = count
        beginField(name)
        var value = value
        let output = output + count
        let length = value.withUTF8 { bytes in
            if let source = bytes.baseAddress { memcpy(output, source, bytes.count) }
            return bytes.count
        }
        var control: UInt8 = 0
        for index in 0..<length {
            let byte = output[index]
            // 1 for a byte below 0x20 and for 0x7F.
            control |= (byte < 0x20 ? 1 : 0) | (byte == 0x7F ? 1 : 0)
        }
        count = control == 0 || Self.isValid(value) ? count + length : start
    }

    private mutating func beginField(_ name: StaticString) {
        output[count] = UInt8(ascii: "\r")
        output[count + 1] = UInt8(ascii: "\n")
        count += 2
        append(name)
        output[count] = UInt8(ascii: ":")
        output[count + 1] = UInt8(ascii: " ")
        count += 2
    }

    private mutating func append(_ text: StaticString) {
        memcpy(output + count, text.utf8Start, text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    /// - Parameter placeholder: room for `count` bytes and a NUL.
    private func install(in handle: OpaquePointer, placeholder: UnsafeMutablePointer<UInt8>) {
        memset(placeholder, Int32(UInt8(ascii: "x")), count)
        placeholder[count] = 0
        let name = UnsafeRawPointer(Self.firstName.utf8Start).assumingMemoryBound(to: CChar.self)
        let value = UnsafeRawPointer(placeholder).assumingMemoryBound(to: CChar.self)
        guard MHD_add_response_header(handle, name, value) == .YES,
            let copy = MHD_get_response_header(handle, name)
        else { return }
        // The library's copy is from its own `strdup`; nobody else has seen the response yet.
        memcpy(UnsafeMutableRawPointer(mutating: copy), output, count)
    }
}
