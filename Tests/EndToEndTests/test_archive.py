"""Hybrid logs whose old batches are in an object store: nothing that was on disk is lost on the way there, whatever fails."""

import json
import os
import random
import time

import pytest

from support import modes, snapshots
from support.objects import Fault, FaultProxy, S3Server
from support.sql import SQLServer
from test_crash import SEED, tell

ROUNDS = int(os.environ.get("PYRALOG_ARCHIVE_ROUNDS", "8"))
RECORDS = 24_000
BLOCK = 4_000
DEADLINE_SECONDS = 60
UPLOADS = ("status", "reset-request", "reset-response", "lose", "flip-upload", "flip-stored", "drop", "error-200", "duplicate")
DOWNLOADS = ("status", "reset-response", "truncate", "shorten", "flip-download", "lose")
LINES = {"Content-Type": "application/x-ndjson"}
pytestmark = pytest.mark.timeout(60 + ROUNDS * 30)


def configuration(s3, after_ms=300):
    return {"mode": "hybrid", "hybrid": {
        "memory_ttl_ms": 300, "disk_after_ms": 100, "s3_archive": f"{s3.location}/archive", "s3_after_ms": after_ms}}


def figures(server, log="log"):
    [partition] = server.call("GET", f"/v1/logs/{log}").json()["stats"]["partitions"]
    return partition["bytes"]


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def fill(server, start, count):
    lines = b"".join(json.dumps({"n": n, "text": f"{n} " * 30}).encode() + b"\n" for n in range(start, start + count))
    answer = server.call("POST", "/v1/logs/log/records", lines, LINES)
    assert answer.status == 201, answer


