import JSON
import Testing

struct JSONWriterTests {
    private func text(_ build: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        build(&json)
        return String(decoding: json.finish(newline: false), as: UTF8.self)
    }

    @Test("commas come by themselves, nested and after empty containers")
    func commas() {
        let written = text {
            $0.object { json in
                json.member("a", 1)
                json.key("b")
                json.array { json in
                    json.array { _ in }
                    json.object { _ in }
                    json.integer(-9_223_372_036_854_775_808 as Int64)
                    json.integer(UInt64.max)
                }
                json.member("c", true)
                json.member("d", orNull: nil as String?)
                json.member("e", 0.1)
            }
        }
        #expect(
            written
                == #"{"a":1,"b":[[],{},-9223372036854775808,18446744073709551615],"c":true,"d":null,"e":0.1}"#
        )
    }

    @Test("every control character, the quote and the backslash are escaped, nothing else is")
    func escapes() {
        let controls = String(String.UnicodeScalarView((0..<32).compactMap { Unicode.Scalar($0) }))
        #expect(
            text { $0.string(controls) }
                == #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
                + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f""#
        )
        #expect(text { $0.string(#"a"b\c/é😀"# + "\u{7F}") } == #""a\"b\\c/é😀"# + "\u{7F}\"")
    }

    @Test("each escaped string is read back the same by the other library")
    func escapesReadBack() throws {
        for scalar in (0..<0x300).compactMap({ Unicode.Scalar($0) }) {
            let string = "x\(scalar)y"
            #expect(try ControlJSON.parse(Array(text { $0.string(string) }.utf8)) == .string(string))
        }
    }

    @Test("numbers without a JSON form are null")
    func notNumbers() {
        #expect(text { $0.real(.infinity) } == "null")
        #expect(text { $0.real(.nan) } == "null")
        #expect(text { $0.real(1e21) } == "1e+21")
    }

    @Test("base64 has padding and the standard alphabet")
    func base64() {
        let bytes: [UInt8] = [0xFB, 0xFF, 0xFE, 0x00]
        #expect(text { json in bytes.withUnsafeBytes { json.base64($0) } } == #""+//+AA==""#)
    }

    @Test("a raw text is embedded as it is, or with its line ends made spaces")
    func raw() {
        let value = Array("{\"a\":\r\n 1.0e0 }".utf8)
        #expect(
            text { json in
                value.withUnsafeBytes { bytes in
                    json.array { json in
                        json.raw(bytes)
                        json.rawOnOneLine(bytes)
                    }
                }
            } == "[{\"a\":\r\n 1.0e0 },{\"a\":   1.0e0 }]")
    }

    @Test("bytes that are not UTF-8 are written as base64 under the other name")
    func bytesMember() {
        let written = text {
            $0.object { json in
                Array("é".utf8).withUnsafeBytes { json.bytesMember("key", base64: "key_base64", $0) }
                [UInt8(0xFF)].withUnsafeBytes { json.bytesMember("key", base64: "key_base64", $0) }
            }
        }
        #expect(written == #"{"key":"é","key_base64":"/w=="}"#)
    }

    @Test("lines of NDJSON are texts of their own")
    func lines() {
        #expect(
            text {
                $0.integer(1)
                $0.endLine()
                $0.integer(2)
                $0.endLine()
            } == "1\n2\n")
    }
}
