"""What a request for a query may say, and what is answered to one that says something else."""

import time
import urllib.parse

import pytest

from support.sql import NDJSON, SQLServer, is_refused

CSV = "text/csv"
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1"


@pytest.fixture(scope="module")
def server():
    with SQLServer() as running:
        yield running


def wait_for_no_queries(server, seconds=10):
    deadline = time.monotonic() + seconds
    while server.call("GET", "/v1/queries").json()["queries"]:
        assert time.monotonic() < deadline, "a query goes on"
        time.sleep(0.02)


def test_a_query_in_an_address(server):
    def get(query, **options):
        return server.call("GET", "/v1/sql?" + urllib.parse.urlencode(query), **options)

    assert get({"q": "SELECT 40 + 2 AS a"}).json()["rows"] == [[42]]
    assert get({"q": "SELECT 'ü'"}, headers={"Accept": CSV}).body.decode().splitlines()[1] == "ü"
    assert get({"q": ENDLESS, "timeout_ms": "200"}).code == "query_timeout"
    for query in ({}, {"q": ""}, {"q": "SELECT 1", "x": "1"}, {"q": "SELECT 1", "timeout_ms": "soon"}):
        answer = get(query)
        assert answer.status == 400, (query, answer)
    head = server.call("HEAD", "/v1/sql?" + urllib.parse.urlencode({"q": ENDLESS}), headers={"Accept": CSV})
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "text/csv; charset=utf-8")
    wait_for_no_queries(server)


def test_a_text_alone_is_a_query(server):
    for kind in ("application/sql", "text/plain", "text/plain; charset=utf-8",
                 "application/x-www-form-urlencoded", None):
        answer = server.call("POST", "/v1/sql", b" SELECT 7 AS seven",
                             {"Content-Type": kind} if kind else None)
        assert answer.status == 200 and answer.json()["rows"] == [[7]], kind
    answer = server.call("POST", "/v1/sql", b' {"sql": "SELECT 8"}')
    assert answer.json()["rows"] == [[8]]
    assert is_refused(server.call("POST", "/v1/sql", b'{"sql": "SELECT 8"}',
                                  {"Content-Type": "application/sql"}))


@pytest.mark.parametrize("kind", ["image/png", "application/xml", "text/html", "application/x-ndjson",
                                  "multipart/form-data"])
def test_another_content_type_is_415(server, kind):
    answer = server.call("POST", "/v1/sql", b"SELECT 1", {"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body, word", [
    (b"", "sql"), (b"  ", "sql"), (b"{}", "sql"), (b'{"sql": null}', "sql"), (b'{"sql": 1}', "sql"),
    (b'{"sql": ["SELECT 1"]}', "sql"), (b'{"sql": "SELECT 1", "query": "x"}', "query"),
    (b'{"sql": "SELECT 1", "sql": "SELECT 2"}', "sql"), (b'{"sql": "SELECT 1", "params": 1}', "params"),
    (b'{"sql": "SELECT ?", "params": [[1]]}', "params[0]"),
    (b'{"sql": "SELECT $a", "params": {"a": {}}}', "params.a"),
    (b'{"sql": "SELECT 1"', ""), (b'["SELECT 1"]', "")])
def test_a_body_that_is_no_query_is_refused(server, body, word):
    answer = server.call("POST", "/v1/sql", body, {"Content-Type": "application/json"})
    assert answer.status == 400 and word in answer.detail, answer


@pytest.mark.parametrize("sql", ["", " ", ";", ";;", "-- nothing", "/* nothing */"])
def test_a_text_without_a_statement_is_refused(server, sql):
    assert server.call("POST", "/v1/sql", {"sql": sql}).status == 400


def test_accept_is_negotiated(server):
    def kind(accept):
        answer = server.ask("SELECT 1 AS a", accept=accept)
        return answer.headers["content-type"].partition(";")[0] if answer.status == 200 else answer.code

    assert kind("*/*") == "application/json"
    assert kind("application/*") == "application/json"
    assert kind("text/*") == CSV
    assert kind("text/csv;q=0.1, application/x-ndjson;q=0.9") == NDJSON
    assert kind("application/json;q=0, text/csv") == CSV
    assert kind("text/html, */*;q=0.1") == "application/json"
    for accept in ("image/png", "text/html", "application/json;q=0"):
        assert kind(accept) == "not_acceptable", accept


def test_methods(server):
    answer = server.call("PUT", "/v1/sql", b"SELECT 1")
    assert answer.status == 405 and "POST" in answer.headers["allow"]
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.headers["allow"].replace(",", " ").split())
    assert server.call("OPTIONS", "/v1/sql").status == 204
    assert server.call("POST", "/v1/queries").status == 405


# Parameters

def test_parameters_by_place_and_by_name(server):
    assert server.rows("SELECT ?, ?, ?, ?, ?",
                       [1, 2.5, "three", None, True]) == [(1, 2.5, "three", None, True)]
    assert server.rows("SELECT $2, $1, $2", ["a", "b"]) == [("b", "a", "b")]
    assert server.rows("SELECT $low + $high", {"low": 1, "high": 2}) == [(3,)]
    big = 9_007_199_254_740_993
    assert server.value("SELECT ?", [big]) == big
    # A value is never a part of the text.
    assert server.value("SELECT ?", ["'; DROP TABLE x; --"]) == "'; DROP TABLE x; --"
    server.append("measured", [{"n": n} for n in range(10)])
    assert server.value("SELECT count(*) FROM measured WHERE n >= ? AND n < ?", [3, 7]) == 4
    assert server.rows("SELECT n FROM measured ORDER BY n LIMIT ? OFFSET ?", [2, 5]) == [(5,), (6,)]


@pytest.mark.parametrize("sql, params", [
    ("SELECT ?", None), ("SELECT ?", []), ("SELECT ?", [1, 2]), ("SELECT 1", [1]), ("SELECT $a", [1]),
    ("SELECT $a", {"b": 1}), ("SELECT $a", {}), ("SELECT $a", {"a": 1, "b": 2}), ("SELECT 1", {"a": 1}),
    ("SELECT ?", {"a": 1})])
def test_parameters_that_do_not_match_are_refused(server, sql, params):
    answer = server.ask(sql, params)
    assert (answer.status, answer.code) == (400, "invalid_argument"), answer


# Without DuckDB

@pytest.mark.parametrize("library", ["/nonexistent/libduckdb.so", "/dev/null", "/etc/hostname"])
def test_without_the_library_only_sql_is_missing(start_sql, library):
    server = start_sql(environment={"PYRALOG_DUCKDB_LIBRARY": library})
    for _ in range(2):
        answer = server.ask("SELECT 1")
        assert (answer.status, answer.code) == (501, "not_implemented")
        assert "PYRALOG_DUCKDB_LIBRARY" in answer.detail
    assert server.append("events", [{"a": 1}])["count"] == 1
    assert server.call("GET", "/v1/logs/events/records").json()["records"][0]["value"] == {"a": 1}
    assert server.call("GET", "/v1/queries").json() == {"queries": []}
