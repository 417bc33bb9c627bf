"""Snapshots: what is read after a restore is what was there at one instant, whatever it is and wherever it was kept."""

import json
import threading
import time

import pytest

from support import everything, modes, snapshots
from support.objects import S3Server
from support.sql import SQLServer

LOGS_FOR_SQL = ("plain", "typed", "keys", "gaps", "leases", "priorities", "produced")


@pytest.fixture(scope="module")
def s3():
    with S3Server() as running:
        yield running


@pytest.fixture
def prefix(s3, request):
    """A place of this test's own in the bucket."""
    return f"{s3.location}/{everything.fresh_name('prefix')}"


def filled(**options):
    server = SQLServer("--test-mode", **options)
    everything.fill(server)
    everything.settled(server, "gaps")
    return server


class Seen:
    """What a server has, by reading and by SQL."""

    def __init__(self, server):
        self.logs = snapshots.look(server)
        self.rows = snapshots.answers(server, LOGS_FOR_SQL)

    def check(self, server, in_mode=None):
        snapshots.same(snapshots.look(server), self.logs, in_mode)
        found = snapshots.answers(server, LOGS_FOR_SQL)
        for name in LOGS_FOR_SQL:
            assert found[name] == self.rows[name], name


# Round trips

def test_everything_goes_from_memory_through_a_directory_into_memory(tmp_path):
    with filled() as first, SQLServer("--test-mode") as second:
        before = Seen(first)
        taken = snapshots.take(first, tmp_path / "made" / "by it")
        assert taken["logs"] == sorted(before.logs) and taken["location"] == str(tmp_path / "made" / "by it")
        restored = snapshots.restore(second, tmp_path / "made" / "by it")
        assert (restored["snapshot"], restored["digest"], restored["time"], restored["records"]) == (
            taken["name"], taken["digest"], taken["time"], taken["records"])
        before.check(second)
        everything.check_producers(second)
        # It is a server like any other afterwards.
        with everything.Teller(second):
            time.sleep(0.2)
        assert sum(everything.balances(second)) == everything.ACCOUNTS * everything.BALANCE


def test_everything_goes_from_memory_through_s3_onto_disk_and_back(s3, prefix, tmp_path):
    environment = s3.environment()
    with filled(environment=environment) as first:
        before = Seen(first)
        snapshots.take(first, prefix)
    data = tmp_path / "data"
    with SQLServer("--test-mode", mode=modes.PERSISTENT, data=data, environment=environment) as second:
        snapshots.restore(second, prefix, mode="persistent")
        before.check(second, in_mode="persistent")
        second.kill()
    with SQLServer("--test-mode", mode=modes.PERSISTENT, data=data, environment=environment) as third:
        before.check(third, in_mode="persistent")
        everything.check_producers(third)
        before = Seen(third)
        taken = snapshots.take(third, prefix)
        assert taken["name"] in snapshots.complete_names(third, prefix)
    with SQLServer("--test-mode", environment=environment) as fourth:
        snapshots.restore(fourth, prefix, snapshot=taken["name"])
        before.check(fourth, in_mode="memory")


def test_everything_goes_from_a_hybrid_server_and_into_one(s3, prefix, tmp_path):
    environment = s3.environment()
    with filled(mode=modes.HYBRID, environment=environment) as first:
        before = Seen(first)
        snapshots.take(first, prefix)
    with SQLServer("--test-mode", mode=modes.HYBRID, data=tmp_path / "data", environment=environment) as second:
        snapshots.restore(second, prefix)
        before.check(second)
    with SQLServer("--test-mode", mode=modes.HYBRID, data=tmp_path / "data", environment=environment) as third:
        before.check(third)
        snapshots.take(third, tmp_path / "elsewhere")
    with SQLServer("--test-mode") as fourth:
        snapshots.restore(fourth, tmp_path / "elsewhere")
        before.check(fourth, in_mode="memory")


