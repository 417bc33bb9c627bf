"""Logs as tables: columns and their types, what keyed logs show, names, cuts, reading one's own writes."""

import json
import threading
import time

import pytest

from support import modes
from support.client import quoted
from support.sql import SQLServer

pytestmark = pytest.mark.modes(*modes.ALL)

OWN_COLUMNS = [
    ("_partition", "INTEGER"), ("_offset", "BIGINT"), ("_timestamp", "TIMESTAMP WITH TIME ZONE"),
    ("_key", "VARCHAR"), ("_value", "JSON"), ("_headers", "JSON"),
    ("_expires_at", "TIMESTAMP WITH TIME ZONE"), ("_priority", "INTEGER")]


@pytest.fixture(scope="module")
def server(storage_mode):
    with SQLServer(mode=storage_mode) as running:
        yield running


@pytest.fixture
def name(log):
    return log.rpartition("/")[2]


def fields(server, name) -> dict[str, str]:
    """The columns of a log beside those that every log has."""
    columns = [row[:2] for row in server.rows(f'DESCRIBE "{name}"')]
    own = {own for own, _ in OWN_COLUMNS}
    assert [own for own, _ in columns if own.startswith("_")] == [own for own, _ in OWN_COLUMNS]
    return {column: kind for column, kind in columns if column not in own}


# Columns

def test_the_columns_of_a_record(server, name):
    envelope = {"records": [{"key": "k1", "value": {"a": 1}, "headers": {"source": "here", "n": "2"},
                             "timestamp": 1_700_000_000_123, "priority": 7},
                            {"key": "k2", "value": {"a": 2}, "ttl_ms": 3_600_000}]}
    answer = server.call("POST", f"/v1/logs/{name}/records:batch", envelope)
    assert answer.status == 201, answer
    rows = server.query(f"FROM log_records('{name}') ORDER BY _offset")
    assert list(zip(rows.names, rows.types)) == [("a", "BIGINT")] + OWN_COLUMNS
    first, second = rows.rows
    assert first == (1, 0, 0, "2023-11-14T22:13:20.123Z", "k1", {"a": 1},
                     {"source": "here", "n": "2"}, None, 7)
    expires = server.call("GET", f"/v1/logs/{name}/records").json()["records"][1]["expires_at"]
    assert server.value(f"SELECT epoch_ms(_expires_at) FROM log_records('{name}') WHERE a = 2") == expires
    assert second[6] is None and second[8] == 0


def test_timestamp_and_key_name_the_records_own_unless_values_have_such_fields(server, name):
    server.put(name, "k", {"a": 1})
    assert server.rows(f"SELECT key, timestamp = _timestamp FROM {name}") == [("k", True)]
    assert "key" not in fields(server, name) and "timestamp" not in fields(server, name)
    server.put(name, "l", {"key": "mine", "timestamp": 5})
    assert server.rows(f"SELECT key, timestamp, _key FROM {name} ORDER BY _offset") == [
        (None, None, "k"), ("mine", 5, "l")]


def test_types_widen_as_values_come(server, name):
    steps = [({"v": 1}, "BIGINT"), ({"v": None}, "BIGINT"), ({"v": 2.5}, "DOUBLE"), ({"v": "text"}, "JSON"),
             ({"v": [1]}, "JSON")]
    for value, kind in steps:
        server.append(name, [value])
        assert fields(server, name) == {"v": kind}, value
    assert server.rows(f"SELECT v FROM {name} ORDER BY _offset") == [(1,), (None,), (2.5,), ("text",), ([1],)]


@pytest.mark.parametrize("values, kind", [
    ([1, -1], "BIGINT"), ([9223372036854775807, -9223372036854775808], "BIGINT"), ([1, 1.0], "DOUBLE"),
    ([1e300], "DOUBLE"), ([True, None], "BOOLEAN"), ([True, 1], "JSON"), (["a", ""], "VARCHAR"),
    (["a", 1], "JSON"), ([{"x": 1}], "JSON"), ([[1, 2]], "JSON"), ([{}, []], "JSON")])
def test_inferred_types(server, name, values, kind):
    server.append(name, [{"v": value} for value in values])
    assert fields(server, name) == {"v": kind}
    rows = server.ask(f"SELECT v FROM {name} ORDER BY _offset").json()["rows"]
    assert rows == [[value] for value in values]


def test_integers_beyond_64_bits_are_doubles_and_their_texts_stay(server, name):
    server.append_lines(name, b'{"v": 18446744073709551617}\n{"v": 1}\n')
    assert fields(server, name) == {"v": "DOUBLE"}
    assert [float(row[0]) for row in server.rows(f"SELECT v FROM {name} ORDER BY _offset")] == [2.0 ** 64, 1]
    assert server.value(f"SELECT max((_value->>'v')::HUGEINT) FROM {name}") == 18446744073709551617


