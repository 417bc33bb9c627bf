"""Queries compute, over logs: files, the network, the catalogue and settings are out of their reach."""

import os
import pathlib
import re
import tempfile
import threading
import time

import pytest

from support import escapes, report
from support.sql import SQLServer, is_refused

SECRET = "the-secret-that-nobody-may-read"
MARK = "pyralog_escape"
ESCAPE = re.compile(r"\\(?:[0nrvf]|u[0-9a-f]{4})")

class OtherClient:
    """Asks something simple all the while, and keeps the longest time that it had to wait."""

    def __init__(self, server):
        self._server = server
        self._end = threading.Event()
        self.asked = 0
        self.longest = 0.0
        self.problem = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            with self._server.connect() as connection:
                while not self._end.wait(0.02):
                    start = time.monotonic()
                    answer = connection.call("POST", "/v1/sql", "SELECT sum(a) FROM events")
                    assert answer.status == 200 and answer.json()["rows"] == [[6]], answer
                    self.longest = max(self.longest, time.monotonic() - start)
                    self.asked += 1
        except Exception as problem:  # It is told in `stop`, on the test's thread.
            self.problem = problem

    def stop(self):
        self._end.set()
        self._thread.join()
        if self.problem:
            raise self.problem


def files_below(folder) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in pathlib.Path(folder).rglob("*")
            if path.is_file() and path.name != "server.log"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home):
    with SQLServer(environment={"HOME": str(home)}) as running:
        for folder in (running.directory, home):
            plant(folder)
        running.append("events", [{"a": 1}, {"a": 2}, {"a": 3}])
        before = files_below(running.directory), files_below(home), marked()
        process = running.process.pid
        other = OtherClient(running)
        yield running
        other.stop()
        assert (files_below(running.directory), files_below(home), marked()) == before
        running.assert_alive()
        assert running.process.pid == process and running.value("SELECT 1") == 1
        assert other.asked > 10 and other.longest < 2, (other.asked, other.longest)
        assert running.rows("SHOW TABLES") == [("events",)]
        report.note("sql fence", other_client_seconds_max=other.longest, other_client_queries=other.asked)


def marked() -> list[str]:
    return sorted(name for name in os.listdir(tempfile.gettempdir()) if MARK in name)


def plant(folder):
    """Files that somebody might want to read."""
    for ending in ("csv", "json", "parquet", "db", "duckdb_extension"):
        (folder / f"secret.{ending}").write_text(f'"{SECRET}"\n')


@pytest.fixture
def attempt(server):
    return attempt_at(server)


def attempt_at(server):
    """Asks in each form of a body and each form of an answer; none may get through."""
    def attempt(text):
        text = ESCAPE.sub(lambda escape: escape[0].encode().decode("unicode_escape"), text)
        text = text.replace("PORT", str(server.port))
        text = text.replace("FILE", str(server.directory / "secret")).replace("MARK", MARK)
        for accept in ("application/json", "text/csv", "application/vnd.apache.parquet"):
            answer = server.ask(text, accept=accept)
            assert is_refused(answer), answer
            assert SECRET not in answer.body.decode(errors="replace")
        answer = server.call("POST", "/v1/sql", text, {"Content-Type": "application/sql"})
        assert is_refused(answer), answer
    return attempt


@pytest.mark.parametrize("function", escapes.READERS)
def test_a_table_function_that_reaches_out_is_refused(attempt, function):
    attempt(f"SELECT * FROM {function}")


@pytest.mark.parametrize("table", escapes.TABLES)
def test_what_is_no_log_is_no_table(attempt, table):
    attempt(f"SELECT * FROM {table}")


@pytest.mark.parametrize("statement", escapes.STATEMENTS)
def test_a_statement_that_does_not_read_is_refused(attempt, statement):
    attempt(statement)


@pytest.mark.parametrize("statement", escapes.DISGUISED)
def test_what_is_judged_is_what_runs(statement):
    with SQLServer() as server:
        plant(server.directory)
        server.append("events", [{"a": 1}, {"a": 2}, {"a": 3}])
        attempt_at(server)(statement)
        assert is_refused(server.ask(f"FROM {MARK}"))
        assert server.value("SELECT sum(a) FROM events") == 6


@pytest.mark.parametrize("expression", escapes.EXPRESSIONS)
def test_a_function_that_tells_of_the_server_is_refused(attempt, expression):
    attempt(f"SELECT {expression} FROM events")


@pytest.mark.parametrize("query", escapes.WRAPPED)
def test_a_reader_is_found_wherever_it_is_hidden(attempt, query):
    attempt(query.replace("READER", "read_text('FILE.csv')"))
