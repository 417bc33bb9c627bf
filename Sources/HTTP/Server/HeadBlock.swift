import CMicroHTTPD
import Glibc

/// The header fields of one response, given to libmicrohttpd as a single one.
///
/// Each call of `MHD_add_response_header` costs three allocations and six searches, about 180 ns; a response has five
/// fields. So one field is added whose value is as long as all of them, and the line ends are put into the library's
/// copy of it afterwards: it keeps the length beside the bytes and sends them as they are. Since this goes past its
/// checks, no value with a control byte is let in here.
struct HeadBlock {
    private static let firstName: StaticString = "X-Content-Type-Options"
    private static let firstValue: StaticString = "nosniff"
    /// Two bytes that stand for CR and LF, which the library does not take.
    private static let lineEnd: (UInt8, UInt8) = (1, 2)
    /// Everything but the response's own fields.
    private static let fixedBytesMax = 160

    private let output: UnsafeMutablePointer<UInt8>
    private var count = 0

    /// Adds all header fields of `response`, `extra` and the ones every response has.
    static func add(
        to handle: OpaquePointer, _ response: borrowing Response, extra: [HeaderField], date: HTTPDate,
        now: Int64
    ) {
        let bytesMax =
            fixedBytesMax + (response.contentType?.utf8.count ?? 0) + size(of: response.fields)
            + size(of: extra)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytesMax) { buffer in
            guard let start = buffer.baseAddress else { return }
            var block = HeadBlock(output: start)
            block.append(firstValue)
            block.beginField("Date")
            date.write(into: start + block.count, now: now)
            block.count += HTTPDate.length
            if let contentType = response.contentType { block.append("Content-Type", contentType) }
            let saysCaching = block.append(response.fields)
            if !extra.isEmpty { _ = block.append(extra) }
            if !saysCaching { block.append("Cache-Control", "no-store") }
            start[block.count] = 0
            block.install(in: handle)
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
        (output[count], output[count + 1]) = Self.lineEnd
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

    private func install(in handle: OpaquePointer) {
        let name = UnsafeRawPointer(Self.firstName.utf8Start).assumingMemoryBound(to: CChar.self)
        let value = UnsafeRawPointer(output).assumingMemoryBound(to: CChar.self)
        guard MHD_add_response_header(handle, name, value) == .YES,
            let copy = MHD_get_response_header(handle, name)
        else { return }
        // The library's copy is from its own `strdup`; nobody else has seen the response yet.
        var rest = UnsafeMutableRawPointer(mutating: copy)
        let end = rest + count
        while let found = memchr(rest, Int32(Self.lineEnd.0), end - rest) {
            found.storeBytes(of: UInt8(ascii: "\r"), as: UInt8.self)
            found.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: 1, as: UInt8.self)
            rest = found + 2
        }
    }
}
