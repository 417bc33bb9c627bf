/// Functions of ours, in SQL.
enum Macros {
    static let all = [
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

    /// In test mode `now()` is the engine's clock, at the instant of the query's cut.
    static func now(milliseconds: Int64) -> String {
        "CREATE OR REPLACE TEMP MACRO now() AS make_timestamptz(\(milliseconds) * 1000)"
    }
}
