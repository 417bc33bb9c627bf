"""Replays: an archive of a day becomes logs in memory again, as they were in a range of time."""

import json
import time

import pytest

from support import modes, snapshots
from support.objects import Fault, FaultProxy, S3Server
from support.sql import SQLServer

HOUR = 3_600_000
# A day in the past, in UTC.
MIDNIGHT = 1_750_032_000_000
EVENTS = 4800


def at(hour, minutes=0):
    return MIDNIGHT + hour * HOUR + minutes * 60_000


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A day of events, an event every 18 seconds in two partitions, and of users who change every hour."""
    directory = tmp_path_factory.mktemp("archive")
    with SQLServer("--test-mode", mode=modes.PERSISTENT, data=tmp_path_factory.mktemp("data") / "data") as server:
        server.call("PUT", "/v1/logs/events", {"partitions": 2, "compaction": "none"})
        server.call("PUT", "/v1/logs/history", {"compaction": "none", "schema": {"price": "DECIMAL(8,2)"}})
        for start in range(0, EVENTS, 400):
            server.append("events", [{"n": n, "at": MIDNIGHT + n * 18_000, "active": n % 3 == 0}
                                     for n in range(start, start + 400)], timestamp_field="at", partition=start // 400 % 2)
        server.append("history", [{"n": n, "price": "1.50", "at": MIDNIGHT + n * HOUR} for n in range(24)],
                      timestamp_field="at")
        # Of each user what happened in each hour: kept, since nothing goes from such a log when a key is written again.
        server.call("PUT", "/v1/logs/users", {"compaction": "none"})
        records = [{"key": f"user{n}", "value": {"name": f"User {n}", "active": (n + hour) % 2 == 0, "hour": hour},
                    "timestamp": at(hour, n), "headers": {"hour": str(hour)}, "priority": n}
                   for hour in range(24) for n in range(20)]
        records.append({"key": "user19", "timestamp": at(12, 30)})
        answer = server.call("POST", "/v1/logs/users/records:batch", {"records": records})
        assert answer.status == 201, answer
        snapshots.take(server, directory)
    return directory


@pytest.fixture
def target():
    with SQLServer() as running:
        yield running


def test_a_day_is_loaded_and_asked(target, archive):
    done = snapshots.replay(target, archive, **{"from": MIDNIGHT, "to": at(24)})
    assert sorted(done["logs"]) == ["events", "history", "users"] and done["records"] == EVENTS + 24 + 24 * 20 + 1
    assert target.value("SELECT count(*) FROM events") == EVENTS
    for name in ("events", "users", "history"):
        config = snapshots.look_at(target, name).config
        assert config["mode"] == "memory" and config["ttl_ms"] is None, config
    assert target.rows("SELECT count(*), min(n), max(n) FROM events WHERE active = true") == [(1600, 0, 4797)]
    assert target.rows("SELECT count(*), min(epoch_ms(timestamp)), max(epoch_ms(timestamp)) FROM events") == [
        (EVENTS, MIDNIGHT, MIDNIGHT + (EVENTS - 1) * 18_000)]
    assert target.value("SELECT sum(price)::VARCHAR FROM history") == "36.00"
    assert snapshots.look_at(target, "events").config["partitions"] == 2


def test_users_that_are_active(target, tmp_path):
    with SQLServer() as before:
        for n in range(10):
            before.put("users", f"u{n}", {"name": f"User {n}", "active": n % 2 == 0})
        snapshots.take(before, tmp_path)
    snapshots.replay(target, tmp_path)
    found = target.query("SELECT * FROM users WHERE active = true ORDER BY name")
    assert found.names[:2] == ["name", "active"]
    assert [row[:2] for row in found.rows] == [(f"User {n}", True) for n in range(0, 10, 2)]
    assert target.value("SELECT count(*) FROM users") == 10


@pytest.mark.parametrize("start, end", [(0, 24), (6, 7), (12, 13), (0, 1), (23, 30), (-5, 0.0001), (24, 48), (9.5, 9.51)])
def test_a_range_has_what_lies_in_it_and_not_its_end(target, archive, start, end):
    lower, upper = int(MIDNIGHT + start * HOUR), int(MIDNIGHT + end * HOUR)
    snapshots.replay(target, archive, logs=["events"], **{"from": lower, "to": upper})
    expected = [n for n in range(EVENTS) if lower <= MIDNIGHT + n * 18_000 < upper]
    assert target.value("SELECT count(*) FROM events") == len(expected)
    if expected:
        assert sorted(row[0] for row in target.rows("SELECT n FROM events")) == expected
    # New offsets, without gaps, in each partition.
    for partition in range(2):
        offsets = [place[1] for place in snapshots.look_at(target, "events").records if place[0] == partition]
        assert offsets == list(range(len(offsets)))


def test_ranges_as_people_write_them(target, archive):
    done = snapshots.replay(target, archive, logs=["history"], rename={"history": "morning"}, **{
        "from": "2025-06-16T06:00:00Z", "to": "2025-06-16T14:00:00+02:00"})
    assert done["logs"] == ["morning"] and done["records"] == 6
    snapshots.replay(target, archive, logs=["history"], rename={"history": "since"}, **{"from": at(20)})
    snapshots.replay(target, archive, logs=["history"], rename={"history": "until"}, **{"to": at(20)})
    assert [target.value(f"SELECT count(*) FROM {name}") for name in ("morning", "since", "until")] == [6, 4, 20]


def test_keys_headers_types_and_priorities_are_kept(target, archive):
    snapshots.replay(target, archive, logs=["users"], **{"from": at(7), "to": at(8)})
    records = [json.loads(line) for line in snapshots.look_at(target, "users").records.values()]
    assert [(one["key"], one["timestamp"], one["headers"], one.get("priority", 0), one["value"]["hour"])
            for one in records] == [(f"user{n}", at(7, n), {"hour": "7"}, n, 7) for n in range(20)]


def test_keys_are_as_they_were_then(tmp_path, target):
    """What was superseded, deleted or expired by the end of the range is not seen; what was later, is not there yet."""
    with SQLServer("--test-mode") as before:
        def now():
            return before.value("SELECT epoch_ms(now())")

        before.call("PUT", "/v1/logs/leases", {"compaction": "none", "tombstones": True})
        before.put("leases", "stays", 1)
        before.put("leases", "expires", 1, ttl_ms=HOUR)
        before.put("leases", "changes", "old")
        before.put("leases", "goes", 1)
        before.call("POST", "/v1/test/clock", {"advance_ms": 60_000})
        middle = now()
        before.call("POST", "/v1/test/clock", {"advance_ms": 60_000})
        before.put("leases", "changes", "new")
        before.put("leases", "comes", 1)
        before.call("DELETE", "/v1/logs/leases/keys/goes")
        snapshots.take(before, tmp_path)
        end = now()
    snapshots.replay(target, tmp_path, rename={"leases": "all"}, **{"to": end + 1})
    keys = {key: json.loads(value[3])["value"] for key, value in snapshots.look_at(target, "all").keys.items()}
    assert keys == {"stays": 1, "expires": 1, "changes": "new", "comes": 1}
    snapshots.replay(target, tmp_path, rename={"leases": "half"}, **{"to": middle})
    keys = {key: json.loads(value[3])["value"] for key, value in snapshots.look_at(target, "half").keys.items()}
    assert keys == {"stays": 1, "expires": 1, "changes": "old", "goes": 1}, keys


def test_deadlines_count_as_of_the_end_of_the_range(tmp_path):
    with SQLServer("--test-mode") as before:
        start = before.value("SELECT epoch_ms(now())")
        for n in range(10):
            before.put("leases", f"k{n}", n, ttl_ms=(n + 1) * HOUR)
        snapshots.take(before, tmp_path)
    with SQLServer("--test-mode") as server:
        server.call("POST", "/v1/test/clock", {"advance_ms": 24 * HOUR})
        # All of them are past today. At the end of the range four were.
        snapshots.replay(server, tmp_path, **{"from": start - HOUR, "to": start + 4 * HOUR + HOUR // 2})
        assert sorted(snapshots.look_at(server, "leases").keys) == [f"k{n}" for n in range(4, 10)]
        assert server.value("SELECT count(*) FROM leases") == 6


def test_a_log_that_is_there_is_replaced_when_that_is_wanted(target, archive):
    target.append("events", ["mine"])
    error = snapshots.failed(target, snapshots.begin(target, "/v1/replays", source=str(archive)), "log_exists")
    assert "events" in error["detail"] and snapshots.log_names(target) == ["events"]
    snapshots.replay(target, archive, replace=True)
    assert target.value("SELECT count(*) FROM events") == EVENTS


def test_a_replay_by_the_name_of_a_snapshot_or_from_the_configured_place(tmp_path):
    with SQLServer("--snapshots-location", str(tmp_path)) as server:
        server.append("log", [1])
        first = snapshots.take(server)["name"]
        server.append("log", [2])
        snapshots.take(server)
        snapshots.replay(server, first, rename={"log": "first"})
        snapshots.replay(server, None, rename={"log": "newest"})
        assert server.value("SELECT count(*) FROM \"first\"") == 1 and server.value("SELECT count(*) FROM newest") == 2


def test_how_far_it_is_is_seen_and_it_can_be_cancelled():
    with S3Server() as s3, FaultProxy(s3) as proxy, SQLServer(environment=s3.environment(proxy.url)) as server:
        for n in range(24):
            server.call("POST", "/v1/logs/bulk/records", bytes(range(256)) * 4096, {"Content-Type": "image/x"})
        snapshots.take(server, s3.location)
        with SQLServer("--max-memory", "12MiB", environment=s3.environment()) as small:
            error = snapshots.failed(small, snapshots.begin(small, "/v1/replays", source=s3.location), "memory_full")
            assert error["retryable"] and snapshots.log_names(small) == []
        server.call("DELETE", "/v1/logs/bulk")
        stall = proxy.add(Fault("stall", method="GET", path=r"\.pack", nth=3, times=None, seconds=60))
        where = snapshots.begin(server, "/v1/replays", source=s3.location)
        deadline = time.monotonic() + 60
        while not stall.done:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        seen = snapshots.seen(server, where)
        assert seen["state"] == "running" and 0 < seen["bytes"] < seen["bytes_total"] and seen["records"] > 0, seen
        assert [job["name"] for job in server.call("GET", "/v1/replays").json()["replays"]] == [where.rpartition("/")[2]]
        # Nobody sees a part of it.
        assert snapshots.log_names(server) == []
        assert server.call("DELETE", where).status == 204
        snapshots.failed(server, where, "job_cancelled")
        assert snapshots.log_names(server) == []
        proxy.clear()
        snapshots.replay(server, s3.location)
        assert server.call("GET", "/v1/logs/bulk").json()["stats"]["partitions"][0]["tail"] == 24