def test_fields_that_differ_in_case_are_different_columns(server, name):
    server.append(name, [{"a": 1, "A": 2}, {"A": 3}, {"a": 4}])
    names = list(fields(server, name))
    assert names == ["a", "A_1"] or names == ["A", "a_1"]
    rows = server.rows(f"SELECT {', '.join(names)} FROM {name} ORDER BY _offset")
    expected = [(1, 2), (None, 3), (4, None)]
    assert rows == (expected if names[0] == "a" else [row[::-1] for row in expected])


def test_odd_names_of_fields(server, name):
    values = {"select": 1, "with space": 2, 'quo"te': 3, "ü🦆": 4, "a.b": 5, "_offset": 6, "1st": 7, "": 8,
              "x" * 300: 9}
    server.append(name, [values])
    assert server.rows(f'SELECT "select", "with space", "quo""te", "ü🦆", "a.b", "1st", {"x" * 300} FROM '
                       f'{name}') == [
        (1, 2, 3, 4, 5, 7, 9)]
    assert server.value(f"SELECT _offset FROM {name}") == 0
    assert server.value(f"SELECT _value->>'_offset' FROM {name}") == "6"


def test_a_repeated_member_and_escapes_in_names(server, name):
    server.append_lines(name, b'{"\\u0061": "\\u0041\\n\\ud83e\\udd86", "b": "x"}\n{"a": "plain"}\n')
    assert server.rows(f"SELECT a, b FROM {name} ORDER BY _offset") == [("A\n🦆", "x"), ("plain", None)]


def test_values_that_are_no_objects_have_no_fields(server, name):
    server.append_lines(name, b'1\n"text"\n[{"a": 1}]\nnull\n{"a": 5}\n')
    assert server.rows(f"SELECT a, _value FROM {name} ORDER BY _offset") == [
        (None, 1), (None, "text"), (None, [{"a": 1}]), (None, None), (5, {"a": 5})]


def test_values_that_are_no_json(server, name):
    for body, kind in ((b"text", "text/plain"), (b'{"a": 1}', "application/json"),
                       (b'{"a": 2}', "text/plain")):
        assert server.call("POST", f"/v1/logs/{name}/records", body, {"Content-Type": kind}).status == 201
    rows = server.query(f"SELECT a, _value FROM {name} ORDER BY _offset")
    assert rows.types == ["BIGINT", "VARCHAR"]
    assert rows.rows == [(None, "text"), (1, '{"a": 1}'), (None, '{"a": 2}')]
    server.call("POST", f"/v1/logs/{name}/records", b"\xff\x00", {"Content-Type": "application/octet-stream"})
    rows = server.query(f"SELECT a, _value FROM {name} ORDER BY _offset DESC LIMIT 1")
    assert rows.types == ["BIGINT", "BLOB"] and rows.rows == [(None, "/wA=")]


def test_keys_that_are_no_text_make_the_column_binary(server, name):
    server.put(name, "plain", {"a": 1})
    assert server.query(f"SELECT _key FROM {name}").types == ["VARCHAR"]
    server.put(name, quoted(b"\xff\xfe/\x00"), {"a": 2})
    rows = server.query(f"SELECT _key, key FROM {name} ORDER BY a")
    assert rows.types == ["BLOB", "BLOB"] and rows.rows == [("cGxhaW4=",) * 2, ("//4vAA==",) * 2]


def test_a_log_without_records_is_a_table_without_rows(server, name):
    assert server.call("PUT", f"/v1/logs/{name}").status == 201
    assert server.rows(f"SELECT * FROM {name}") == [] and fields(server, name) == {}
    assert server.value(f"SELECT count(*) FROM {name}") == 0


def test_a_log_that_is_not_there(server):
    for sql in ("FROM nowhere", "FROM log_records('nowhere')", "FROM log_scan('nowhere')",
                "DESCRIBE nowhere"):
        answer = server.ask(sql)
        assert answer.status == 400 and "nowhere" in answer.detail, answer
    assert server.call("GET", "/v1/logs/nowhere").status == 404


# Declared columns

DECLARED = {"price": "DECIMAL(18,4)", "day": "DATE", "at": "TIMESTAMP", "zoned": "TIMESTAMPTZ",
            "small": "TINYINT", "number": "INTEGER", "big": "HUGEINT", "ratio": "FLOAT", "flag": "BOOLEAN",
            "id": "UUID", "name": "VARCHAR", "raw": "JSON", "clock": "TIME", "span": "INTERVAL",
            "whole": "UBIGINT"}


