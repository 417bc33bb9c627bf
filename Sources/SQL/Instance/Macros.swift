/// Functions of ours, in SQL.
enum Macros {
    static let all = windows + bounds

    private static let windows = [
        // Windows begin at the Unix epoch, in UTC: the same for every query, whenever it runs.
        "CREATE MACRO tumble(ts, width) AS time_bucket(width, ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')",
        // The starts of all windows of a size that a moment lies in, one every `slide`.
        """
        CREATE MACRO hop(ts, slide, size) AS list_filter(
            list_transform(
                range(0, CAST(ceil(epoch(size) / epoch(slide)) AS BIGINT)),
                lambda k: tumble(ts, slide) - to_microseconds(k * CAST(epoch(slide) * 1000000 AS BIGINT))),
            lambda start: start + size > ts)
        """,
    ]

    static let textBytesMax = 64 * 1024
    static let workMax = 16 * 1024 * 1024

    /// What the bound on DuckDB's allocator does not reach: functions that build their text elsewhere, or work for long
    /// without looking at interrupts. They are bounded where they take their size.
    private static let bounds = [
        pad("lpad"), pad("rpad"),
        "CREATE MACRO bitstring(value, count) AS system.main.bitstring(value, \(checked("count", "count")))",
        distance("levenshtein"), distance("editdist3"), distance("damerau_levenshtein"),
        "CREATE MACRO replace(value, old, new) AS system.main.replace(value, old, \(checkedProduct))",
        """
        CREATE MACRO regexp_replace(value, pattern, new) AS
                system.main.regexp_replace(value, pattern, \(checkedProduct)),
            (value, pattern, new, options) AS
                system.main.regexp_replace(value, pattern, \(checkedProduct), options)
        """,
    ]

    private static let checkedProduct = checked("new", "len(value) * len(new)", max: workMax)

    private static func checked(_ argument: String, _ size: String, max: Int = textBytesMax) -> String {
        "CASE WHEN \(size) > \(max) THEN error('a function would make too much of one value: the limit is \(max)') ELSE \(argument) END"
    }

    private static func pad(_ name: String) -> String {
        "CREATE MACRO \(name)(value, count, fill) AS system.main.\(name)(value, \(checked("count", "count")), fill)"
    }

    /// Work that grows with the product of two lengths.
    private static func distance(_ name: String) -> String {
        "CREATE MACRO \(name)(a, b) AS system.main.\(name)(a, \(checked("b", "len(a) * len(b)", max: workMax)))"
    }

    /// In test mode `now()` is the engine's clock, at the instant of the query's cut.
    static func now(milliseconds: Int64) -> String {
        "CREATE OR REPLACE TEMP MACRO now() AS make_timestamptz(\(milliseconds) * 1000)"
    }
}
