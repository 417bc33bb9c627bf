import HTTPClient
import Testing

@Suite("Bytes in a URL")
struct PercentEncodingTests {
    @Test(
        "only unreserved characters stay, and nothing that a path would resolve",
        arguments: [
            ("abc-._~XYZ09", "abc-._~XYZ09"), ("a/b", "a%2Fb"), ("a:b", "a%3Ab"),
            ("100% ?#&+", "100%25%20%3F%23%26%2B"),
            ("é", "%C3%A9"), (".", "%2E"), ("..", "%2E%2E"), ("...", "..."), ("", ""),
        ])
    func text(plain: String, encoded: String) {
        #expect(PercentEncoding.encode(Array(plain.utf8)) == encoded)
    }

    @Test("bytes that are no text are encoded as bytes")
    func bytes() {
        #expect(PercentEncoding.encode([0x00, 0xFF, 0x41] as [UInt8]) == "%00%FFA")
    }
}
