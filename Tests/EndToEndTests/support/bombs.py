"""Queries that would take all time or all memory, by what they use up."""

TEXTS = {
    "10,000 parentheses": "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
    "100,000 parentheses": "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
    "100,000 elements": "SELECT [" + ",".join("1" for _ in range(100_000)) + "]",
    "100,000 alternatives": "SELECT 1 IN (" + ",".join(map(str, range(100_000))) + ")",
    "10,000 unions": " UNION ALL ".join(["SELECT 1"] * 10_000),
    "a megabyte of unions": " UNION ALL ".join(["SELECT 1"] * 50_000),
    "20,000 sums": "SELECT " + "+".join("1" for _ in range(20_000)),
    "50,000 negations": "SELECT " + "NOT " * 50_000 + "true",
    "100,000 casts": "SELECT 1" + "::INTEGER" * 100_000,
    "50,000 conditions": "SELECT " + " AND ".join(["a = 1"] * 50_000) + " FROM events",
    "50,000 columns": "SELECT " + ",".join(f"a AS c{n}" for n in range(50_000)) + " FROM events",
    "200,000 rows": "VALUES " + ",".join("(1)" for _ in range(200_000)),
    "300 joins": "SELECT count(*) FROM " + ", ".join(f"events e{n}" for n in range(300)),
    "2,000 queries in each other": "SELECT * FROM " + "(SELECT * FROM " * 2000 + "events" + ")" * 2000,
    "20,000 lists in each other": "SELECT " + "[" * 20_000 + "1" + "]" * 20_000,
    "900 structs in each other": "SELECT " + "{'a':" * 900 + "1" + "}" * 900,
    "20,000 calls in each other": "SELECT " + "abs(" * 20_000 + "1" + ")" * 20_000,
    "40 common tables that double": "WITH a0 AS (FROM range(4) t(x))" + "".join(
        f", a{n + 1} AS (SELECT a.x FROM a{n} a, a{n} b)" for n in range(40)) + " SELECT count(*) FROM a40",
    "100,000 comments in each other": "/*" * 100_000 + "*/" * 100_000 + " SELECT error('harmless')",
    "a megabyte of semicolons": "SELECT error('harmless')" + ";" * 1_000_000,
    "a text of a megabyte": "SELECT length('" + "x" * (1 << 20) + "')",
    "a text of nine megabytes": "SELECT length('" + "x" * (9 << 20) + "')",
}

ROWS = {
    "a recursion without end": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT "
                               "count(*) FROM t",
    "a recursion without end or repetition":
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "a recursion that grows tenfold":
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t, range(10)) SELECT count(*) FROM t",
    "a recursion that doubles a text":
        "WITH RECURSIVE t(n) AS (SELECT 'x' UNION ALL SELECT n || n FROM t) SELECT max(length(n)) FROM t",
    "a cross join": "SELECT max(hash(a.range, b.range)) FROM range(1000000) a, range(1000000) b",
    "a cross join of three": "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
    "a cross join that is explained": "EXPLAIN ANALYZE SELECT max(hash(a.range, b.range)) FROM "
                                      "range(1000000) a, range(1000000) b",
    "a sort of a billion": "SELECT * FROM range(1000000000) t(i) ORDER BY hash(i)",
    "groups of a billion": "SELECT count(*) FROM (SELECT i FROM range(1000000000) t(i) GROUP BY i)",
    "distinct values of a billion": "SELECT count(DISTINCT i) FROM range(1000000000) t(i)",
    "windows over a billion": "SELECT sum(i) OVER (ORDER BY hash(i)) FROM range(1000000000) t(i)",
    "quantiles of a billion": "SELECT quantile(i, 0.5), mode(i) FROM range(1000000000) t(i)",
    "a histogram of a billion": "SELECT histogram(i) FROM range(1000000000) t(i)",
    "a list of a billion rows": "SELECT len(list(i)) FROM range(1000000000) t(i)",
    "a text of a billion rows": "SELECT length(string_agg(repeat('x', 1000), '')) FROM range(100000000)",
    "lists that are unnested": "SELECT count(*) FROM (SELECT unnest(range(1000000)), unnest(range(1000000)) "
                               "FROM range(1000000))",
    "a summary of much": "SUMMARIZE FROM range(10000000000)",
    "all microseconds": "SELECT count(*) FROM generate_series("
                        "TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL '1 microsecond')",
    "a long sleep": "SELECT sleep_ms(3000000)",
}