def test_declared_fields_have_their_types(server, name):
    assert server.call("PUT", f"/v1/logs/{name}", {"schema": DECLARED}).status == 201
    assert server.rows(f"SELECT * FROM {name}") == []
    expected = {**DECLARED, "zoned": "TIMESTAMP WITH TIME ZONE"}
    assert fields(server, name) == expected
    server.append_lines(name, (
        b'{"price": 12345678901234.5678, "day": "2024-02-29", "at": "2026-11-24 12:00:00", '
        b'"zoned": "2026-11-24T12:00:00+02:00", '
        b'"small": -128, "number": 2147483647, "big": 170141183460469231731687303715884105727, '
        b'"ratio": 0.5, "flag": true, '
        b'"id": "4ac7a9e9-607c-4c8a-84f3-843f0191e3fd", "name": "x", "raw": {"a": [1]}, "clock": "01:02:03", '
        b'"span": "90 minutes", "whole": 18446744073709551615, "other": 1}\n{}\n'
        b'{"price": "0.0001", "day": null, "number": "7", "name": 12.50, "flag": "false", "raw": "t"}\n'))
    columns = ", ".join(f'"{column}"' for column in DECLARED)
    rows = server.query(f"SELECT {columns}, other FROM {name} ORDER BY _offset")
    assert rows.types == [*expected.values(), "BIGINT"]
    assert [str(value) for value in rows.rows[0]] == [
        "12345678901234.5678", "2024-02-29", "2026-11-24T12:00:00", "2026-11-24T10:00:00Z", "-128",
        "2147483647", "170141183460469231731687303715884105727", "0.5", "True",
        "4ac7a9e9-607c-4c8a-84f3-843f0191e3fd", "x",
        "{'a': [1]}", "01:02:03", "PT1H30M", "18446744073709551615", "1"]
    assert set(rows.rows[1]) == {None}
    third = dict(zip(rows.names, rows.rows[2]))
    assert (str(third["price"]), *(third[field] for field in ("day", "number", "name", "flag", "raw"))) == (
        "0.0001", None, 7, "12.50", False, "t")


def test_what_does_not_fit_a_declared_type_is_null_and_counted(server, name):
    server.call("PUT", f"/v1/logs/{name}",
                {"schema": {"price": "DECIMAL(5,2)", "day": "DATE", "n": "SMALLINT"}})
    server.append(name, [
        {"price": 1.25, "day": "2026-01-01", "n": 1}, {"price": "dear", "day": "2026-02-30", "n": 40000},
        {"price": 100000, "day": 7, "n": [1]}, {"price": None, "day": None}, {"n": "x"}])
    before = server.metrics().sum("pyralog_sql_misfits_total")
    rows = server.rows(f"SELECT price, day, n, _value FROM {name} ORDER BY _offset")
    assert [row[:3] for row in rows[1:]] == [(None, None, None)] * 4
    assert (str(rows[0][0]), *rows[0][1:3]) == ("1.25", "2026-01-01", 1)
    # The value itself is there as it came.
    assert rows[1][3] == {"price": "dear", "day": "2026-02-30", "n": 40000}
    assert server.metrics().sum("pyralog_sql_misfits_total") - before == 7


@pytest.mark.parametrize("kind", ["NOTHING", "INTEGER[]", "DECIMAL(39,1)", "DECIMAL(5,6)", "VARCHAR; DROP",
                                  "", 1, None])
def test_a_schema_of_an_unknown_type_is_refused(server, name, kind):
    answer = server.call("PUT", f"/v1/logs/{name}", {"schema": {"field": kind}})
    assert answer.status == 400 and "field" in answer.detail, answer


def test_a_schema_is_told_and_can_be_altered(server, name):
    server.call("PUT", f"/v1/logs/{name}", {"schema": {"b": "date", "a": "INTEGER"}})
    server.append(name, [{"a": 1, "b": "2026-01-02"}])
    assert fields(server, name) == {"b": "DATE", "a": "INTEGER"}
    answer = server.call("PATCH", f"/v1/logs/{name}", {"schema": {"b": None, "a": "DOUBLE"}})
    assert answer.status == 200 and list(answer.json()["config"]["schema"]) == ["a"], answer
    assert fields(server, name) == {"a": "DOUBLE", "b": "VARCHAR"}
    assert server.rows(f"SELECT a, b FROM {name}") == [(1, "2026-01-02")]


# Rows

