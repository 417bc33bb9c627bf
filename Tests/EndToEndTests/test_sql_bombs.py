"""Queries that want all time or all memory: they end at their deadline, and nobody else notices."""

import threading
import time

import pytest

from support import bombs
from support.sql import SQLServer

MEMORY_BYTES = 1_000_000_000
# What is outside the limit: the program, DuckDB's code, thread stacks, what allocators keep.
PEAK_BYTES = MEMORY_BYTES + 300_000_000
# The machine's memory is not the test's to use up.
KILLED_ABOVE_BYTES = 3_000_000_000
REST_BYTES = 500_000_000
DEADLINE_MS = 1000
ANSWER_SECONDS = 2
END_SECONDS = 3
OTHERS_SECONDS = 1


class Target:
    """A server that is replaced when a bomb has hurt it, so that the next one has a fair chance."""

    def __init__(self):
        self.server = None
        self.start()

    def start(self):
        if self.server is not None and self.server.process.poll() is None:
            self.server.kill()
            self.server.stop()
        self.server = SQLServer("--max-memory", str(MEMORY_BYTES))
        self.server.append("events", [{"a": 1}, {"a": 2}, {"a": 3}])
        assert self.server.value("SELECT sum(a) FROM events") == 6
        self.rest_bytes = self.server.resident_bytes()


@pytest.fixture(scope="module")
def target():
    target = Target()
    yield target
    target.server.stop()


class Others:
    """Another client and an eye on memory, while a bomb is being dealt with."""

    def __init__(self, server):
        self.server = server
        self.longest = 0.0
        self.peak_bytes = 0
        self.problems = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._ask, self._watch)]

    def _ask(self):
        while not self._end.wait(0.05):
            start = time.monotonic()
            try:
                answer = self.server.ask("SELECT sum(a) FROM events", timeout=10)
                if answer.status != 200:
                    self.problems.append(answer)
            except OSError as problem:
                self.problems.append(problem)
                return
            self.longest = max(self.longest, time.monotonic() - start)

    def _watch(self):
        while not self._end.wait(0.01):
            try:
                self.peak_bytes = max(self.peak_bytes, self.server.resident_bytes())
            except (OSError, IndexError):
                return
            if self.peak_bytes > KILLED_ABOVE_BYTES:
                self.server.process.kill()
                self.problems.append("the server was killed, or it would have taken the machine's memory")
                return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


def is_going_on(server, sql) -> bool:
    return any(query["sql"] == sql[:1000] for query in server.call("GET", "/v1/queries").json()["queries"])


def wait_until(condition, seconds) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def drop(server, sql):
    """One bomb. Raises what is wrong."""
    process = server.process.pid
    with Others(server) as others:
        start = time.monotonic()
        try:
            answer = server.ask(sql, timeout_ms=DEADLINE_MS, timeout=20)
        except OSError as problem:
            raise AssertionError(f"no answer: {problem}; {others.problems}") from problem
        seconds = time.monotonic() - start
        has_ended = wait_until(lambda: not is_going_on(server, sql), END_SECONDS)
    assert not others.problems, others.problems
    assert answer.status == 200 or answer.code in (
        "query_error", "query_timeout", "query_cancelled", "payload_too_large"), answer
    assert seconds < ANSWER_SECONDS, f"answered after {seconds:.1f} s"
    assert has_ended, f"the query goes on {END_SECONDS} s after it was answered with {answer.status}"
    assert others.peak_bytes < PEAK_BYTES, f"{others.peak_bytes >> 20} MiB resident"
    assert others.longest < OTHERS_SECONDS, f"another client waited {others.longest:.1f} s"
    server.assert_alive()
    assert server.process.pid == process


@pytest.mark.parametrize("name", [*bombs.TEXTS, *bombs.ROWS, *bombs.VALUES])
def test_a_bomb_hurts_nobody(target, name):
    sql = {**bombs.TEXTS, **bombs.ROWS, **bombs.VALUES}[name]
    try:
        drop(target.server, sql)
        rest = target.rest_bytes + REST_BYTES
        assert wait_until(lambda: target.server.resident_bytes() < rest, 5), "the memory does not come back"
    except BaseException:
        target.start()
        raise


def test_the_same_bomb_again_and_again_takes_no_more(target):
    """Its threads change, and with them where the allocator looks for what it has given back."""
    try:
        for _ in range(12):
            drop(target.server, bombs.VALUES["digits of digits for rows"])
    except BaseException:
        target.start()
        raise


def test_bombs_together_leave_a_worker_for_others(target):
    """As many as there are workers, all at once, again and again; the deadline frees them."""
    try:
        sqls = [bombs.ROWS[name] for name in (
            "a cross join", "a sort of a billion", "a recursion without end", "groups of a billion")]
        for _ in range(3):
            threads = [threading.Thread(target=target.server.ask, args=(sql,),
                                        kwargs={"timeout_ms": DEADLINE_MS})
                       for sql in sqls]
            for thread in threads:
                thread.start()
            time.sleep(0.1)
            start = time.monotonic()
            assert target.server.value("SELECT sum(a) FROM events") == 6
            assert time.monotonic() - start < DEADLINE_MS / 1000 + OTHERS_SECONDS
            for thread in threads:
                thread.join()
        assert target.server.resident_bytes() < PEAK_BYTES
    except BaseException:
        target.start()
        raise
