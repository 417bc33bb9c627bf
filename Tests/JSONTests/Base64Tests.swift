import JSON
import Testing

struct Base64Tests {
    @Test("any bytes come back", arguments: 0...65)
    func roundTrip(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }

    @Test(
        "anything but padded standard base64 is refused",
        arguments: [
            "A", "AA", "AAA", "AA=", "A===", "====", "AA==AAAA", "AA-_", "AA A", "AB==", "AAB=", "AAAA\n",
        ])
    func refused(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("the empty text is no bytes")
    func empty() { #expect(Base64.decode("") == []) }
}