def test_a_keyed_log_shows_the_newest_of_each_key(server, name):
    server.call("PUT", f"/v1/logs/{name}", {"compaction": "keys", "partitions": 3})
    for round_ in range(3):
        for key in range(20):
            server.put(name, f"k{key}", {"key_number": key, "round": round_})
    for key in range(0, 20, 5):
        assert server.call("DELETE", f"/v1/logs/{name}/keys/k{key}").status == 204
    rows = server.rows(f"SELECT key_number, round, _key FROM {name} ORDER BY key_number")
    assert rows == [(key, 2, f"k{key}") for key in range(20) if key % 5]
    assert server.value(f"SELECT count(DISTINCT _partition) FROM {name}") == 3
    kept = server.value(f"SELECT count(*) FROM log_records('{name}') WHERE round IS NOT NULL")
    assert kept >= 16 and server.value(f"SELECT count(*) FROM log_scan('{name}')") == 16


def test_a_log_of_records_shows_them_all(server, name):
    server.call("PUT", f"/v1/logs/{name}", {"compaction": "none"})
    for round_ in range(3):
        server.append(name, [{"id": n, "round": round_} for n in range(5)], key_field="id")
    assert server.value(f"SELECT count(*) FROM {name}") == 15
    assert server.call("DELETE", f"/v1/logs/{name}/records?before_offset=4").status == 204
    assert server.value(f"SELECT count(*) FROM {name}") == 11
    assert server.value(f"SELECT min(_offset) FROM {name}") == 4


def test_a_scan_takes_a_part(server, name):
    start = 1_750_000_000_000
    server.append(name, [{"n": n, "at": start + n * 1000} for n in range(1000)], timestamp_field="at")

    def scanned(arguments):
        return server.rows(f"SELECT min(n), max(n), count(*) FROM log_scan('{name}'{arguments})")[0]

    def moment(n):
        return f"make_timestamp({(start + n * 1000) * 1000})"

    assert scanned("") == (0, 999, 1000)
    assert scanned(", from_offset := 10") == (10, 999, 990)
    assert scanned(", to_offset := 10") == (0, 9, 10)
    assert scanned(", from_offset := 100, to_offset := 200") == (100, 199, 100)
    assert scanned(f", since := {moment(500)}") == (500, 999, 500)
    assert scanned(f", until := {moment(500)}") == (0, 499, 500)
    assert scanned(f", since := {moment(5)}, until := {moment(6)}") == (5, 5, 1)
    assert scanned(f", since := TIMESTAMP '2025-06-15 15:06:50', to_offset := 20") == (10, 19, 10)
    assert scanned(f", since := {moment(5)}, until := {moment(900)}, from_offset := 890, to_offset := "
                   f"2000") == (890, 899, 10)
    assert scanned(", from_offset := 5, to_offset := 5") == (None, None, 0)
    assert scanned(", from_offset := 9, to_offset := 2") == (None, None, 0)
    assert scanned(", since := TIMESTAMP '2100-01-01'") == (None, None, 0)
    for wrong in (", since := 5", ", before := 1", ", from_offset := 'x'"):
        assert server.ask(f"FROM log_scan('{name}'{wrong})").status == 400, wrong


def test_filters_on_offsets_and_times_agree_with_scans(server, name):
    start = 1_750_000_000_000
    server.append(name, [{"n": n, "at": start + n % 97 * 1000} for n in range(5000)], timestamp_field="at")
    for low, high in ((0, 97), (10, 20), (96, 500), (50, 50), (-5, 1)):
        expected = sum(low <= n % 97 < high for n in range(5000))
        times = [f"make_timestamptz({(start + second * 1000) * 1000})" for second in (low, high)]
        assert server.value(
            f"SELECT count(*) FROM {name} WHERE _timestamp >= {times[0]} AND timestamp < "
            f"{times[1]}") == expected
    assert server.value(f"SELECT sum(n) FROM {name} WHERE _offset BETWEEN 100 AND 199") == 14950
    assert server.value(f"SELECT count(*) FROM {name} WHERE _offset = 4999 OR n = 3") == 2
    assert server.value(f"SELECT count(*) FROM {name} WHERE NOT _offset < 4990") == 10
    assert server.value(f"SELECT count(*) FROM {name} a WHERE _offset > (SELECT max(_offset) - 5 FROM "
                        f"{name})") == 5
    assert server.value(
        f"SELECT count(*) FROM {name} a LEFT JOIN {name} b ON a._offset = b._offset AND b._offset >= "
        f"4999") == 5000
    assert server.value(
        f"SELECT count(*) FROM {name} a JOIN {name} b ON a.n = b.n AND a._offset < 10 AND b._offset < 5") == 5


# Names

