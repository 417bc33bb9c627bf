"""Functions that have bounds are DuckDB's own within them."""

import json

import duckdb
import pytest

from support import modes
from support.sql import SQLServer, is_refused

pytestmark = pytest.mark.modes(*modes.ALL)

EXPRESSIONS = r"""
range(5)
range(0)
range(-3)
range(NULL)
range(2, 6)
range(6, 2)
range(10, 0, -3)
range(0, 10, 3)
range(n)
range(n, n + 2)
generate_series(3)
generate_series(1, 4)
generate_series(5, 1, -2)
range(DATE '2026-01-01', DATE '2026-01-05', INTERVAL 1 DAY)
generate_series(DATE '2026-01-01', DATE '2026-02-01', INTERVAL 7 DAY)
generate_series(TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', INTERVAL 6 HOUR)
range(TIMESTAMPTZ '2026-01-01', TIMESTAMPTZ '2026-04-01', INTERVAL 1 MONTH)
generate_series(TIMESTAMP '2026-01-02', TIMESTAMP '2026-01-01', INTERVAL '-6 hours')
repeat('ab', 3)
repeat('ab', n)
repeat('', 1000)
repeat('ü🦆', 2)
repeat('ab', -1)
repeat(NULL, 3)
repeat('ab', NULL)
repeat('\xAA\x00'::BLOB, 2)
repeat([1, 2], 2)
lpad('x', 5, '-')
rpad('x', 5, '-')
lpad('long', 2, '-')
lpad(t, n::INTEGER, '*')
bitstring('101', 8)
bitstring('1', n::INTEGER + 3)
list_resize([1, 2], 4)
list_resize([1, 2], 4, 0)
array_resize([1, 2], 1)
list_resize(['a'], n, 'z')
levenshtein('kitten', 'sitting')
editdist3('kitten', 'sitting')
damerau_levenshtein('ca', 'ac')
levenshtein(t, 'b')
replace('banana', 'an', 'AN')
replace('banana', '', 'x')
replace('banana', 'a', '')
replace(t, 'a', 'long text')
replace(NULL, 'a', 'b')
format('{} and {}', 'a', n)
format('{:05d}|{:.2f}|{:>6}', n, 1.5, 'x')
printf('%d %s %05.1f', n, 'x', 1.25)
printf('%-10s|', t)
list_transform(range(4), lambda x: x * x)
list_sum(range(101))
list_zip([1, 2], ['a', 'b'])
unnest(range(3))
[x + 1 for x in range(3)]
list_reverse(range(3))
string_split('a,b', ',')
regexp_replace('aaa', 'a', 'b', 'g')
regexp_extract_all('a1b2', '[0-9]')
hex('a')
url_encode('a b')
to_json([1, 2])
array_to_string(['a', 'b'], '-')
s[1:2]
bar(5, 0, 10, 10)
date_trunc('month', DATE '2026-11-24')
strftime(DATE '2026-11-24', '%Y/%m/%d')
age(TIMESTAMP '2026-11-24', TIMESTAMP '2025-01-01')
time_bucket(INTERVAL '5 minutes', TIMESTAMP '2026-11-24 12:34:56')
""".strip().splitlines()
ROWS = [{"n": 1, "t": "a", "s": "xyz"}, {"n": 2, "t": "ba", "s": ""}, {"n": None, "t": None, "s": None}]


@pytest.fixture(scope="module")
def server(storage_mode):
    with SQLServer(mode=storage_mode) as running:
        running.append("numbers", ROWS)
        yield running


@pytest.fixture(scope="module")
def local():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE TABLE numbers (n BIGINT, t VARCHAR, s VARCHAR)")
    connection.executemany("INSERT INTO numbers VALUES (?, ?, ?)", [list(row.values()) for row in ROWS])
    return connection


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_function_is_duckdbs_own(server, local, expression):
    def sql(source):
        return f"SELECT to_json({{'v': {expression}}})::VARCHAR FROM {source}"

    expected = [json.loads(row[0]) for row in local.execute(sql("numbers")).fetchall()]
    assert [json.loads(row[0]) for row in server.rows(sql("numbers"))] == expected


@pytest.mark.parametrize("sql", [
    "SELECT count(*) FROM range(1000000)", "SELECT sum(i) FROM range(5, 2000000, 3) t(i)",
    "SELECT count(*) FROM generate_series(DATE '2000-01-01', DATE '2026-01-01', INTERVAL 1 HOUR)",
    "SELECT count(*) FROM repeat('x', 100000)", "SELECT sum(len(range(1000))) FROM range(1000)",
    "SELECT count(*) FROM (SELECT unnest(range(1000)) FROM range(100))",
    "SELECT length(string_agg(repeat('x', 100), '')) FROM range(1000)",
    "SELECT len(list(i)) FROM range(100000) t(i)"])
def test_tables_and_aggregates_have_no_such_bounds(server, local, sql):
    assert [row for row in server.rows(sql)] == local.execute(sql).fetchall()


@pytest.mark.parametrize("expression", [
    "range(100000000)", "generate_series(0, 100000000)", "range(-50000000, 50000000)",
    "repeat('x', 100000000)",
    "repeat('x', n * 100000000)", "range(n * 100000000)", "lpad('x', 100000000, 'y')",
    "rpad('x', 100000000, 'y')", "bitstring('1', 100000000)", "list_resize([1], 100000000)",
    "range(0, 1000000000, 2)", "range(100000000, 0, -1)",
    "generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2026-01-01', INTERVAL '1 millisecond')",
    "printf('%100000000d', n)", "format('{:100000000d}', n)", "format('{:{}d}', n, 100000000)",
    "printf('%*d', 100000000, 1)", "format('{:' || '100000000' || 'd}', n)"])
def test_much_out_of_little_is_refused_at_once(server, expression):
    answer = server.ask(f"SELECT {expression} FROM numbers", timeout_ms=2000)
    assert is_refused(answer), answer