def test_a_server_without_a_log_has_a_snapshot_too(tmp_path):
    with SQLServer() as server:
        assert snapshots.take(server, tmp_path)["logs"] == []
        assert snapshots.restore(server, tmp_path)["logs"] == []
        assert snapshots.log_names(server) == []


# One instant

def test_money_that_moves_between_two_logs_is_all_there_in_every_snapshot(tmp_path):
    with SQLServer() as bank, SQLServer() as other:
        for account in range(everything.ACCOUNTS):
            bank.put(everything.bank(account), f"account{account}", {"balance": everything.BALANCE})
        with everything.Teller(bank) as teller:
            taken = [snapshots.take(bank, tmp_path) for _ in range(25)]
        assert teller.moved > 100
        seen = set()
        for one in taken:
            snapshots.restore(other, tmp_path, snapshot=one["name"], replace=True)
            balances = everything.balances(other)
            assert sum(balances) == everything.ACCOUNTS * everything.BALANCE, (one, balances)
            seen.add(tuple(balances))
        assert len(seen) > 5


def test_logs_that_are_written_trimmed_compacted_and_deleted_meanwhile_are_as_they_were_at_one_instant(tmp_path):
    with SQLServer() as server, SQLServer() as other:
        server.call("PUT", "/v1/logs/sequence", {"compaction": "none"})
        for log in ("left", "right"):
            server.call("PUT", f"/v1/logs/{log}", {"compaction": "keys"})
        with Churn(server, append_and_trim), Churn(server, write_pairs), Churn(server, come_and_go):
            taken = [snapshots.take(server, tmp_path) for _ in range(20)]
        for one in taken:
            snapshots.restore(other, tmp_path, snapshot=one["name"], replace=True)
            assert sorted(one["logs"]) == one["logs"] and set(one["logs"]) <= set(snapshots.log_names(other))
            image = snapshots.look_at(other, "sequence")
            (first, tail), = image.bounds
            values = [json.loads(line)["value"] for line in image.records.values()]
            assert values == list(range(first, tail)), (one, first, tail, values[:3], values[-3:])
            left, right = ({key: (value[1], value[3]) for key, value in snapshots.look_at(other, log).keys.items()}
                           for log in ("left", "right"))
            assert left == right, one
            # A log that came was empty for no moment that a snapshot could see: its first record made it.
            for name in one["logs"]:
                if name.startswith("guest"):
                    assert other.value(f"SELECT count(*) FROM {name}") in range(1, 51), name


class Churn(threading.Thread):
    """Does something to a server again and again."""

    def __init__(self, server, step):
        super().__init__(daemon=True)
        self.server, self.step, self.stopping, self.problem = server, step, threading.Event(), None

    def run(self):
        try:
            with self.server.connect() as connection:
                number = 0
                while not self.stopping.is_set():
                    self.step(connection, number)
                    number += 1
        except BaseException as problem:  # noqa: BLE001 - raised at the end
            self.problem = problem

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.stopping.set()
        self.join(60)
        if self.problem:
            raise self.problem


def append_and_trim(connection, number):
    values = list(range(number * 50, number * 50 + 50))
    assert connection.call("POST", "/v1/logs/sequence/records", values).status == 201
    if number % 7 == 6:
        answer = connection.call("DELETE", f"/v1/logs/sequence/records?before_offset={number * 50 - 100}")
        assert answer.status == 204, answer


def write_pairs(connection, number):
    """The same key of two logs in one transaction; most are written over and over, so that both are compacted."""
    operations = [{"put": {"log": log, "key": f"k{number * 7919 % 40}", "value": {"n": number, "pad": "x" * 200}}}
                  for log in ("left", "right")]
    if number % 11 == 10:
        operations = [{"delete": {"log": log, "key": f"k{number % 40}"}} for log in ("left", "right")]
    answer = connection.call("POST", "/v1/transactions", {"then": operations})
    assert answer.status == 200, answer


