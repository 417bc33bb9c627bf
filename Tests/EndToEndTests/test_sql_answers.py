"""One result in five forms: JSON, lines, CSV, Parquet and Arrow say the same, exactly."""

import csv
import io
import json

import duckdb
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from support.sql import SQLServer

CSV, LINES = "text/csv", "application/x-ndjson"
PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"

# Expression, the type that answers name, the value as JSON.
VALUES = [
    ("true", "BOOLEAN", "true"),
    ("false", "BOOLEAN", "false"),
    ("(-128)::TINYINT", "TINYINT", "-128"),
    ("(-32768)::SMALLINT", "SMALLINT", "-32768"),
    ("2147483647::INTEGER", "INTEGER", "2147483647"),
    ("9223372036854775807::BIGINT", "BIGINT", "9223372036854775807"),
    ("(-9223372036854775808)::BIGINT", "BIGINT", "-9223372036854775808"),
    ("9007199254740993::BIGINT", "BIGINT", "9007199254740993"),
    ("170141183460469231731687303715884105727::HUGEINT", "HUGEINT",
     "170141183460469231731687303715884105727"),
    ("(-170141183460469231731687303715884105728)::HUGEINT", "HUGEINT",
     "-170141183460469231731687303715884105728"),
    ("340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT",
     "340282366920938463463374607431768211455"),
    ("255::UTINYINT", "UTINYINT", "255"),
    ("65535::USMALLINT", "USMALLINT", "65535"),
    ("4294967295::UINTEGER", "UINTEGER", "4294967295"),
    ("18446744073709551615::UBIGINT", "UBIGINT", "18446744073709551615"),
    ("0.1::DOUBLE", "DOUBLE", "0.1"),
    ("1.7976931348623157e308::DOUBLE", "DOUBLE", "1.7976931348623157e+308"),
    ("5e-324::DOUBLE", "DOUBLE", "5e-324"),
    ("1.5::FLOAT", "FLOAT", "1.5"),
    ("(-1.5)::DECIMAL(4,1)", "DECIMAL(4,1)", "-1.5"),
    ("0.01::DECIMAL(9,2)", "DECIMAL(9,2)", "0.01"),
    ("1234567890123456.78::DECIMAL(18,2)", "DECIMAL(18,2)", "1234567890123456.78"),
    ("99999999999999999999999999999999999.999::DECIMAL(38,3)", "DECIMAL(38,3)",
     "99999999999999999999999999999999999.999"),
    ("(-0.000000000000000001)::DECIMAL(38,18)", "DECIMAL(38,18)", "-0.000000000000000001"),
    ("''", "VARCHAR", '""'),
    ("'plain'", "VARCHAR", '"plain"'),
    ("'a \"quoted\", text' || chr(10) || 'ü 🦆'", "VARCHAR", '"a \\"quoted\\", text\\nü 🦆"'),
    ("'\\x00\\xFF\\x41'::BLOB", "BLOB", '"AP9B"'),
    ("''::BLOB", "BLOB", '""'),
    ("DATE '2024-02-29'", "DATE", '"2024-02-29"'),
    ("DATE '1969-12-31'", "DATE", '"1969-12-31"'),
    ("DATE '0001-01-01'", "DATE", '"0001-01-01"'),
    ("TIME '23:59:59.999999'", "TIME", '"23:59:59.999999"'),
    ("TIME '00:00:00'", "TIME", '"00:00:00"'),
    ("TIMESTAMP '2026-11-24 12:34:56.5'", "TIMESTAMP", '"2026-11-24T12:34:56.5"'),
    ("TIMESTAMP '1969-12-31 23:59:59.000001'", "TIMESTAMP", '"1969-12-31T23:59:59.000001"'),
    ("TIMESTAMPTZ '2026-11-24 12:34:56+02'", "TIMESTAMP WITH TIME ZONE", '"2026-11-24T10:34:56Z"'),
    ("TIMESTAMPTZ '1883-11-18 12:00:00.000001+00'", "TIMESTAMP WITH TIME ZONE",
     '"1883-11-18T12:00:00.000001Z"'),
    ("'2026-11-24 12:34:56'::TIMESTAMP_S", "TIMESTAMP_S", '"2026-11-24T12:34:56"'),
    ("'2026-11-24 12:34:56.789'::TIMESTAMP_MS", "TIMESTAMP_MS", '"2026-11-24T12:34:56.789"'),
    ("'2026-11-24 12:34:56.123456789'::TIMESTAMP_NS", "TIMESTAMP_NS", '"2026-11-24T12:34:56.123456789"'),
    ("UUID '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'", "UUID", '"4ac7a9e9-607c-4c8a-84f3-843f0191e3fd"'),
    ("UUID '00000000-0000-0000-0000-000000000001'", "UUID", '"00000000-0000-0000-0000-000000000001"'),
    ("[1, NULL, 3]", "INTEGER[]", "[1,null,3]"),
    ("[]::BIGINT[]", "BIGINT[]", "[]"),
    ("[[1.5::DECIMAL(3,1)], NULL, []]", "DECIMAL(3,1)[][]", "[[1.5],null,[]]"),
    ("[1, 2]::INTEGER[2]", "INTEGER[2]", "[1,2]"),
    ("{'a': 1, 'b': 'x', 'c': NULL::DATE}", None, '{"a":1,"b":"x","c":null}'),
    ("[{'n': [1]}, {'n': NULL}]", None, '[{"n":[1]},{"n":null}]'),
    ("MAP {'a': 1, 'b': NULL}", "MAP(VARCHAR, INTEGER)", '{"a":1,"b":null}'),
]
# Types whose Arrow or Parquet form reads back as another Python value, or that Parquet has not.
TEXT_ONLY = [
    ("INTERVAL '14 months 3 days 04:05:06.5'", "INTERVAL", '"P1Y2M3DT4H5M6.5S"'),
    ("INTERVAL '0 seconds'", "INTERVAL", '"PT0S"'),
    ("INTERVAL '-90 minutes'", "INTERVAL", '"PT-1H-30M"'),
    ("TIMETZ '12:34:56+05:30'", "TIME WITH TIME ZONE", '"12:34:56+05:30"'),
    ("'10110'::BIT", "BIT", '"10110"'),
    ("'b'::ENUM ('a', 'b')", "ENUM('a', 'b')", '"b"'),
    ("MAP {1: 'x', 2: NULL}", "MAP(INTEGER, VARCHAR)", '[{"key":1,"value":"x"},{"key":2,"value":null}]'),
    ("union_value(n := 5)", None, "5"),
    ("'[1, {\"a\": 0.10}]'::JSON", "JSON", '[1, {"a": 0.10}]'),
    ("NULL", None, "null"),
    ("'nan'::DOUBLE", "DOUBLE", "null"),
    ("'infinity'::FLOAT", "FLOAT", "null"),
    ("'infinity'::TIMESTAMP", "TIMESTAMP", '"infinity"'),
    ("'-infinity'::DATE", "DATE", '"-infinity"'),
]
ALL = VALUES + TEXT_ONLY


