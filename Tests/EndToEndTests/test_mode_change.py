"""A log changes its mode while it is written to: nothing acknowledged is lost, whatever ends the server meanwhile."""

import itertools
import json
import os
import random
import threading
import time

import pytest

from support import modes
from support.server import Server

NAMES = ("memory", "persistent", "hybrid")
DIRECTIONS = list(itertools.permutations(NAMES, 2))
WRITERS = 4
LOG = "/v1/logs/l"
CYCLES = int(os.environ.get("PYRALOG_CRASH_CYCLES", "4"))


@pytest.fixture
def start(tmp_path):
    running = []

    def make():
        running.append(Server(mode=modes.PERSISTENT, data=tmp_path / "data"))
        return running[-1]

    yield make
    for server in running:
        if server.process.poll() is None:
            server.kill()


class Writers:
    """Each puts ascending numbers under keys of its own, and notes what was acknowledged, and from where."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = [{} for _ in range(WRITERS)]
        self.is_ending = threading.Event()
        self.refused = []
        self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, number):
        value = 0
        try:
            with self.server.connect() as connection:
                while not self.is_ending.is_set():
                    value += 1
                    key = f"{number}-{value % 200}"
                    answer = connection.call("PUT", f"{LOG}/keys/{key}", str(value).encode())
                    if answer.status not in (200, 201):
                        self.refused.append(answer)
                        return
                    self.acknowledged[number][key] = (value, answer.json()["ack"]["achieved"])
        except (OSError, EOFError, AssertionError):
            # Killed in the middle: whatever was not answered is unknown.
            pass

    def end(self):
        self.is_ending.set()
        for thread in self.threads:
            thread.join()
        assert not self.refused, self.refused[0]

    def all(self):
        return {key: entry for writer in self.acknowledged for key, entry in writer.items()}


def create(server, mode):
    answer = server.call("PUT", LOG, {"mode": mode, "compaction": "keys", "partitions": 2})
    assert answer.status == 201, answer


def change(server, mode):
    answer = server.call(
        "PATCH", LOG, json.dumps({"mode": mode}).encode(), {"Content-Type": "application/merge-patch+json"})
    assert answer.status == 202, answer
    return answer


def wait_until_changed(server, mode):
    deadline = time.monotonic() + 30
    while True:
        log = server.call("GET", LOG).json()
        if "transition" not in log:
            assert log["config"]["mode"] == mode
            return log
        assert log["transition"]["state"] == "running", log
        assert time.monotonic() < deadline, log
        time.sleep(0.005)


def values(server):
    found = {}
    answer = server.call("GET", f"{LOG}/keys?limit=1000&values=true").json()
    assert not answer["has_more"]
    for entry in answer["keys"]:
        found[entry["key"]] = int(entry.get("value", entry.get("value_text")))
    return found


@pytest.mark.parametrize("before,after", DIRECTIONS)
def test_a_log_that_changes_its_mode_keeps_all_it_has(start, before, after):
    server = start()
    create(server, before)
    writers = Writers(server)
    time.sleep(0.2)
    change(server, after)
    log = wait_until_changed(server, after)
    time.sleep(0.2)
    writers.end()
    expected = {key: value for key, (value, _) in writers.all().items()}
    assert values(server) == expected
    assert log["epoch"] == server.call("GET", LOG).json()["epoch"]
    ack = server.call("PUT", f"{LOG}/keys/last", b"0").json()["ack"]["achieved"]
    assert ack == ("disk" if after == "persistent" else "memory")
    server.stop()
    server = start()
    again = server.call("GET", LOG).json()
    assert again["config"]["mode"] == after
    if after == "memory":
        assert values(server) == {} and again["epoch"] != log["epoch"]
    else:
        assert values(server) == expected | {"last": 0} and again["epoch"] == log["epoch"]
    server.stop()


@pytest.mark.parametrize("cycle", range(CYCLES))
@pytest.mark.parametrize("before,after", DIRECTIONS)
def test_killed_while_the_mode_changes_what_was_promised_is_there(start, before, after, cycle):
    random.seed(f"{before} {after} {cycle}")
    server = start()
    create(server, before)
    epoch = server.call("GET", LOG).json()["epoch"]
    writers = Writers(server)
    time.sleep(0.1)
    change(server, after)
    time.sleep(random.uniform(0, 0.06))
    server.kill()
    writers.end()
    server = start()
    log = server.call("GET", LOG).json()
    assert log["config"]["mode"] in (before, after) and "transition" not in log
    found = values(server)
    acknowledged = writers.all()
    # Nothing that was never sent, and nothing from behind what is unknown.
    for key, value in found.items():
        assert value % 200 == int(key.split("-")[1])
    if log["config"]["mode"] == "memory":
        assert found == {} and log["epoch"] != epoch
    if log["config"]["mode"] == "persistent":
        lost = {key: entry for key, entry in acknowledged.items() if entry[1] == "disk" and found.get(key, -1) < entry[0]}
        assert not lost, lost
        if before == "persistent":
            assert log["epoch"] == epoch
    if log["config"]["mode"] == "hybrid":
        # What was in memory only may be gone, and then positions may be void.
        assert log["epoch"] != epoch
    assert server.call("PUT", f"{LOG}/keys/after", b"1").status == 201
    server.stop()


def test_a_second_change_while_one_runs_is_told_to_come_back(start):
    server = start()
    create(server, "memory")
    for number in range(200):
        server.call("PUT", f"{LOG}/keys/{number}", b"x" * 10_000)
    statuses = []
    for mode in ("persistent", "hybrid") * 5:
        answer = server.call(
            "PATCH", LOG, json.dumps({"mode": mode}).encode(), {"Content-Type": "application/merge-patch+json"})
        statuses.append(answer.status)
        if answer.status == 503:
            assert answer.json()["code"] == "overloaded" and answer.headers["retry-after"]
    assert set(statuses) <= {200, 202, 503}, statuses
    deadline = time.monotonic() + 30
    while "transition" in server.call("GET", LOG).json():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(server.call("GET", f"{LOG}/keys?limit=1000").json()["keys"]) == 200
    server.stop()