def come_and_go(connection, number):
    assert connection.call("POST", f"/v1/logs/guest{number % 3}/records", list(range(50))).status == 201
    if number % 3 == 2:
        for guest in range(3):
            assert connection.call("DELETE", f"/v1/logs/guest{guest}").status == 204


def test_a_producer_that_writes_meanwhile_goes_on_from_every_snapshot(tmp_path):
    with SQLServer() as server, SQLServer() as other:
        server.call("PUT", "/v1/logs/produced", {"compaction": "none", "partitions": 2})
        assert everything.produce(lambda *c: server.call(*c[:4]), "p", 0).status == 201
        stop = threading.Event()

        def run():
            with server.connect() as connection:
                sequence = 1
                while not stop.is_set():
                    assert everything.produce(lambda *c: connection.call(*c[:4]), "p", sequence).status == 201
                    sequence += 1

        writer = threading.Thread(target=run)
        writer.start()
        try:
            taken = [snapshots.take(server, tmp_path) for _ in range(10)]
        finally:
            stop.set()
            writer.join()
        for one in taken:
            snapshots.restore(other, tmp_path, snapshot=one["name"], replace=True)
            last = other.value("SELECT max(sequence) FROM produced")
            assert other.value("SELECT count(*) FROM produced") == 3 * (last + 1), one
            for sequence, status in ((last, 200), (last + 1, 201)):
                answer = everything.produce(lambda *c: other.call(*c[:4]), "p", sequence)
                assert answer.status == status, (one, sequence, answer)


def test_what_is_written_afterwards_is_not_in_it_and_what_lies_there_is_not_sent_again(tmp_path):
    with filled() as server, SQLServer("--test-mode") as other:
        before = Seen(server)
        first = snapshots.take(server, tmp_path)
        server.append("plain", [{"later": True}])
        server.call("DELETE", "/v1/logs/keys")
        server.put("leases", "late", 2)
        second = snapshots.take(server, tmp_path)
        assert second["sent_bytes"] < first["sent_bytes"] / 10
        after = snapshots.look(server)
        snapshots.restore(other, tmp_path, snapshot=first["name"])
        before.check(other)
        snapshots.restore(other, tmp_path, replace=True)
        # A log that is in no snapshot is not touched by a restore.
        snapshots.same({name: image for name, image in snapshots.look(other).items() if name != "keys"}, after)
        # What both use stays for the other one.
        assert snapshots.delete(server, first["name"]).status == 204
        assert snapshots.delete(server, first["name"], tmp_path).status == 404
        assert snapshots.complete_names(other, tmp_path) == [second["name"]]
    with SQLServer("--test-mode") as third:
        snapshots.restore(third, tmp_path)
        snapshots.same(snapshots.look(third), after)
        assert snapshots.delete(third, second["name"], tmp_path).status == 204
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_another_process_left_is_not_sent_again(tmp_path):
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        server.append("log", [{"n": n, "pad": "x" * 100} for n in range(20_000)])
        first = snapshots.take(server, tmp_path / "there")
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        second = snapshots.take(server, tmp_path / "there")
        assert second["sent_bytes"] < first["sent_bytes"] / 10 and second["digest"]
        image = snapshots.look(server)
        assert snapshots.delete(server, first["name"], tmp_path / "there").status == 204
    with SQLServer() as other:
        snapshots.restore(other, tmp_path / "there")
        snapshots.same(snapshots.look(other), image, in_mode="memory")


# Time

def test_what_had_expired_at_its_instant_does_not_come_back_where_the_clock_is_behind(tmp_path):
    with SQLServer("--test-mode") as first, SQLServer("--test-mode") as second:
        for n in range(50):
            first.put("leases", f"short{n}", n, ttl_ms=60_000)
            first.put("leases", f"long{n}", n, ttl_ms=7_200_000)
            first.append("records", [n], ttl_ms=60_000)
        first.call("POST", "/v1/test/clock", {"advance_ms": 3_600_000})
        # At once: nothing has been cleared away yet.
        taken = snapshots.take(first, tmp_path)
        snapshots.restore(second, tmp_path)
        keys = snapshots.look_at(second, "leases").keys
        assert sorted(keys) == sorted(f"long{n}" for n in range(50)), (taken, sorted(keys))
        assert snapshots.look_at(second, "records").records == {}


