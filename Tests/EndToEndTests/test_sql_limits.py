"""Queries end: by their limits, their deadline, somebody's word, or when nobody reads."""

import json
import signal
import socket
import threading
import time

import pytest

from support import report
from support.crowd import together
from support.sql import NDJSON, SQLServer

CSV, PARQUET, ARROW = "text/csv", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
FORMS = ["application/json", NDJSON, CSV, PARQUET, ARROW]
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1"
WIDE = "SELECT i, repeat('x', 1000) AS t FROM range({}) r(i)"


@pytest.fixture(scope="module")
def server():
    with SQLServer() as running:
        yield running


class Reader:
    """Reads the answer of a query as it comes, on a socket of its own."""

    def __init__(self, server, sql, accept="application/json", receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(60)
        self.socket.connect((server.host, server.port))
        body = sql.encode()
        self.socket.sendall(
            f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sql\r\nAccept: "
            f"{accept}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def head(self) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        return data

    def rest(self) -> bytes:
        data = bytearray()
        while True:
            try:
                piece = self.socket.recv(1 << 20)
            except ConnectionResetError:
                return bytes(data)
            if not piece:
                return bytes(data)
            data += piece

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def running_queries(server) -> list[dict]:
    return server.call("GET", "/v1/queries").json()["queries"]


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.02)


def in_background(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


# Large answers

@pytest.mark.parametrize("accept", FORMS)
def test_three_hundred_megabytes_are_streamed_in_bounded_memory(start_sql, accept):
    server = start_sql()
    server.value("SELECT 1")
    before, most, got = server.resident_bytes(), 0, 0
    # Nothing that a form could make small.
    sql = ("SELECT i, sha256(i::VARCHAR) || sha256((i + 1)::VARCHAR) || sha256((i + 2)::VARCHAR) AS t "
           "FROM range(1500000) r(i)")
    start = time.monotonic()
    with Reader(server, sql, accept) as reader:
        assert reader.head().startswith(b"HTTP/1.1 200 ")
        while not got or piece[-5:] != b"0\r\n\r\n":
            piece = reader.socket.recv(1 << 20)
            assert piece, "the answer was cut off"
            if got // (32 << 20) != (got + len(piece)) // (32 << 20):
                most = max(most, server.resident_bytes())
            got += len(piece)
    report.note(f"sql stream {accept}", bytes=got, seconds=time.monotonic() - start,
                memory_grown=most - before)
    # Parquet is compressed.
    assert got > (100_000_000 if accept == PARQUET else 280_000_000)
    assert most - before < 150 << 20


def test_a_slow_reader_holds_the_query_back_and_not_memory(start_sql):
    server = start_sql()
    server.value("SELECT 1")
    before = server.resident_bytes()
    with Reader(server, WIDE.format(10_000_000), NDJSON, receive_bytes=4096) as reader:
        reader.head()
        rows = []
        for _ in range(8):
            time.sleep(0.25)
            rows.append(running_queries(server)[0]["rows"])
        assert rows[-1] == rows[-4] and rows[-1] < 100_000, rows
        assert server.resident_bytes() - before < 64 << 20
    wait_until(lambda: not running_queries(server))
    assert server.value("SELECT 1") == 1


@pytest.mark.parametrize("accept", ["application/json", NDJSON, CSV])
def test_an_error_behind_the_first_byte_is_the_last_line_of_an_unfinished_body(server, accept):
    sql = "SELECT CASE WHEN i = 3000000 THEN error('it came late') ELSE i END AS n FROM range(4000000) t(i)"
    with Reader(server, sql, accept) as reader:
        data = reader.head() + reader.rest()
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"chunked" in head
    assert not body.endswith(b"\r\n0\r\n\r\n"), "the body ends as if it were whole"
    frame = json.loads(body[body.rindex(b'{"error"'):].partition(b"\n")[0])
    assert frame["error"]["code"] == "query_error" and "it came late" in frame["error"]["detail"]
    assert body[body.rindex(b'{"error"') - 1:][:1] == b"\n", "it is a line of its own"


@pytest.mark.parametrize("accept", [PARQUET, ARROW])
def test_a_binary_answer_that_fails_late_is_left_unfinished(start_sql, accept):
    server = start_sql()
    sql = ("SELECT sha256(i::VARCHAR), CASE WHEN i = 900000 THEN error('late') ELSE i END AS n "
           "FROM range(1000000) t(i)")
    with Reader(server, sql, accept) as reader:
        data = reader.head() + reader.rest()
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and not body.endswith(b"0\r\n\r\n")
    assert server.value("SELECT 1") == 1


def test_an_error_before_the_first_byte_has_its_status(server):
    answer = server.ask("SELECT CASE WHEN i = 900 THEN error('soon') ELSE i END FROM range(1000) t(i)")
    assert answer.status == 400 and answer.code == "query_error" and "soon" in answer.detail


def test_what_duckdb_says_comes_with_its_place(server):
    answer = server.ask("SELECT 1 AS a, nothing_of_this_name FROM range(3)")
    assert (answer.status, answer.code, answer.json()["position"]) == (400, "query_error", 15)
    assert "nothing_of_this_name" in answer.detail


# Limits

@pytest.mark.parametrize("accept", FORMS)
def test_rows_and_bytes_have_limits(start_sql, accept):
    server = start_sql("--sql-max-rows", "1000", "--sql-max-result-bytes", "100kB")
    assert server.ask("FROM range(1000)", accept=accept).status == 200
    answer = server.ask("FROM range(1001)", accept=accept)
    assert (answer.status, answer.code, answer.json()["limit"]) == (400, "query_error", 1000)
    assert "max_rows" in answer.detail
    answer = server.ask("SELECT string_agg(sha256(i::VARCHAR), '') FROM range(3000) t(i)", accept=accept)
    assert (answer.status, answer.code, answer.json()["limit"]) == (400, "query_error", 100_000)
    assert "max_result_bytes" in answer.detail
    assert server.value("SELECT count(*) FROM range(5000)") == 5000


def test_a_query_has_until_its_deadline(server):
    start = time.monotonic()
    answer = server.ask(ENDLESS, timeout_ms=300)
    assert (answer.status, answer.code, answer.json()["limit"]) == (504, "query_timeout", 300)
    assert 0.25 < time.monotonic() - start < 2
    wait_until(lambda: not running_queries(server))


def test_the_server_bounds_every_deadline(start_sql):
    server = start_sql("--sql-timeout", "400ms")
    for timeout in (None, 60_000):
        answer = server.ask(ENDLESS, timeout_ms=timeout)
        assert (answer.status, answer.code, answer.json()["limit"]) == (504, "query_timeout", 400)
    assert server.ask(ENDLESS, timeout_ms=100).json()["limit"] == 100


@pytest.mark.parametrize("timeout", [0, -1, 86_400_001, 1.5, "1s"])
def test_a_deadline_out_of_range_is_refused(server, timeout):
    answer = server.call("POST", "/v1/sql", {"sql": "SELECT 1", "timeout_ms": timeout})
    assert answer.status == 400 and "timeout_ms" in answer.detail


def test_more_queries_than_may_wait_are_sent_away(start_sql):
    server = start_sql("--sql-workers", "1", "--sql-queue", "1")
    server.value("SELECT 1")
    answers = together(6, lambda _: server.ask(ENDLESS, timeout_ms=1500))
    assert sorted(answer.status for answer in answers) == [503] * 4 + [504] * 2
    for answer in answers:
        if answer.status == 503:
            assert answer.code == "overloaded" and int(answer.headers["retry-after"]) >= 1
            assert answer.json()["retryable"] is True
    wait_until(lambda: not running_queries(server))
    assert server.value("SELECT 1") == 1


# Cancelling

def test_a_query_is_listed_and_cancelled(server):
    answers = []
    thread = in_background(lambda: answers.append(server.ask(ENDLESS)))
    wait_until(lambda: [query for query in running_queries(server) if query["state"] == "running"])
    query = running_queries(server)[0]
    assert query["sql"] == ENDLESS and query["elapsed_ms"] >= 0 and query["rows"] == 0
    assert server.call("DELETE", f"/v1/queries/{query['id']}").status == 204
    thread.join(10)
    assert (answers[0].status, answers[0].code) == (409, "query_cancelled")
    assert answers[0].headers["pyralog-query-id"] == query["id"]
    wait_until(lambda: not running_queries(server))
    answer = server.call("DELETE", f"/v1/queries/{query['id']}")
    assert answer.status == 404, answer


def test_a_query_that_streams_is_cancelled_with_an_error_as_its_last_line(server):
    with Reader(server, WIDE.format(50_000_000), NDJSON) as reader:
        head = reader.head()
        identifier = head.partition(b"Pyralog-Query-Id: ")[2].partition(b"\r\n")[0].decode()
        assert server.call("DELETE", f"/v1/queries/{identifier}").status == 204
        rest = reader.rest()
    frame = json.loads(rest[rest.rindex(b'{"error"'):].partition(b"\n")[0])
    assert frame["error"]["code"] == "query_cancelled"


@pytest.mark.parametrize("accept", FORMS)
def test_hanging_up_cancels(start_sql, accept):
    server = start_sql()
    for sql in (ENDLESS, WIDE.format(100_000_000)):
        before = server.metrics().sum("pyralog_sql_queries_total", {"outcome": "cancelled"})
        with Reader(server, sql, accept) as reader:
            wait_until(lambda: [query for query in running_queries(server) if query["sql"] == sql])
            if sql != ENDLESS:
                reader.head()
        wait_until(lambda: not running_queries(server))
        assert server.metrics().sum("pyralog_sql_queries_total", {"outcome": "cancelled"}) == before + 1
    assert server.value("SELECT 1") == 1


def test_a_query_that_waits_in_the_queue_is_cancelled_too(start_sql):
    server = start_sql("--sql-workers", "1")
    server.value("SELECT 1")
    with Reader(server, ENDLESS):
        wait_until(lambda: running_queries(server))
        answers = []
        thread = in_background(lambda: answers.append(server.ask("SELECT 2")))
        wait_until(lambda: [query for query in running_queries(server) if query["state"] == "queued"])
        waiting = [query for query in running_queries(server) if query["state"] == "queued"][0]
        assert server.call("DELETE", f"/v1/queries/{waiting['id']}").status == 204
        thread.join(10)
        assert answers[0].code == "query_cancelled"


def test_stopping_ends_queries(start_sql):
    server = start_sql()
    answers = []
    thread = in_background(lambda: answers.append(server.ask(ENDLESS)))
    wait_until(lambda: running_queries(server))
    start = time.monotonic()
    server.send_signal(signal.SIGTERM)
    server.process.wait(30)
    thread.join(10)
    # What runs has ten seconds to come to its end.
    assert time.monotonic() - start < 15
    assert answers[0].status in (503, 504, 409), answers


def test_a_large_value_of_json_is_taken_beside_queries(start_sql):
    server = start_sql("--max-memory", "96MiB")
    assert server.value("SELECT 1") == 1
    value = b"[" + b"1234567," * 900_000 + b"1]"
    for _ in range(2):
        answer = server.call("PUT", "/v1/logs/large/keys/k", value, {"Content-Type": "application/json"})
        assert answer.status in (200, 201), answer
        assert server.value("SELECT count(*) FROM large") == 1