VALUES = {
    "a list of a billion": "SELECT len(range(1000000000))",
    "the sum of a list of a billion": "SELECT list_sum(range(1000000000))",
    "a list that is transformed": "SELECT len(list_transform(range(300000000), lambda x: x * 2))",
    "a list that is not constant": "SELECT sum(len(range(100000000 + a))) FROM events",
    "a list of ten billion": "SELECT len(range(10000000000))",
    "a list of all microseconds": "SELECT len(generate_series("
                                  "TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', "
                                  "INTERVAL '1 microsecond'))",
    "lists that are zipped": "SELECT len(list_zip(range(30000000), range(30000000), range(30000000)))",
    "the median of a list": "SELECT list_aggregate(range(200000000), 'median')",
    "a list that is resized": "SELECT len(list_resize([1], 1000000000, 0))",
    "lists for rows": "SELECT sum(x) FROM (SELECT unnest(range(100000000)) AS x FROM range(100000))",
    "a hundred million windows": "SELECT len(hop(now(), INTERVAL '1 second', INTERVAL '10 years'))",
    "a text of two gigabytes": "SELECT length(repeat('x', 2000000000))",
    "a text of twenty gigabytes": "SELECT length(repeat('x', 20000000000))",
    "a text times a text": "SELECT length(repeat(repeat(repeat('x', 1000), 1000), 1000))",
    "a text that is not constant": "SELECT sum(length(repeat('x', 1000000000 + a))) FROM events",
    "long texts for rows": "SELECT sum(length(repeat('x', 1000000 + i))) FROM range(1000000) t(i)",
    "a padded text": "SELECT length(lpad('x', 2000000000, 'y'))",
    "a padded number": "SELECT length(printf('%2000000000d', 1))",
    "a formatted number": "SELECT length(format('{:2000000000d}', 1))",
    "two billion bits": "SELECT length(bitstring('1', 2000000000))",
    "a text that is replaced": "SELECT length(replace(repeat('a', 10000000), 'a', repeat('b', 1000)))",
    "a text in pieces": "SELECT len(string_split(repeat('a,', 200000000), ','))",
    "matches of nothing": "SELECT len(regexp_extract_all(repeat('a', 300000000), ''))",
    "a pattern that goes back": "SELECT regexp_matches(repeat('a', 10000000), '(a*)*b')",
    "a pattern that is large": "SELECT regexp_replace(repeat('a', 100000000), '(a?){1000}', 'b', 'g')",
    "a pattern of patterns": "SELECT regexp_matches('a', '((a{1,1000}){1,1000}){1,1000}')",
    "a distance of two texts": "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
    "another distance of two texts": "SELECT damerau_levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "JSON in JSON": "SELECT json_merge_patch(json(repeat('{\"a\":', 500000) || '1' || repeat('}', 500000)), "
                    "'{}')",
    "arrays of arrays": "SELECT NULL::INTEGER[100000][1000]",
    "bits of all integers": "SELECT bitstring_agg(i, 0, 9223372036854775807) FROM range(10) t(i)",
    "a text that doubles, query by query":
        "SELECT length(s) FROM " + "(SELECT s || s AS s FROM " * 30 + "(SELECT repeat('x', 60000) AS "
                                                                      "s)" + ")" * 30,
    "a list that doubles, query by query":
        "SELECT len(l) FROM " + "(SELECT list_concat(l, l) AS l FROM " * 30 + "(SELECT [a] AS l FROM "
                                                                              "events)" + ")" * 30,
    "addresses of addresses": "SELECT length(" + "url_encode(" * 30 + "'%'" + ")" * 31,
    "JSON of JSON": "SELECT length(" + "to_json(" * 40 + "'\"'" + ")" * 40 + "::VARCHAR)",
    "texts that are repeated in each other": "SELECT length(" + "repeat(" * 6 + "'x'" + ", 1000)" * 6 + ")",
    "lists in lists": "SELECT len(flatten(list_transform(range(999), lambda x: range(999))))",
    "a text from a list": "SELECT length(array_to_string(list_transform(range(999), lambda x: repeat('x', "
                          "60000)), ''))",
    "lists of all rows": "SELECT sum(len(list_transform(range(999), lambda x: x + i))) FROM "
                         "range(10000000) t(i)",
    "a pattern that writes much":
        "SELECT length(regexp_replace(repeat('a', 60000), '(.*)', '" + "\\1" * 1000 + "'))",
    "digits of digits": "SELECT length(" + "hex(" * 40 + "'x'" + ")" * 40 + ")",
    "digits of digits for rows":
        "SELECT sum(length(" + "hex(" * 20 + "i::VARCHAR" + ")" * 20 + ")) FROM range(1000000) t(i)",
    "lists in lists in lists":
        "SELECT len(list_transform(range(999), lambda x: list_transform(range(999), lambda y: "
        "list_transform(range(999), lambda z: z))))",
    "the sum of lists in lists in lists":
        "SELECT list_sum(list_transform(range(999), lambda x: len(list_transform(range(999), lambda y: "
        "list_transform(range(999), lambda z: x + y + z)))))",
    "a map of lists in lists": "SELECT len(map_entries(map(range(999), list_transform(range(999), lambda x: "
                               "list_transform(range(999), lambda y: range(999))))))",
    "a list that doubles in tables": "WITH l0 AS (SELECT range(999) AS l)" + "".join(
        f", l{n + 1} AS (SELECT list_concat(l, l) AS l FROM l{n})" for n in range(39)) + " SELECT len(l) FROM l39",
    "lists of four lists": "WITH l0 AS (SELECT ['xxxxx'] AS l)" + "".join(
        f", l{n + 1} AS (SELECT [l, l, l, l] AS l FROM l{n})" for n in range(15)) + " SELECT length(l::VARCHAR) "
                                                                                    "FROM l15",
    "JSON of four times JSON": "WITH l0 AS (SELECT '1'::JSON AS l)" + "".join(
        f", l{n + 1} AS (SELECT json_array(l, l, l, l) AS l FROM l{n})" for n in range(19)) + " SELECT "
        "length(l::VARCHAR) FROM l19",
    "a text thrice in tables": "WITH l0 AS (SELECT 'xxxxx' AS l)" + "".join(
        f", l{n + 1} AS (SELECT concat_ws('', l, l, l) AS l FROM l{n})" for n in range(39)) + " SELECT length(l) "
                                                                                            "FROM l39",
    "lists of lists of rows": "SELECT len(list(l)) FROM (SELECT range(999) l FROM range(10000000))",
    "a sorted list of rows": "SELECT len(list_sort(list(i))) FROM range(1000000000) t(i)",
    "long texts together": "SELECT length(string_agg(s, '')) FROM (SELECT string_agg(repeat('x', 60000), '') s "
                           "FROM range(20000) t(i) GROUP BY i % 10)",
}