def test_the_newest_is_the_one_that_was_taken_last_though_the_clock_was_set_back(tmp_path):
    with SQLServer("--test-mode") as ahead:
        ahead.call("POST", "/v1/test/clock", {"advance_ms": 3_600_000})
        ahead.append("log", ["before"])
        snapshots.take(ahead, tmp_path)
    with SQLServer() as server, SQLServer() as other:
        server.append("log", ["after"])
        snapshots.take(server, tmp_path)
        snapshots.restore(other, tmp_path)
        assert other.value("SELECT _value FROM log") == "after"


def test_deadlines_go_on_as_the_time_of_day(tmp_path):
    with SQLServer("--test-mode") as first, SQLServer("--test-mode") as second:
        first.put("leases", "k", 1, ttl_ms=600_000)
        expires_at = int(first.call("HEAD", "/v1/logs/leases/keys/k").headers["pyralog-expires-at"])
        snapshots.take(first, tmp_path)
        second.call("POST", "/v1/test/clock", {"advance_ms": 590_000})
        snapshots.restore(second, tmp_path)
        assert int(second.call("HEAD", "/v1/logs/leases/keys/k").headers["pyralog-expires-at"]) == expires_at
        second.call("POST", "/v1/test/clock", {"advance_ms": 11_000})
        assert second.call("GET", "/v1/logs/leases/keys/k").status == 404
        # Too late for it altogether.
        snapshots.restore(second, tmp_path, rename={"leases": "again"})
        assert second.call("GET", "/v1/logs/again/keys/k").status == 404
        assert second.value("SELECT count(*) FROM again") == 0


# How it is seen

def test_a_snapshot_looks_the_same_to_the_server_that_took_it_and_to_any_other(tmp_path):
    with filled() as server, SQLServer() as other:
        taken = snapshots.take(server, tmp_path)
        seen, = snapshots.listed(other, tmp_path)
        assert seen["finished_at"] is None
        for field in ("name", "state", "time", "records", "logs", "digest", "location", "periodic", "bytes", "bytes_total"):
            assert seen[field] == taken[field], field
        assert snapshots.seen(other, snapshots.at(f"/v1/snapshots/{taken['name']}", tmp_path)) == seen


def test_metrics_tell_what_became_of_snapshots(tmp_path):
    (tmp_path / "file").write_text("")
    with SQLServer() as server:
        server.append("log", [1, 2, 3])
        for kind in ("snapshot", "restore", "replay"):
            assert server.metrics().sum("pyralog_jobs_total", {"kind": kind}) == 0
        taken = snapshots.take(server, tmp_path / "good")
        snapshots.failed(server, snapshots.begin(server, location=str(tmp_path / "file" / "below")), "store_refused")
        snapshots.restore(server, tmp_path / "good", rename={"log": "other"})
        snapshots.failed(server, snapshots.begin(server, "/v1/restores", location=str(tmp_path / "good")), "log_exists")
        snapshots.replay(server, tmp_path / "good", rename={"log": "third"})
        metrics = server.metrics()
        for labels, expected in ((("snapshot", "complete"), 1), (("snapshot", "failed"), 1), (("restore", "complete"), 1),
                                 (("restore", "failed"), 1), (("replay", "complete"), 1), (("replay", "failed"), 0)):
            assert metrics.sum("pyralog_jobs_total", dict(zip(("kind", "result"), labels))) == expected, labels
        assert metrics.sum("pyralog_jobs_running") == 0
        assert metrics.sum("pyralog_snapshot_last_success_timestamp_seconds") == taken["finished_at"] / 1000
        assert metrics.sum("pyralog_snapshot_sent_bytes_total") == taken["sent_bytes"]
        assert metrics.sum("pyralog_snapshot_last_bytes") == taken["bytes"]
