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

    static let elementsMax = 1000
    static let textBytesMax = 64 * 1024

    /// DuckDB computes a vector of 2048 values at a time and counts neither lists nor texts in it against its limit, nor
    /// can it be interrupted there: functions that make much out of little are bounded where they take their size.
    private static let bounds = [
        list("range"), list("generate_series"),
        // A BLOB has no `len`: as text it is up to four times as long.
        "CREATE MACRO repeat(value, count) AS system.main.repeat(value, \(checked("count", "count * len(CAST(value AS VARCHAR))")))",
        pad("lpad"), pad("rpad"),
        "CREATE MACRO bitstring(value, count) AS system.main.bitstring(value, \(checked("count", "count")))",
        resize("list_resize"), resize("array_resize"),
        distance("levenshtein"), distance("editdist3"), distance("damerau_levenshtein"),
        """
        CREATE MACRO replace(value, old, new) AS system.main.replace(value, old,
            \(checked("new", "len(value) // greatest(len(old), 1) * len(new) - len(value)")))
        """,
    ]

    private static func checked(_ argument: String, _ size: String, max: Int = textBytesMax) -> String {
        "CASE WHEN \(size) > \(max) THEN error('a function would make more than \(max) bytes or elements of one value') ELSE \(argument) END"
    }

    /// Of numbers, and of times with a step that is an interval: what both can be compared by.
    private static func list(_ name: String) -> String {
        let max = elementsMax
        let isTooLong =
            "(start + step > start AND start + step * \(max) < stop) OR (start + step < start AND start + step * \(max) > stop)"
        let stop =
            "CASE WHEN \(isTooLong) THEN error('\(name) as a function makes at most \(max) elements: write FROM \(name)(…)') ELSE stop END"
        return """
            CREATE MACRO \(name)(stop) AS system.main.\(name)(\(checked("stop", "stop", max: max))),
                (start, stop) AS system.main.\(name)(start, \(checked("stop", "stop - start", max: max))),
                (start, stop, step) AS system.main.\(name)(start, \(stop), step)
            """
    }

    private static func pad(_ name: String) -> String {
        "CREATE MACRO \(name)(value, count, fill) AS system.main.\(name)(value, \(checked("count", "count")), fill)"
    }

    private static func resize(_ name: String) -> String {
        let size = checked("size", "size", max: elementsMax)
        return """
            CREATE MACRO \(name)(list, size) AS system.main.\(name)(list, \(size)),
                (list, size, value) AS system.main.\(name)(list, \(size), value)
            """
    }

    /// Work that grows with the product of two lengths.
    private static func distance(_ name: String) -> String {
        "CREATE MACRO \(name)(a, b) AS system.main.\(name)(a, \(checked("b", "len(a) * len(b)", max: 100_000_000)))"
    }

    /// In test mode `now()` is the engine's clock, at the instant of the query's cut.
    static func now(milliseconds: Int64) -> String {
        "CREATE OR REPLACE TEMP MACRO now() AS make_timestamptz(\(milliseconds) * 1000)"
    }
}
