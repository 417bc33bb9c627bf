import CMicroHTTPD

/// The header fields of one response, given to libmicrohttpd as a single one.
///
/// Each call of `MHD_add_response_header` costs three allocations and six searches, about 180 ns; a response has five
/// fields. So one field is added whose value is as long as all of them, and the line ends are put into the library's
/// copy of it afterwards: it keeps the length beside the bytes and sends them as they are. Since this goes past its
/// checks, no value with a control byte is let in here.
struct HeadBlock {
    private static let firstName: StaticString = "X-Content-Type-Options"
    private static let firstValue: StaticString = "nosniff"
    private static let dateName: StaticString = "Date"
    /// Stand for CR and LF, which the library does not take.
    private static let carriageReturn: UInt8 = 1
    private static let lineFeed: UInt8 = 2

    private let output: UnsafeMutablePointer<UInt8>
    private var count = 0

    /// Adds all header fields of `response`, `extra` and the ones every response has.
    static func add(
        to handle: OpaquePointer, _ response: Response, extra: [HeaderField], date: inout HTTPDate, now: Int64
    ) {
        var bytesMax = 160 + (response.contentType?.utf8.count ?? 0)
        for field in response.fields { bytesMax += field.name.utf8CodeUnitCount + field.value.utf8.count + 4 }
        for field in extra { bytesMax += field.name.utf8CodeUnitCount + field.value.utf8.count + 4 }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytesMax) { buffer in
            guard let start = buffer.baseAddress else { return }
            var block = HeadBlock(output: start)
            block.append(firstValue)
            block.beginField(dateName)
            date.write(into: start + block.count, now: now)
            block.count += HTTPDate.length
            var isCacheable = false
            if let contentType = response.contentType { block.append("Content-Type", contentType) }
            for field in response.fields {
                block.append(field.name, field.value)
                if isCacheControl(field.name) { isCacheable = true }
            }
            for field in extra { block.append(field.name, field.value) }
            if !isCacheable { block.append("Cache-Control", "no-store") }
            start[block.count] = 0
            block.install(in: handle)
        }
    }

    /// Visible bytes, blanks and what lies beyond ASCII.
    static func isValid(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    /// A value with a control byte is left out: it could end the field and begin another.
    private mutating func append(_ name: StaticString, _ value: String) {
        let start = count
        beginField(name)
        var value = value
        let isClean = value.withUTF8 { bytes in
            var isClean = true
            for (index, byte) in bytes.enumerated() {
                if (byte < 0x20 && byte != 0x09) || byte == 0x7F { isClean = false }
                output[count + index] = byte
            }
            count += bytes.count
            return isClean
        }
        if !isClean { count = start }
    }

    private mutating func beginField(_ name: StaticString) {
        output[count] = Self.carriageReturn
        output[count + 1] = Self.lineFeed
        count += 2
        append(name)
        output[count] = UInt8(ascii: ":")
        output[count + 1] = UInt8(ascii: " ")
        count += 2
    }

    private mutating func append(_ text: StaticString) {
        (output + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    private func install(in handle: OpaquePointer) {
        let name = UnsafeRawPointer(Self.firstName.utf8Start).assumingMemoryBound(to: CChar.self)
        let value = UnsafeRawPointer(output).assumingMemoryBound(to: CChar.self)
        guard MHD_add_response_header(handle, name, value) == .YES,
            let copy = MHD_get_response_header(handle, name)
        else { return }
        // The library's copy is from its own `strdup`; nobody else has seen the response yet.
        let bytes = UnsafeMutableRawPointer(mutating: copy).assumingMemoryBound(to: UInt8.self)
        for index in Self.firstValue.utf8CodeUnitCount..<count where bytes[index] == Self.carriageReturn {
            bytes[index] = UInt8(ascii: "\r")
            bytes[index + 1] = UInt8(ascii: "\n")
        }
    }

    private static func isCacheControl(_ name: StaticString) -> Bool {
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return ASCII.equalWithoutCase(bytes, "Cache-Control")
    }
}