def selected(values) -> str:
    return ", ".join(f"{expression} AS c{number}" for number, (expression, _, _) in enumerate(values))


def with_nulls(values) -> str:
    """A row of the values, then one of NULLs of the same types."""
    return (f"WITH one AS (SELECT {selected(values)}), row AS (SELECT unnest([true, false]) AS keep) "
            "SELECT " + ", ".join(f"CASE WHEN keep THEN c{n} END AS c{n}" for n in range(len(values)))
            + " FROM row, one ORDER BY keep DESC")


@pytest.fixture(scope="module")
def server():
    with SQLServer() as running:
        yield running


@pytest.fixture(scope="module")
def local():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def body(server, sql, accept) -> bytes:
    answer = server.ask(sql, accept=accept)
    assert answer.status == 200 and answer.headers["content-type"].startswith(accept), answer
    return answer.body


@pytest.mark.parametrize("expression, type_name, expected", ALL, ids=[entry[0] for entry in ALL])
def test_a_value_of_each_type_as_json(server, expression, type_name, expected):
    text = body(server, f"SELECT {expression} AS v", "application/json").decode()
    assert f'"rows":[[{expected}]]' in text, text
    if type_name:
        assert json.loads(text)["columns"] == [{"name": "v", "type": type_name}]


def test_values_of_all_types_as_lines(server):
    lines = body(server, with_nulls(ALL), LINES).decode().splitlines()
    members = ",".join(f'"c{number}":{expected}' for number, (_, _, expected) in enumerate(ALL))
    nulls = ",".join(f'"c{number}":null' for number in range(len(ALL)))
    assert lines == ["{" + members + "}", "{" + nulls + "}"]