def assert_all(server, count):
    """Every record, by SQL and by its offset."""
    assert server.rows("SELECT count(*), sum(n), count(DISTINCT text) FROM log") == [
        (count, count * (count - 1) // 2, count)]
    for offset in random.Random(count).sample(range(count), 20):
        answer = server.call("GET", f"/v1/logs/log/records?offset={offset}&limit=1")
        assert answer.status == 200, answer
        assert answer.json()["records"][0]["value"]["n"] == offset


def is_archived(server, count):
    """All that is on disk is there, but what is not sealed yet."""
    return server.metrics().sum("pyralog_archive_bytes") > count * 60


def replay(server, source, **options):
    job = snapshots.ended(server, snapshots.begin(server, "/v1/replays", source=source, **options))
    assert job["state"] == "complete" and job["bytes"] == job["bytes_total"], job


def test_nothing_is_lost_by_kills_and_faults_while_batches_move(tmp_path):
    dice = random.Random(tell(SEED))
    data = tmp_path / "data"
    with S3Server() as s3, FaultProxy(s3, seed=SEED) as proxy:
        def start(endpoint=None):
            return SQLServer("--max-memory", "256MB", mode=modes.PERSISTENT, data=data, environment=s3.environment(endpoint))

        server = start()
        assert server.call("PUT", "/v1/logs/log", {**configuration(s3, after_ms=86_400_000)}).status == 201
        for first in range(0, RECORDS, BLOCK):
            fill(server, first, BLOCK)
        # From now on a crash takes nothing: all of it has left memory.
        wait_until(lambda: figures(server)["disk"] > RECORDS * 100 and figures(server)["memory"] < 1 << 20,
                   lambda: figures(server))
        assert server.call("PATCH", "/v1/logs/log", {"hybrid": {"s3_after_ms": 300}}).status in (200, 202)
        for round in range(ROUNDS):
            time.sleep(dice.uniform(0.05, 1.5))
            server.kill()
            server.stop()
            proxy.clear()
            for method, kinds in (("PUT", UPLOADS), ("GET", DOWNLOADS)):
                proxy.add(Fault(dice.choice(kinds), method=method, path="archive", times=None, probability=0.4))
            server = start(proxy.url if round % 2 == 0 else None)
        proxy.clear()
        wait_until(lambda: is_archived(server, RECORDS), lambda: server.log_text()[-2000:])
        assert_all(server, RECORDS)
        server.stop()
        # What nobody refers to is removed in the end, and nothing else.
        server = start()
        wait_until(lambda: is_archived(server, RECORDS), lambda: server.log_text()[-2000:])
        assert_all(server, RECORDS)
        server.stop()


def test_wrong_bytes_of_a_store_are_never_returned(tmp_path):
    with S3Server() as s3, FaultProxy(s3) as proxy:
        data = tmp_path / "data"
        server = SQLServer("--max-memory", "256MB", mode=modes.PERSISTENT, data=data, environment=s3.environment())
        assert server.call("PUT", "/v1/logs/log", configuration(s3)).status == 201
        fill(server, 0, 12_000)
        wait_until(lambda: is_archived(server, 12_000), lambda: server.log_text()[-2000:])
        server.stop()
        server = SQLServer("--max-memory", "256MB", mode=modes.PERSISTENT, data=data, environment=s3.environment(proxy.url))
        server.call("PUT", "/v1/logs/hot/keys/k", {"a": 1})
        proxy.add(Fault("flip-download", method="GET", path="archive", times=None))
        answer = server.call("GET", "/v1/logs/log/records?offset=5&limit=1")
        assert (answer.status, answer.code) == (500, "archive_damaged"), answer
        answer = server.ask("SELECT sum(n) FROM log")
        assert answer.status in (500, 503) and answer.code in ("archive_damaged", "archive_unavailable", "query_error"), answer
        proxy.clear()
        proxy.add(Fault("status", method="GET", path="archive", times=None))
        # What the query had asked for may still be on its way.
        wait_until(lambda: server.call("GET", "/v1/logs/log/records?offset=5&limit=1").code == "archive_unavailable",
                   lambda: server.call("GET", "/v1/logs/log/records?offset=5&limit=1"))
        answer = server.call("GET", "/v1/logs/log/records?offset=5&limit=1")
        assert answer.status == 503 and answer.headers["retry-after"], answer
        # Others do not notice.
        assert server.call("GET", "/v1/logs/hot/keys/k").json() == {"a": 1}
        proxy.clear()
        assert_all(server, 12_000)
        server.stop()


def test_the_archive_of_a_server_that_is_gone_is_replayed(tmp_path):
    with S3Server() as s3:
        server = SQLServer("--max-memory", "256MB", mode=modes.PERSISTENT, environment=s3.environment())
        day = 1_790_000_000_000 // 86_400_000 * 86_400_000
        assert server.call("PUT", "/v1/logs/users", {**configuration(s3), "partitions": 2}).status == 201
        lines = b"".join(
            json.dumps({"user": f"u{n % 3000}", "active": n % 3 != 0, "n": n, "time": day + n * 3600}).encode() + b"\n"
            for n in range(24_000))
        assert server.call("POST", "/v1/logs/users/records?key_field=user&timestamp_field=time", lines, LINES).status == 201
        wait_until(lambda: server.metrics().sum("pyralog_archive_bytes") > 24_000 * 40, lambda: server.log_text()[-2000:])
        there = server.rows("SELECT _key, _timestamp, n FROM users ORDER BY n")
        server.kill()
        server.stop()
        with SQLServer(environment=s3.environment()) as drill:
            replay(drill, f"{s3.location}/archive")
            assert drill.rows("SELECT _key, _timestamp, n FROM users ORDER BY n") == there
            assert len(drill.rows("SELECT * FROM users WHERE active = true")) == 16_000
            replay(drill, f"{s3.location}/archive", **{
                "from": day + 6000 * 3600, "to": day + 12000 * 3600, "rename": {"users": "morning"}})
            assert drill.rows("SELECT count(*), min(n), max(n) FROM morning") == [(6000, 6000, 11_999)]
