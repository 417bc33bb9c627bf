import Platform
import Testing

@Suite("Sizes and durations as people write them")
struct UnitsTests {
    @Test(
        "sizes: kB MB GB TB are powers of 1000, KiB MiB GiB TiB of 1024",
        arguments: [
            ("0", 0), ("4096", 4096), ("7B", 7), ("1kB", 1000), ("4GB", 4_000_000_000),
            ("2TB", 2_000_000_000_000),
            ("1KiB", 1024), ("512MiB", 536_870_912), ("1.5GiB", 1_610_612_736), ("3TiB", 3_298_534_883_328),
            ("9223372036854775807", Int64.max),
        ] as [(String, Int64)])
    func bytes(text: String, expected: Int64) throws {
        #expect(try Units.bytes(text) == expected)
    }

    @Test(
        "durations come out in milliseconds",
        arguments: [
            ("0", 0), ("250ms", 250), ("10s", 10_000), ("1.5s", 1500), ("5m", 300_000), ("1h", 3_600_000),
            ("7d", 604_800_000),
        ] as [(String, Int64)])
    func milliseconds(text: String, expected: Int64) throws {
        #expect(try Units.milliseconds(text) == expected)
    }

    @Test(
        "what is no size is refused, quoted, with an example",
        arguments: [
            "", "GB", "-1", "+1", "4gb", "4 GB", "4G", "1.GB", ".5GB", "1.2.3", "0.0001kB", "1e3", "٣",
            "9223372036854775808", "9223372036854775807kB", "99999999999999999999",
        ])
    func badSizes(text: String) {
        let failure = #expect(throws: Units.Failure.self) { try Units.bytes(text) }
        #expect(failure?.description.contains("\"\(text)\"") == true)
        #expect(failure?.description.contains("4GB") == true)
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "10", "s", "-1s", "1w", "10 s", "1.0001s", "300000000000d"])
    func badDurations(text: String) {
        #expect(throws: Units.Failure.self) { try Units.milliseconds(text) }
    }
}
