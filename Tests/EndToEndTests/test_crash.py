"""kill -9, again and again, under load: nothing acknowledged is lost, nothing else appears, and whoever goes on can go on.

PYRALOG_CRASH_CYCLES says how often, PYRALOG_CRASH_SEED with which random choices, PYRALOG_STOP_SECONDS for how long a server
is stopped by SIGSTOP.
"""

import os
import random
import shutil
import signal
import time

import pytest

from support import modes, report
from support.keepers import Keeper
from support.load import STOP_SECONDS, Tally
from support.oracle import records_of
from support.server import Server
from support.world import World, after

CYCLES = int(os.environ.get("PYRALOG_CRASH_CYCLES", "4"))
SEED = os.environ.get("PYRALOG_CRASH_SEED") or str(random.randrange(1 << 32))
# Then a new directory, or most of the time goes into reading the old one.
CYCLES_A_DIRECTORY = 10

pytestmark = pytest.mark.timeout(max(300, CYCLES * 60))


@pytest.fixture
def start(tmp_path):
    """Starts servers on one data directory, one after the other."""
    return lambda *arguments, **options: Server(*arguments, mode=modes.PERSISTENT, data=tmp_path / "data", **options)


def tell(name, **figures):
    report.note(name, seed=SEED, **figures)
    print(f"\n{name}, seed {SEED}: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items()))


@pytest.mark.parametrize("fsync", ["always", "interval", "never"])
def test_killed_at_any_moment_it_has_all_that_it_acknowledged(tmp_path, fsync):
    generator = random.Random(f"{SEED} {fsync}")
    # What a process that is killed has written, the system has, whether it is on disk or not.
    cycles = CYCLES if fsync == "always" else max(1, CYCLES // 4)
    totals = {}
    for first in range(0, cycles, CYCLES_A_DIRECTORY):
        data = tmp_path / f"data{first}"
        world = World(f"{SEED}-{first}", {"fsync": fsync})
        lives = min(CYCLES_A_DIRECTORY, cycles - first)
        for life in range(lives + 1):
            with Server(mode=modes.PERSISTENT, data=data) as server:
                world.prepare(server) if life == 0 else world.check(server)
                if life < lives:
                    world.live(server, after(generator.uniform(0.05, 2), server.kill))
        for name, figure in world.figures().items():
            totals[name] = totals.get(name, 0) + figure
        shutil.rmtree(data)
    tell(f"killed at any moment, fsync {fsync}", **totals)


def test_killed_while_it_recovers_it_recovers(start):
    generator = random.Random(SEED)
    world = World(SEED)
    with start() as server:
        world.prepare(server)
        world.live(server, after(1.5, server.kill))
    for _ in range(2 * CYCLES):
        # Mostly it is not ready by then.
        with start(is_awaited=False) as server:
            time.sleep(generator.uniform(0, 0.4))
            server.kill()
    with start() as server:
        world.check(server)
        world.live(server, after(0.3, server.kill))
    with start() as server:
        world.check(server)
    tell("killed while it recovers", kills=2 * CYCLES, **world.figures())


def test_the_oracle_sees_what_is_missing(start, tmp_path):
    """The tests above would fail on a server that goes back to what it had some acknowledged writes ago."""
    world = World(SEED)
    with start() as server:
        world.prepare(server)
        world.live(server, after(0.2, server.kill))
    shutil.copytree(tmp_path / "data", tmp_path / "older")
    with start() as server:
        world.check(server)
        world.live(server, after(0.2, server.kill))
    for kind in {type(client) for client in world.clients} - {Tally}:
        assert any(client.acknowledged for client in world.clients if type(client) is kind), kind
    with Server(mode=modes.PERSISTENT, data=tmp_path / "older") as server:
        with pytest.raises(AssertionError, match="acknowledged at"):
            world.oracle.check(server, world.logs)
        contents = {log: records_of(server, log) for log in world.logs}
        for kind in (Keeper, Tally):
            with pytest.raises(AssertionError):
                next(client for client in world.clients if type(client) is kind).check(server, contents)


def test_asked_to_stop_under_load_it_ends_with_0_and_loses_nothing(start):
    world = World(SEED)
    for life in range(max(2, CYCLES // 10)):
        with start() as server:
            world.prepare(server) if life == 0 else world.check(server)

            def end():
                time.sleep(0.7)
                server.send_signal(signal.SIGTERM)
                assert server.process.wait(30) == 0

            world.live(server, end)
    with start() as server:
        world.check(server)
    tell("SIGTERM under load", **world.figures())


def test_stopped_for_seconds_it_goes_on_and_loses_nothing(start):
    world = World(SEED)
    with start() as server:
        world.prepare(server)

        def end():
            for _ in range(2):
                time.sleep(0.3)
                server.send_signal(signal.SIGSTOP)
                time.sleep(STOP_SECONDS)
                server.send_signal(signal.SIGCONT)
                time.sleep(1)

        world.live(server, end)
        world.check(server)
        server.kill()
    with start() as server:
        world.check(server)
    tell("SIGSTOP under load", seconds=STOP_SECONDS, **world.figures())


def test_a_log_in_memory_is_empty_after_a_crash_and_has_another_epoch(start):
    with start() as server:
        assert server.call("PUT", "/v1/logs/fleeting", {"mode": "memory", "ttl_ms": 60_000}).status == 201
        fleeting = server.call("PUT", "/v1/logs/fleeting/keys/k", b"1")
        lasting = server.call("PUT", "/v1/logs/lasting/keys/k", b"1")
        assert (fleeting.headers["pyralog-ack"], lasting.headers["pyralog-ack"]) == ("memory", "disk")
        epochs = [server.call("GET", f"/v1/logs/{log}").json()["epoch"] for log in ("fleeting", "lasting")]
        server.kill()
    with start() as server:
        log = server.call("GET", "/v1/logs/fleeting").json()
        assert log["config"]["mode"] == "memory" and log["config"]["ttl_ms"] == 60_000
        assert log["stats"]["partitions"][0]["tail"] == 0 and log["epoch"] != epochs[0]
        assert server.call("GET", "/v1/logs/fleeting/keys/k").status == 404
        server.call("PUT", "/v1/logs/fleeting/keys/k", b"1")
        answer = server.call("PUT", "/v1/logs/fleeting/keys/k", b"2", {"If-Match": fleeting.headers["etag"]})
        assert answer.status == 412 and answer.code == "precondition_failed"
        answer = server.call("GET", f"/v1/logs/fleeting/keys/k?after={fleeting.json()['revision']}")
        assert answer.status == 409 and answer.code == "epoch_changed"
        assert server.call("GET", "/v1/logs/lasting").json()["epoch"] == epochs[1]
        assert server.call("PUT", "/v1/logs/lasting/keys/k", b"2", {"If-Match": lasting.headers["etag"]}).status == 200


def test_what_a_hybrid_log_had_moved_to_disk_is_there_after_a_crash(start):
    with start() as server:
        server.call("PUT", "/v1/logs/a", {"mode": "hybrid", "compaction": "keys", "hybrid": {"disk_after_ms": 100}})
        for number in range(50):
            moved = server.call("PUT", f"/v1/logs/a/keys/k{number}", b"%d" % number)
        assert moved.headers["pyralog-ack"] == "memory"
        deadline = time.monotonic() + 20
        while not server.call("GET", "/v1/logs/a").json()["stats"]["partitions"][0]["bytes"]["disk"]:
            assert time.monotonic() < deadline, "nothing moves"
            time.sleep(0.05)
        epoch = server.call("GET", "/v1/logs/a").json()["epoch"]
        assert server.call("PUT", "/v1/logs/a/keys/hot", b"1").status == 201
        server.kill()
    with start() as server:
        # Positions that were given may be void: the hot one is gone.
        assert server.call("GET", "/v1/logs/a").json()["epoch"] != epoch
        assert server.call("GET", "/v1/logs/a/keys/hot").status == 404
        for number in range(50):
            assert server.call("GET", f"/v1/logs/a/keys/k{number}").body == b"%d" % number
        answer = server.call("PUT", "/v1/logs/a/keys/k49", b"2", {"If-Match": moved.headers["etag"]})
        assert answer.status == 412 and answer.code == "precondition_failed"


@pytest.mark.parametrize("path, body", [("records", b"[1,2,3]"), ("records:batch", b'{"records":[{"key":"k","value":1}]}'),
                                        ("keys/n:increment", b'{"by":3}'), ("/v1/transactions", None)])
def test_a_retry_with_the_same_key_is_answered_alike_after_a_crash(start, path, body):
    if body is None:
        body = b'{"then":[{"append":{"log":"a","value":1}},{"increment":{"log":"a","key":"n","by":3}}]}'
    path = path if path.startswith("/") else f"/v1/logs/a/{path}"
    fields = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    with start() as server:
        first = server.call("POST", path, body, fields)
        assert 200 <= first.status < 300, first
        records = server.call("GET", "/v1/logs/a/records").json()["records"]
        server.kill()
    for _ in range(2):
        with start() as server:
            again = server.call("POST", path, body, fields)
            assert (again.status, again.body) == (first.status, first.body)
            assert server.call("GET", "/v1/logs/a/records").json()["records"] == records
            assert server.call("POST", path, b"{} ", fields).code == "idempotency_mismatch"
            server.kill()


def test_a_deadline_is_the_same_after_a_crash_and_passes_while_it_is_down(start):
    with start() as server:
        server.call("PUT", "/v1/logs/a/keys/long?ttl_ms=3600000", b"1")
        server.call("PUT", "/v1/logs/a/keys/short?ttl_ms=500", b"1")
        deadline = server.call("HEAD", "/v1/logs/a/keys/long").headers["pyralog-expires-at"]
        server.kill()
    time.sleep(0.6)
    with start() as server:
        assert server.call("HEAD", "/v1/logs/a/keys/long").headers["pyralog-expires-at"] == deadline
        assert server.call("GET", "/v1/logs/a/keys/short").code == "key_not_found"
        assert [entry["key"] for entry in server.call("GET", "/v1/logs/a/keys").json()["keys"]] == ["long"]
