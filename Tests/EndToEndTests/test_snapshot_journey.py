"""Many records go from memory to S3, onto disk, into a directory and back into memory, and are all compared each time."""

import hashlib
import json
import os
import time

import pytest

from support import modes, snapshots
from support.client import Connection
from support.objects import S3Server
from support.sql import NDJSON, SQLServer
from test_crash import tell

# The long form has ten million.
RECORDS = int(os.environ.get("PYRALOG_SNAPSHOT_RECORDS", "100000"))
# Of the records: those of keys, most of which are written again, and those with everything that a record can have.
KEYED = RECORDS // 5
RICH = RECORDS // 50
LINES = 40_000
THEN = 1_750_000_000_000

pytestmark = pytest.mark.timeout(300 + RECORDS // 2000)


def fill(server):
    server.call("PUT", "/v1/logs/events", {"partitions": 4, "compaction": "none"})
    server.call("PUT", "/v1/logs/state", {"partitions": 2, "compaction": "keys"})
    server.call("PUT", "/v1/logs/rich", {"compaction": "none"})
    with server.connect(timeout=120) as connection:
        plain = RECORDS - KEYED - RICH
        for start in range(0, plain, LINES):
            lines = b"".join(b'{"n":%d,"at":%d,"user":"user-%d","active":%s,"amount":%d.25}\n' % (
                n, THEN + n, n % 9973, b"true" if n % 3 else b"false", n % 1000)
                for n in range(start, min(start + LINES, plain)))
            post(connection, f"/v1/logs/events/records?timestamp_field=at&partition={start // LINES % 4}", lines)
        for start in range(0, KEYED, LINES):
            lines = b"".join(b'{"k":"key-%d","n":%d}\n' % (n * 7919 % (KEYED // 4 + 1), n)
                             for n in range(start, min(start + LINES, KEYED)))
            post(connection, "/v1/logs/state/records?key_field=k", lines)
        for start in range(0, RICH, 5000):
            records = [{"key": f"rich-{n}", "value_text": f"text {n}", "headers": {"n": str(n)}, "priority": n % 256,
                        "timestamp": THEN + n, **({"ttl_ms": 86_400_000_000 + n} if n % 2 else {})}
                       for n in range(start, min(start + 5000, RICH))]
            answer = connection.call("POST", "/v1/logs/rich/records:batch", {"records": records})
            assert answer.status == 201, answer


def post(connection, path, lines):
    answer = connection.call("POST", path, lines, {"Content-Type": NDJSON})
    assert answer.status == 201, answer


def fingerprint(server) -> dict:
    """Of every byte that reading gives, and of what SQL makes of all of it."""
    found = {}
    for log, partitions in (("events", 4), ("rich", 1)):
        for partition in range(partitions):
            found[log, partition] = digest(server, log, partition)
    for log in ("events", "state", "rich"):
        found[log, "sql"] = server.rows(
            f"SELECT count(*), sum(_offset), bit_xor(hash(_partition, _offset, _timestamp, _key, _value::VARCHAR, "
            f"_headers::VARCHAR, _expires_at, _priority)) FROM {log}", timeout=600, timeout_ms=600_000)
    found["groups"] = server.rows("SELECT user, count(*), sum(amount) FROM events WHERE active = true GROUP BY user "
                                  "ORDER BY 2 DESC, 3 DESC, 1 LIMIT 20", timeout=600, timeout_ms=600_000)
    found["state"] = server.rows("SELECT count(*), sum(n), max(n) FROM state", timeout=600, timeout_ms=600_000)
    return found


def digest(server, log, partition):
    sha, offset, bytes_, records = hashlib.sha256(), 0, 0, 0
    with Connection(server.host, server.port, timeout=120) as connection:
        while True:
            answer = connection.call(
                "GET", f"/v1/logs/{log}/records?partition={partition}&offset={offset}&limit=10000&clamp=true",
                headers={"Accept": NDJSON})
            assert answer.status == 200, answer
            if not answer.body:
                return records, bytes_, sha.hexdigest()
            sha.update(answer.body)
            bytes_ += len(answer.body)
            records += answer.body.count(b"\n")
            offset = json.loads(answer.body[answer.body.rstrip(b"\n").rfind(b"\n") + 1:])["offset"] + 1


def test_all_records_arrive_everywhere(tmp_path):
    clock = Clock()
    with S3Server() as s3:
        environment = s3.environment()
        limits = ("--sql-timeout", "10m")
        with SQLServer(*limits, environment=environment) as memory:
            fill(memory)
            clock.note("written")
            before = fingerprint(memory)
            clock.note("read")
            taken = snapshots.take(memory, s3.location)
            clock.note("to S3")
        with SQLServer(*limits, mode=modes.PERSISTENT, data=tmp_path / "data", environment=environment) as disk:
            snapshots.restore(disk, s3.location, mode="persistent")
            clock.note("onto disk")
            assert fingerprint(disk) == before
            disk.kill()
        with SQLServer(*limits, mode=modes.PERSISTENT, data=tmp_path / "data") as disk:
            assert fingerprint(disk) == before
            clock.note("read twice")
            snapshots.take(disk, tmp_path / "there")
            clock.note("to a directory")
        with SQLServer(*limits, "--restore", str(tmp_path / "there")) as memory:
            clock.note("into memory")
            assert fingerprint(memory) == before
            clock.note("read")
    tell("a journey", records=RECORDS, bytes=taken["bytes"], **clock.notes)


class Clock:
    """How long the parts took, for people."""

    def __init__(self):
        self.notes, self.last = {}, time.monotonic()

    def note(self, what):
        now = time.monotonic()
        self.notes[f"{what} s" if f"{what} s" not in self.notes else f"{what} again s"] = round(now - self.last, 1)
        self.last = now