@pytest.mark.parametrize("odd", ["a.csv", "x-1", "data.parquet", "1st", "select", "A.B.C", "UPPER",
                                 "Mixed_Case", "t" * 128, "events.json", "range", "main", "duckdb_settings",
                                 "pg_class"])
def test_logs_of_any_name_are_tables(start_sql, odd):
    server = start_sql()
    server.append(odd, [{"a": 1}, {"a": 2}])
    assert server.value(f"SELECT sum(a) FROM log_table('{odd}')") == 3
    assert server.value(f"SELECT sum(a) FROM log_records('{odd}')") == 3
    assert server.rows("SHOW TABLES") == [(odd,)]
    if odd == "pg_class":
        # A table of DuckDB's own comes first: the refusal says how to reach the log.
        assert "log_table" in server.ask(f'SELECT * FROM "{odd}"').detail
        return
    assert server.value(f'SELECT sum(a) FROM "{odd}"') == 3
    assert server.value(f'SELECT sum(x.a + y.a) FROM "{odd}" x JOIN "{odd}" y ON x.a = y.a') == 6
    assert server.value(f'WITH c AS (FROM "{odd}") SELECT sum(a) FROM c') == 3
    assert server.rows(f'DESCRIBE "{odd}"')[0][:2] == ("a", "BIGINT")


def test_names_tell_case_apart(server):
    server.append("Case", [{"a": 1}])
    server.append("case", [{"a": 2}])
    assert server.value('SELECT a FROM "Case"') == 1 and server.value('SELECT a FROM "case"') == 2
    assert server.rows('SELECT x.a, y.a FROM "Case" x, "case" y') == [(1, 2)]


def test_the_list_of_tables(server, name):
    server.append(name, [{"a": 1}])
    tables = [row[0] for row in server.rows("SHOW TABLES")]
    logs = [entry["name"] for entry in server.call("GET", "/v1/logs?limit=1000").json()["logs"]]
    assert sorted(tables) == sorted(logs) and name in tables
    assert server.call("DELETE", f"/v1/logs/{name}").status == 204
    assert (name,) not in server.rows("SHOW TABLES")
    assert server.ask(f"FROM {name}").status == 400


# Time

def test_a_query_sees_what_was_written_before(server, name):
    with server.connect() as connection:
        for n in range(200):
            assert connection.call("POST", f"/v1/logs/{name}/records", json.dumps({"n": n})).status == 201
            if n % 10 == 0:
                assert server.rows(f"SELECT count(*), max(n) FROM {name}") == [(n + 1, n)]


def test_after_waits_until_a_revision_is_visible(server, name):
    revision = server.put(name, "k", {"a": 1})["revision"]
    assert server.value(f"SELECT a FROM {name}", after=f"{name}/{revision}") == 1
    partition, offset, epoch = revision.split("-")
    coming = f"{partition}-{int(offset) + 1}-{epoch}"
    rows = []
    thread = threading.Thread(target=lambda: rows.append(server.rows(f"SELECT a FROM {name}",
                                                                     after=f"{name}/{coming}")))
    thread.start()
    time.sleep(0.3)
    assert [query["state"] for query in server.call("GET", "/v1/queries").json()["queries"]] == ["waiting"]
    server.put(name, "k", {"a": 2})
    thread.join(5)
    assert rows == [[(2,)]]
    for wrong in ("nonsense", f"{name}/nonsense", revision, f"nowhere/{revision}"):
        answer = server.ask("SELECT 1", after=wrong)
        assert answer.status in (400, 404), (wrong, answer)


def test_a_query_sees_one_cut_of_all_its_logs(server, name):
    # Both logs grow together, in transactions: no query sees one without the other.
    one, other = f"{name}a", f"{name}b"
    stop = threading.Event()

    def write():
        with server.connect() as connection:
            n = 0
            while not stop.is_set():
                operations = [{"append": {"log": log, "value": {"n": n}}} for log in (one, other)]
                assert connection.call("POST", "/v1/transactions", {"then": operations}).json()["committed"]
                n += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while server.ask(f"SELECT n FROM {other}").status != 200:
            time.sleep(0.01)
        sql = (f"SELECT (SELECT count(*) FROM {one}), (SELECT count(*) FROM {other}), "
               f"(SELECT count(*) FROM {one} a JOIN {other} b USING (n)), (SELECT max(n) + 1 FROM "
               f"log_records('{one}'))")
        counts = [server.rows(sql)[0] for _ in range(50)]
    finally:
        stop.set()
        thread.join()
    assert all(len(set(count)) == 1 for count in counts), counts
    assert counts[-1][0] > counts[0][0]