def test_values_of_all_types_as_csv(server):
    values = [entry for entry in ALL if entry[1] not in ("DOUBLE", "FLOAT")]
    text = body(server, with_nulls(values), CSV).decode()
    header, row, nulls = csv.reader(io.StringIO(text))
    assert header == [f"c{number}" for number in range(len(values))]
    assert text.endswith("\n" + "," * (len(values) - 1) + "\n") and set(nulls) == {""}
    for field, (expression, _, expected) in zip(row, values):
        content = json.loads(expected)
        if expected == "null":
            content = ""
        assert field == (content if isinstance(content, str) else expected), expression


def test_csv_tells_an_empty_text_from_null_and_quotes_what_must_be(server):
    text = body(server, "SELECT '' AS \"a,b\", NULL AS c, 'x' AS d, '\"' AS e, chr(13) AS f, ' ' AS g", CSV)
    assert text == b'"a,b",c,d,e,f,g\n"",,x,"""","\r", \n'
    assert body(server, "SELECT 'nan'::DOUBLE AS a, '-inf'::DOUBLE AS b, 1e300 AS c, 0.5::FLOAT AS d", CSV) \
        == b"a,b,c,d\nnan,-inf,1e+300,0.5\n"


def test_arrow_is_what_duckdb_makes_itself(server, local):
    query = with_nulls(VALUES)
    table = pyarrow.ipc.open_stream(body(server, query, ARROW)).read_all()
    expected = local.sql(query).to_arrow_table()
    assert table.schema.types == expected.schema.types
    for column in expected.column_names:
        assert table.column(column).equals(expected.column(column)), column


def test_parquet_is_what_duckdb_writes_itself(start_sql, local, tmp_path):
    server = start_sql()
    query = with_nulls(VALUES)
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    ours.write_bytes(body(server, query, PARQUET))
    local.execute(f"COPY ({query}) TO '{theirs}' (FORMAT parquet)")
    types = local.execute(f"DESCRIBE FROM '{theirs}'").fetchall()
    assert local.execute(f"DESCRIBE FROM '{ours}'").fetchall() == types
    assert local.execute(f"FROM '{ours}'").fetchall() == local.execute(f"FROM '{theirs}'").fetchall()
    # Another reader agrees that it is well formed.
    assert pyarrow.parquet.read_table(ours, columns=["c5", "c24"]).num_rows == 2


# More than one vector, more than one piece; strings that share nothing, validity that comes and goes.
MANY = ("SELECT i, CASE WHEN i % 7 != 0 THEN 'text ' || i END AS t, i * 1.5::DECIMAL(18,3) AS d, "
        "CASE WHEN i % 3 = 0 THEN NULL ELSE [i, i + 1] END AS l, "
        "TIMESTAMPTZ '2026-01-01' + INTERVAL (i) SECOND AS at FROM range(50000) r(i)")


def test_many_rows_are_the_same_in_all_forms(start_sql, local, tmp_path):
    server = start_sql()
    expected = local.sql(MANY).to_arrow_table()
    assert pyarrow.ipc.open_stream(body(server, MANY, ARROW)).read_all().to_pylist() == expected.to_pylist()
    file = tmp_path / "many.parquet"
    file.write_bytes(body(server, MANY, PARQUET))
    assert local.execute(f"FROM '{file}'").fetchall() == local.execute(MANY).fetchall()
    lines = [list(json.loads(line).values()) for line in body(server, MANY, LINES).splitlines()]
    assert lines == json.loads(body(server, MANY, "application/json"))["rows"]
    assert [(row[0], row[1], row[3]) for row in lines] == [
        (row["i"], row["t"], row["l"]) for row in expected.select(["i", "t", "l"]).to_pylist()]
    rows = list(csv.reader(io.StringIO(body(server, MANY, CSV).decode())))
    assert len(rows) == 50001 and rows[1:4] == [
        ["0", "", "0.000", "", "2026-01-01T00:00:00Z"],
        ["1", "text 1", "1.500", "[1,2]", "2026-01-01T00:00:01Z"],
        ["2", "text 2", "3.000", "[2,3]", "2026-01-01T00:00:02Z"]]


@pytest.mark.parametrize("type_name", sorted({entry[1] for entry in VALUES if entry[1]}) + [
    "STRUCT(a INTEGER, b STRUCT(c VARCHAR[]))", "STRUCT(a DATE)[]", "MAP(INTEGER, VARCHAR)", "ENUM('a', 'b')",
    "INTERVAL", "TIME WITH TIME ZONE", "BIT", "JSON", "UNION(n INTEGER, t VARCHAR)"])
@pytest.mark.parametrize("accept", [PARQUET, ARROW])
def test_a_null_of_each_type_in_binary_forms_and_the_server_goes_on(start_sql, accept, type_name):
    server = start_sql()
    answer = server.ask(f"SELECT NULL::{type_name} AS v, 1 AS w", accept=accept)
    # A form may have no place for a type; it says so then.
    assert answer.status == 200 or "form" in answer.detail or "Parquet" in answer.detail, answer
    if answer.status == 200:
        if accept == PARQUET and type_name.endswith("[2]"):
            # What DuckDB writes for a NULL of a fixed-size list, here as elsewhere, this reader refuses.
            return
        table = (pyarrow.ipc.open_stream(answer.body).read_all() if accept == ARROW
                 else pyarrow.parquet.read_table(io.BytesIO(answer.body)))
        assert table.column_names == ["v", "w"] and table.column("w").to_pylist() == [1]
        assert table.column("v").to_pylist() == [None]
    assert server.value("SELECT 1") == 1


@pytest.mark.parametrize("accept", ["application/json", LINES, CSV, PARQUET, ARROW])
def test_a_result_without_rows_has_its_columns_in_every_form(server, accept):
    answer = body(server, "SELECT 1 AS a, 'x' AS b WHERE false", accept)
    if accept == "application/json":
        assert [c["name"] for c in json.loads(answer)["columns"]] == ["a", "b"]
    elif accept == LINES:
        assert answer == b""
    elif accept == CSV:
        assert answer == b"a,b\n"
    else:
        table = (pyarrow.ipc.open_stream(answer).read_all() if accept == ARROW
                 else pyarrow.parquet.read_table(io.BytesIO(answer)))
        assert table.column_names == ["a", "b"] and table.num_rows == 0


def test_columns_of_the_same_name_all_come(server):
    rows = server.query("SELECT 1 AS a, 2 AS a, 3 AS \"A\"")
    assert rows.names == ["a", "a", "A"] and rows.rows == [(1, 2, 3)]
    table = pyarrow.ipc.open_stream(body(server, "SELECT 1 AS a, 2 AS a", ARROW)).read_all()
    assert [column.to_pylist() for column in table.columns] == [[1], [2]]
    assert body(server, "SELECT 1 AS a, 2 AS a", CSV) == b"a,a\n1,2\n"


def test_columns_of_the_same_name_as_parquet_are_all_there_or_refused(start_sql):
    server = start_sql()
    answer = server.ask("SELECT 1 AS a, 2 AS a", accept=PARQUET)
    if answer.status == 200:
        assert pyarrow.parquet.ParquetFile(io.BytesIO(answer.body)).metadata.num_columns == 2
    else:
        assert answer.code == "query_error" and "a" in answer.detail
    assert server.value("SELECT 1") == 1


def test_a_log_comes_in_all_forms(server, local, tmp_path):
    server.append("sensors", [{"id": n, "reading": n / 4, "place": {"x": n}} for n in range(3000)])
    query = "SELECT id, reading, place, _offset, _timestamp FROM sensors ORDER BY id"
    rows = server.rows(query)
    assert [row[:4] for row in rows[:2]] == [(0, 0, {"x": 0}, 0), (1, 0.25, {"x": 1}, 1)]
    table = pyarrow.ipc.open_stream(body(server, query, ARROW)).read_all()
    assert table.column("id").to_pylist() == list(range(3000))
    assert json.loads(table.column("place")[7].as_py()) == {"x": 7}
    assert table.schema.field("_timestamp").type == pyarrow.timestamp("us", "UTC")
    file = tmp_path / "log.parquet"
    file.write_bytes(body(server, query, PARQUET))
    assert local.execute(f"SELECT sum(id), sum(reading), sum((place->>'x')::BIGINT) FROM "
                         f"'{file}'").fetchall() \
        == [(4498500, 1124625.0, 4498500)]
