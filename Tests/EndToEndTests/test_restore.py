"""Restores: which logs, under which names, all at once or not at all; and what is refused."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import disks, modes, snapshots
from support.objects import Fault, FaultProxy, S3Server
from support.server import Server, binary, clean_environment
from support.sql import SQLServer

MiB = 1 << 20
EXIT_USAGE, EXIT_STORAGE = 64, 74
# In rows that look the same for as long as nothing is mixed.
ROWS = 2000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A snapshot of three logs, `one`, `two` and `money`, with its server's image."""
    directory = tmp_path_factory.mktemp("place")
    with SQLServer() as server:
        server.append("one", [{"n": n, "log": "one"} for n in range(100)])
        server.append("two", [{"n": n, "log": "two"} for n in range(200)])
        for n in range(20):
            server.put("money", f"k{n}", n)
        taken = snapshots.take(server, directory)
        image = snapshots.look(server)
    return Place(directory, taken, image)


class Place:
    def __init__(self, directory, taken, image):
        self.directory, self.taken, self.image = directory, taken, image

    def __str__(self):
        return str(self.directory)


@pytest.fixture(scope="module")
def server():
    with SQLServer() as running:
        yield running


def cleared(server):
    for name in snapshots.log_names(server):
        assert server.call("DELETE", f"/v1/logs/{name}").status == 204
    return server


def refused(server, path, body, status, code, *words):
    answer = server.call("POST", path, body)
    assert (answer.status, answer.code) == (status, code), answer
    for word in words:
        assert str(word) in answer.detail, answer
    return answer


# Which logs

def test_some_logs_under_other_names(server, place):
    cleared(server)
    done = snapshots.restore(server, place, logs=["one", "money"], rename={"one": "first", "money": "coins"})
    assert sorted(done["logs"]) == ["coins", "first"]
    now = snapshots.look(server)
    snapshots.same(now, {"first": place.image["one"], "coins": place.image["money"]})


def test_names_may_be_exchanged(server, place):
    cleared(server)
    snapshots.restore(server, place, rename={"one": "two", "two": "one"})
    snapshots.same(snapshots.look(server),
                   {"one": place.image["two"], "two": place.image["one"], "money": place.image["money"]})


@pytest.mark.parametrize("body, code, words", [
    ({"logs": ["one", "missing"]}, "log_not_found", ["missing"]),
    ({"rename": {"missing": "x"}}, "log_not_found", ["missing"]),
    ({"rename": {"one": "two"}}, "invalid_argument", ["two"]),
])
def test_a_choice_that_cannot_be_is_refused_and_changes_nothing(server, place, body, code, words):
    cleared(server)
    error = snapshots.failed(server, snapshots.begin(server, "/v1/restores", location=str(place), **body), code)
    for word in words:
        assert word in error["detail"], error
    assert snapshots.log_names(server) == []


def test_a_log_that_is_there_is_only_replaced_when_that_is_wanted(server, place):
    cleared(server)
    server.append("one", ["mine"])
    server.append("alone", ["mine"])
    before = snapshots.look(server)
    error = snapshots.failed(server, snapshots.begin(server, "/v1/restores", location=str(place)), "log_exists")
    assert "one" in error["detail"], error
    after = snapshots.look(server)
    assert after == before
    snapshots.restore(server, place, replace=True)
    now = snapshots.look(server)
    assert now.pop("alone") == before["alone"]
    snapshots.same(now, place.image)
    # Revisions of the log that was there are none of the one that is.
    answer = server.call("GET", f"/v1/logs/one/records?after=0-0-{before['one'].epoch}")
    assert answer.status in (400, 409), answer


def test_modes(tmp_path, place):
    with SQLServer() as memory:
        error = snapshots.failed(memory, snapshots.begin(memory, "/v1/restores", location=str(place), mode="persistent"),
                                 "invalid_argument")
        assert "--data-dir" in error["detail"] and snapshots.log_names(memory) == []
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as disk:
        for mode in ("memory", "persistent", "hybrid"):
            names = {name: f"{name}-{mode}" for name in place.image}
            snapshots.restore(disk, place, mode=mode, rename=names)
            snapshots.same(snapshots.look(disk, names.values()),
                           {names[name]: image for name, image in place.image.items()}, in_mode=mode)
        # As it was: in memory.
        snapshots.restore(disk, place, logs=["one"])
        assert snapshots.look_at(disk, "one").config["mode"] == "memory"
        disk.kill()
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as disk:
        snapshots.same(snapshots.look(disk, [f"{name}-persistent" for name in place.image]),
                       {f"{name}-persistent": image for name, image in place.image.items()}, in_mode="persistent")
        for mode in ("memory", "hybrid"):
            assert disk.call("GET", f"/v1/logs/one-{mode}").status == 200


def test_one_snapshot_of_several(server, tmp_path):
    cleared(server)
    taken = []
    for n in range(4):
        server.append("log", [n])
        taken.append(snapshots.take(server, tmp_path)["name"])
    for n, name in enumerate(taken):
        for path, options in (("/v1/restores", {"location": str(tmp_path), "snapshot": name}),
                              (snapshots.at(f"/v1/snapshots/{name}:restore", tmp_path), {}),
                              (f"/v1/snapshots/{name}:restore", {})):
            snapshots.completed(server, snapshots.begin(server, path, rename={"log": "then"}, replace=True, **options))
            assert server.rows("SELECT _value FROM \"then\" ORDER BY _offset") == [(m,) for m in range(n + 1)]
    assert {job["snapshot"] for job in server.call("GET", "/v1/restores").json()["restores"]} >= set(taken)


def test_a_snapshot_of_some_logs_has_only_those(server, tmp_path):
    cleared(server)
    for name in ("a", "b", "c"):
        server.append(name, [name])
    assert snapshots.take(server, tmp_path, logs=["c", "a"])["logs"] == ["a", "c"]
    refused(server, "/v1/snapshots", {"location": str(tmp_path), "logs": ["a", "nobody"]}, 404, "log_not_found", "nobody")
    with SQLServer() as other:
        snapshots.restore(other, tmp_path)
        assert snapshots.log_names(other) == ["a", "c"]


# All at once

def test_who_reads_meanwhile_sees_the_old_logs_or_the_new_ones(tmp_path):
    """Two logs that are always replaced together, read in one query."""
    with SQLServer() as server:
        for generation in range(2):
            for name in ("left", "right"):
                server.call("DELETE", f"/v1/logs/{name}")
                server.append(name, [{"generation": generation, "n": n} for n in range(ROWS)])
            snapshots.take(server, tmp_path / str(generation))
        stop, seen, problems = threading.Event(), set(), []

        def read():
            try:
                while not stop.is_set():
                    rows = server.rows("SELECT 'l', generation, count(*) FROM \"left\" GROUP BY ALL UNION ALL "
                                       "SELECT 'r', generation, count(*) FROM \"right\" GROUP BY ALL ORDER BY 1")
                    assert len(rows) == 2 and rows[0][1:] == rows[1][1:] and rows[0][2] == ROWS, rows
                    seen.add(rows[0][1])
            except BaseException as problem:  # noqa: BLE001 - raised below
                problems.append(problem)

        def poll():
            try:
                with server.connect() as connection:
                    while not stop.is_set():
                        for name in ("left", "right"):
                            answer = connection.call("GET", f"/v1/logs/{name}/records?limit=10000")
                            assert answer.status == 200, answer
                            values = answer.json()["records"]
                            assert len(values) == ROWS and len({one["value"]["generation"] for one in values}) == 1
            except BaseException as problem:  # noqa: BLE001 - raised below
                problems.append(problem)

        readers = [threading.Thread(target=read), threading.Thread(target=poll)]
        for reader in readers:
            reader.start()
        try:
            for turn in range(30):
                snapshots.restore(server, tmp_path / str(turn % 2), replace=True)
        finally:
            stop.set()
            for reader in readers:
                reader.join(60)
        if problems:
            raise problems[0]
        assert seen == {0, 1}


def test_logs_of_a_snapshot_appear_together(place):
    with SQLServer() as server:
        stop, seen, problems = threading.Event(), set(), []

        def watch():
            try:
                with server.connect() as connection:
                    while not stop.is_set():
                        answer = connection.call("GET", "/v1/logs")
                        seen.add(tuple(log["name"] for log in answer.json()["logs"]))
            except BaseException as problem:  # noqa: BLE001 - raised below
                problems.append(problem)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for turn in range(20):
                snapshots.restore(server, place, rename={name: f"{turn:02}-{name}" for name in place.image})
        finally:
            stop.set()
            watcher.join(60)
        if problems:
            raise problems[0]
        whole = {tuple(sorted(f"{turn:02}-{name}" for turn in range(count) for name in place.image)) for count in range(21)}
        assert seen <= whole, sorted(seen - whole)


# Room

@pytest.fixture(scope="module")
def bulky(tmp_path_factory):
    """A snapshot of 48 MB in two logs."""
    directory = tmp_path_factory.mktemp("bulky")
    with SQLServer() as server:
        for name in ("bulk-a", "bulk-b"):
            for n in range(24):
                answer = server.call("POST", f"/v1/logs/{name}/records", random.Random(n).randbytes(MiB),
                                     {"Content-Type": "image/x"})
                assert answer.status == 201
        return Place(directory, snapshots.take(server, directory), snapshots.look(server))


def test_a_restore_for_which_there_is_no_memory_is_refused_and_changes_nothing(bulky):
    with SQLServer("--max-memory", "40MiB") as server:
        server.append("mine", [1, 2, 3])
        before = snapshots.look(server)
        used = server.call("GET", "/v1/memory").json()["used_bytes"]
        error = snapshots.failed(server, snapshots.begin(server, "/v1/restores", location=str(bulky)), "memory_full")
        assert error["retryable"] is True, error
        assert snapshots.look(server) == before
        assert server.call("GET", "/v1/memory").json()["used_bytes"] < used + MiB
        server.append("mine", [4])
        # What fits is taken.
        snapshots.restore(server, bulky, logs=["bulk-b"])
        snapshots.same({"bulk-b": snapshots.look_at(server, "bulk-b")}, {"bulk-b": bulky.image["bulk-b"]})


def test_a_restore_onto_disk_needs_less_memory_than_it_has_data(bulky, tmp_path):
    with SQLServer("--max-memory", "32MiB", mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        snapshots.restore(server, bulky, mode="persistent")
        for name in bulky.image:
            snapshots.same({name: snapshots.look_at(server, name)}, {name: bulky.image[name]}, in_mode="persistent")
        server.kill()
    with SQLServer("--max-memory", "32MiB", mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        for name in bulky.image:
            snapshots.same({name: snapshots.look_at(server, name)}, {name: bulky.image[name]}, in_mode="persistent")


# At the start

def start_fails(code, *arguments, environment=None):
    """What a server says that must not start."""
    # One that starts all the same is stopped.
    command = ["timeout", "--preserve-status", "20", str(binary()), "serve", "--port", "0", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                           env={**clean_environment(), **(environment or {})})
    assert ended.returncode == code and ended.stdout == "", ended
    assert "Fatal error" not in ended.stderr, ended
    return ended.stderr


def test_a_server_starts_with_the_newest_snapshot(tmp_path):
    with SQLServer() as server:
        server.append("log", [1])
        snapshots.take(server, tmp_path)
        server.append("log", [2])
        snapshots.take(server, tmp_path)
        image = snapshots.look(server)
    with SQLServer("--restore", str(tmp_path)) as server:
        snapshots.same(snapshots.look(server), image)
    with SQLServer("--restore", str(tmp_path), mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        snapshots.same(snapshots.look(server), image, in_mode=snapshots.look_at(server, "log").config["mode"])
    with SQLServer("--snapshots-location", str(tmp_path), "--snapshots-restore") as server:
        snapshots.same(snapshots.look(server), image)
    with SQLServer(config={"snapshots": {"location": str(tmp_path), "restore": True}}) as server:
        snapshots.same(snapshots.look(server), image)


def test_without_a_snapshot_only_the_one_that_must_have_one_does_not_start(tmp_path):
    assert str(tmp_path) in start_fails(EXIT_STORAGE, "--restore", tmp_path)
    with Server("--snapshots-location", str(tmp_path), "--snapshots-restore") as server:
        assert snapshots.log_names(server) == []
        assert "no snapshot" in server.log_text()
    for wrong in ("relative/path", "ftp://x", "s3:/bucket"):
        assert wrong in start_fails(EXIT_USAGE, "--restore", wrong)
    assert "snapshots.location" in start_fails(EXIT_USAGE, "--snapshots-restore")
    assert "snapshots.location" in start_fails(EXIT_USAGE, "--snapshots-interval", "1s")


def test_logs_that_are_there_already_are_not_touched(place, tmp_path):
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        server.append("one", ["mine"])
        image = snapshots.look(server)
    with SQLServer("--restore", str(place), mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        assert snapshots.look(server) == image
        assert "there are logs already" in server.log_text()


def test_a_damaged_snapshot_does_not_become_the_state_of_a_server(place, tmp_path):
    shutil.copytree(str(place), tmp_path / "there")
    pack, = (tmp_path / "there").rglob("*.pack")
    flip(pack, pack.stat().st_size // 2)
    for arguments in (("--restore", tmp_path / "there"),
                      ("--snapshots-location", tmp_path / "there", "--snapshots-restore"),
                      ("--restore", tmp_path / "there", "--data-dir", tmp_path / "data")):
        assert str(pack) in start_fails(EXIT_STORAGE, *arguments)
    # Nothing was begun in the directory.
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        assert snapshots.log_names(server) == []


def test_while_it_restores_a_server_is_alive_and_not_ready(place):
    with S3Server() as s3, FaultProxy(s3) as proxy:
        environment = s3.environment(proxy.url)
        with SQLServer(environment=environment) as server:
            snapshots.restore(server, place)
            snapshots.take(server, s3.location)
        proxy.add(Fault("stall", method="GET", path=r"\.pack", seconds=3))
        port = free_port()
        starting = Server("--restore", s3.location, "--port", str(port), environment=environment, is_awaited=False)
        starting.host, starting.port = "127.0.0.1", port
        try:
            wait_until(lambda: answers(starting, "/livez") == 200)
            wait_until(lambda: is_restoring(starting.call("GET", "/readyz")))
            answer = starting.call("GET", "/v1/logs/one/records")
            assert (answer.status, answer.code) == (503, "not_ready"), answer
            wait_until(lambda: starting.call("GET", "/readyz").status == 200, 90)
            snapshots.same(snapshots.look(starting), place.image)
        finally:
            starting.port = None
            starting.stop()


def is_restoring(answer) -> bool:
    """With how far it is."""
    return answer.status == 503 and answer.code == "not_ready" and \
        re.search(r"restoring a snapshot: \d+ of [1-9]\d* bytes", answer.detail) is not None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(server, path):
    with contextlib.suppress(OSError):
        return server.call("GET", path).status


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.02)


# By themselves

def test_periodic_snapshots_come_and_only_the_last_ones_stay(tmp_path):
    with SQLServer("--snapshots-location", str(tmp_path), "--snapshots-interval", "1s", "--snapshots-keep", "2") as server:
        server.append("log", [0])
        manual = take_patiently(server)
        wait_until(lambda: server.metrics().sum("pyralog_jobs_total", {"kind": "snapshot", "result": "complete"}) >= 5)
        deadline = time.monotonic() + 30
        while True:
            files = {file.name.removesuffix(".manifest") for file in (tmp_path / "snapshots").iterdir()
                     if file.name.endswith(".manifest")}
            listed = set(snapshots.complete_names(server))
            if files == listed and len(files) <= 3:
                break
            assert time.monotonic() < deadline, f"listed as complete and not there: {sorted(listed - files)}"
            time.sleep(0.05)
        assert manual["name"] in files and sum("-periodic-" in name for name in files) == len(files) - 1
        assert {one["name"] for one in snapshots.listed(server) if one["periodic"]} == files - {manual["name"]}
        server.append("log", [1])
        image = snapshots.look(server)
        count = server.metrics().sum("pyralog_jobs_total", {"kind": "snapshot", "result": "complete"})
        wait_until(lambda: server.metrics().sum("pyralog_jobs_total", {"kind": "snapshot", "result": "complete"}) > count + 1)
        server.kill()
    with SQLServer("--snapshots-location", str(tmp_path), "--snapshots-restore") as server:
        snapshots.same(snapshots.look(server), image)


def take_patiently(server, location=None, **options):
    """At a place where others are taken meanwhile."""
    deadline = time.monotonic() + 60
    body = ({"location": str(location)} if location else {}) | options
    while (answer := server.call("POST", "/v1/snapshots", body)).status == 503:
        assert answer.code == "overloaded" and "retry-after" in answer.headers, answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer.status == 202, answer
    return snapshots.completed(server, answer.headers["location"])


def test_a_periodic_snapshot_that_fails_is_told_and_the_next_one_comes(tmp_path):
    (tmp_path / "there").write_text("in its way")
    with Server("--snapshots-location", str(tmp_path / "there" / "below"), "--snapshots-interval", "1s") as server:
        server.call("POST", "/v1/logs/log/records", [1])
        failed = {"kind": "snapshot", "result": "failed"}
        wait_until(lambda: server.metrics().sum("pyralog_jobs_total", failed) >= 1)
        assert "periodic snapshot failed" in server.log_text() and str(tmp_path / "there") in server.log_text()
        reasons = [one["error"]["detail"] for one in snapshots.listed(server) if one["state"] == "failed"]
        assert reasons and all(str(tmp_path / "there") in reason for reason in reasons)
        (tmp_path / "there").unlink()
        wait_until(lambda: server.metrics().sum("pyralog_jobs_total", {"kind": "snapshot", "result": "complete"}) >= 1)
        assert server.metrics().sum("pyralog_snapshot_last_success_timestamp_seconds") > 0


# Places

def test_only_allowed_locations_may_be_named(tmp_path):
    allowed, other = tmp_path / "allowed", tmp_path / "allowed-not"
    allowed.mkdir(), other.mkdir()
    with S3Server() as s3, SQLServer(
            "--allowed-locations", f"{allowed},s3://bucket/inside", "--snapshots-location", str(tmp_path / "own"),
            environment=s3.environment()) as server:
        server.append("log", [1])
        for location in (allowed, allowed / "below", f"file://{allowed}", f"{allowed}//twice/", "s3://bucket/inside",
                         "s3://bucket/inside/below", tmp_path / "own"):
            snapshots.take(server, location)
        assert snapshots.take(server)["location"] == str(tmp_path / "own")
        for location in (other, tmp_path, "/", f"{allowed}/../allowed-not", f"{allowed}/./x", f"{allowed}/..",
                         f"{allowed}x", tmp_path / "own" / "below", "s3://bucket", "s3://bucket/inside-not",
                         "s3://bucket/inside/../x", "s3://bucket2/inside", "s3://", "relative", "", "file://host/x",
                         "file:///a%2Fb", "https://localhost/bucket", f"{allowed}/\0", "s3://bucket/inside?x"):
            for path, field in (("/v1/snapshots", "location"), ("/v1/restores", "location"), ("/v1/replays", "source")):
                answer = server.call("POST", path, {field: str(location)})
                assert answer.status in (400, 403), (path, location, answer)
                assert answer.code == "invalid_argument", answer
            if str(location) and "\0" not in str(location):
                for method, path in (("GET", "/v1/snapshots"), ("GET", "/v1/snapshots/20261128T173500123Z-1a2b3c4d"),
                                     ("DELETE", "/v1/snapshots/20261128T173500123Z-1a2b3c4d")):
                    answer = server.call(method, snapshots.at(path, location))
                    assert (answer.status, answer.code) == (400, "invalid_argument"), (path, location, answer)
        assert not list(other.iterdir()) and sorted(os.listdir(tmp_path)) == ["allowed", "allowed-not", "own"]


def test_links_below_a_location_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    with SQLServer() as server:
        server.append("log", [1])
        for link in ("packs", "snapshots"):
            location = tmp_path / f"linked-{link}"
            location.mkdir()
            (location / link).symlink_to(outside)
            error = snapshots.failed(server, snapshots.begin(server, location=str(location)),
                                     "store_refused", "invalid_argument", "snapshot_damaged")
            assert link in error["detail"] or str(location) in error["detail"], error
            assert list(outside.iterdir()) == []
            assert [path for path in location.rglob("*") if path.is_file()] == []


def test_the_servers_own_directory_is_no_place_for_snapshots(tmp_path):
    data = tmp_path / "data"
    with SQLServer(mode=modes.PERSISTENT, data=data) as server:
        server.append("log", [1])
        for location in (data, data / "wal", data / "new", tmp_path, f"{data}//new/"):
            refused(server, "/v1/snapshots", {"location": str(location)}, 400, "invalid_argument", "own")
    before = sorted(data.rglob("*"))
    for place in (data, data / "snapshots"):
        assert "snapshots.location" in start_fails(EXIT_USAGE, "--data-dir", data, "--snapshots-location", place)
    assert sorted(data.rglob("*")) == before


def test_a_link_to_the_servers_own_directory_is_no_place_either(tmp_path):
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        server.append("log", [1])
        (tmp_path / "link").symlink_to(tmp_path / "data")
        for location in (tmp_path / "link", tmp_path / "link" / "new"):
            answer = server.call("POST", "/v1/snapshots", {"location": str(location)})
            assert answer.status == 400, answer


# What is no request

def test_bad_requests_are_named(server, place):
    for path in ("/v1/snapshots", "/v1/restores", "/v1/replays", f"/v1/snapshots/{place.taken['name']}:restore"):
        refused(server, path, {"nonsense": 1}, 400, "unknown_field", "nonsense")
        refused(server, path, {"logs": "one"}, 400, "invalid_argument", "logs")
        refused(server, path, {"logs": [7]}, 400, "invalid_argument", "logs[0]")
        refused(server, path, {"logs": ["a/b"]}, 400, "invalid_argument", "logs[0]")
    for path in ("/v1/snapshots", "/v1/restores"):
        refused(server, path, {"location": 5}, 400, "invalid_argument", "location")
        # The server has no place of its own.
        refused(server, path, {}, 400, "invalid_argument", "location")
    refused(server, "/v1/restores", {"location": str(place), "rename": {"one": "../x"}}, 400, "invalid_argument",
            "rename")
    refused(server, "/v1/restores", {"location": str(place), "mode": "disk"}, 400, "invalid_argument", "mode")
    refused(server, "/v1/restores", {"location": str(place), "replace": "yes"}, 400, "invalid_argument", "replace")
    refused(server, "/v1/replays", {"source": str(place), "from": 10, "to": 10}, 400, "invalid_argument", "to")
    refused(server, "/v1/replays", {"source": str(place), "from": "yesterday"}, 400, "invalid_argument", "from")
    refused(server, "/v1/replays", {"source": str(place), "mode": "memory"}, 400, "unknown_field", "mode")
    answer = server.call("GET", f"/v1/snapshots?location={place}&extra=1")
    assert (answer.status, answer.code) == (400, "unknown_field"), answer


def test_what_is_not_there_is_404(server, place, tmp_path):
    for name in ("nobody", "20261128T173500123Z-1a2b3c4d", "..", "%2e%2e%2f%2e%2e", "x" * 200, "é",
                 place.taken["name"] + "x"):
        for method, path in (("GET", "/v1/snapshots/{}"), ("DELETE", "/v1/snapshots/{}"),
                             ("POST", "/v1/snapshots/{}:restore")):
            answer = server.call(method, snapshots.at(path.format(name.replace("é", "%C3%A9")), place))
            assert answer.status in ((404,) if name != ".." else (400, 404)), (method, name, answer)
    for method, path in (("GET", "/v1/restores/nobody"), ("DELETE", "/v1/restores/nobody"), ("GET", "/v1/replays/nobody"),
                         ("DELETE", "/v1/replays/nobody")):
        answer = server.call(method, path)
        assert (answer.status, answer.code) == (404, "snapshot_not_found"), answer
    refused(server, "/v1/restores", {"location": str(tmp_path / "none")}, 404, "snapshot_not_found", tmp_path)
    refused(server, "/v1/restores", {"location": str(place), "snapshot": "nobody"}, 404, "snapshot_not_found", "nobody")
    refused(server, "/v1/replays", {"source": str(tmp_path / "none")}, 404, "snapshot_not_found", tmp_path)
    assert snapshots.listed(server, tmp_path / "none") == [] and not (tmp_path / "none").exists()


# Ends before the end

@pytest.fixture
def held(bulky):
    """A server and a store whose answers can be held up."""
    with S3Server() as s3, FaultProxy(s3) as proxy, SQLServer(environment=s3.environment(proxy.url)) as server:
        snapshots.restore(server, bulky)
        yield server, s3, proxy


def test_a_snapshot_that_is_deleted_while_it_is_taken_has_failed_and_leaves_nothing(held):
    server, s3, proxy = held
    stall = proxy.add(Fault("stall", method="PUT", path=r"\.pack", nth=3, times=None, seconds=60))
    where = snapshots.begin(server, location=s3.location)
    name = where.rpartition("/")[2]
    wait_until(lambda: stall.done)
    assert snapshots.seen(server, where)["state"] == "running" and s3.keys()
    assert server.metrics().sum("pyralog_jobs_running", {"kind": "snapshot"}) == 1
    answer = server.call("POST", "/v1/snapshots", {"location": s3.location})
    assert (answer.status, answer.code) == (503, "overloaded"), answer
    assert server.call("DELETE", where).status == 204
    snapshots.failed(server, where, "job_cancelled")
    proxy.clear()
    assert snapshots.complete_names(server, s3.location) == []
    assert [key for key in s3.keys() if name in key] == []
    snapshots.take(server, s3.location)


@pytest.mark.parametrize("kind", ["restores", "replays"])
def test_a_load_that_is_cancelled_leaves_nothing(held, kind):
    server, s3, proxy = held
    snapshots.take(server, s3.location)
    image = snapshots.look(server, ["bulk-a"])
    stall = proxy.add(Fault("stall", method="GET", path=r"\.pack", nth=3, times=None, seconds=60))
    field = {"restores": "location", "replays": "source"}[kind]
    where = snapshots.begin(server, f"/v1/{kind}", **{field: s3.location}, replace=True)
    wait_until(lambda: stall.done)
    seen = snapshots.seen(server, where)
    assert seen["state"] == "running" and 0 < seen["bytes"] < seen["bytes_total"], seen
    assert server.call("DELETE", where).status == 204
    snapshots.failed(server, where, "job_cancelled")
    assert snapshots.look(server, ["bulk-a"]) == image
    assert server.call("DELETE", where).status == 204


@pytest.mark.parametrize("what", ["snapshot", "restore", "list"])
def test_a_server_that_is_stopped_meanwhile_ends_well(held, what):
    server, s3, proxy = held
    snapshots.take(server, s3.location)
    stall = proxy.add(Fault("stall", path="list-type" if what == "list" else "", times=None, seconds=60))
    if what == "list":
        with server.raw() as connection:
            connection.send(f"GET /v1/snapshots?location={s3.location} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            wait_until(lambda: stall.done)
            server.send_signal(signal.SIGTERM)
            server.process.wait(25)
    else:
        path = {"snapshot": "/v1/snapshots", "restore": "/v1/restores"}[what]
        if what == "restore":
            stall.path = r"\.pack"
        snapshots.begin(server, path, location=s3.location, **({"replace": True} if what == "restore" else {}))
        wait_until(lambda: stall.done)
        server.send_signal(signal.SIGTERM)
        server.process.wait(25)
    proxy.clear()
    with SQLServer("--restore", s3.location, environment=s3.environment()) as other:
        assert len(snapshots.log_names(other)) == 2


def test_a_server_that_is_stopped_while_it_starts_with_a_snapshot_ends_well(held):
    server, s3, proxy = held
    snapshots.take(server, s3.location)
    stall = proxy.add(Fault("stall", method="GET", path=r"\.pack", times=None, seconds=60))
    starting = Server("--restore", s3.location, environment=s3.environment(proxy.url), is_awaited=False)
    try:
        wait_until(lambda: stall.done)
        starting.send_signal(signal.SIGTERM)
        try:
            assert starting.process.wait(10) in (0, EXIT_STORAGE)
            starting._expected_exit = starting.process.returncode
        except subprocess.TimeoutExpired:
            starting.kill()
            raise AssertionError("SIGTERM is not heard while a snapshot is restored at the start") from None
    finally:
        starting.stop()


# A full disk

def test_a_full_disk_makes_a_snapshot_fail_and_nothing_of_it_stays(bulky, tmp_path):
    with disks.own(disks.memory_disk, tmp_path / "small", 30) as small, SQLServer() as server:
        snapshots.restore(server, bulky)
        # It is known before: it does not fit.
        error = snapshots.failed(server, snapshots.begin(server, location=str(small / "there")), "store_refused")
        assert "make room" in error["detail"] or "space" in error["detail"].lower(), error
        # It is not known before: somebody else fills it meanwhile.
        stop = threading.Event()

        def fill():
            with open(small / "ballast", "wb") as file:
                while not stop.is_set():
                    with contextlib.suppress(OSError):
                        file.write(b"x" * 65536)
                        file.flush()
                    if not [path for path in small.rglob("*.pack")]:
                        file.seek(0)

        filler = threading.Thread(target=fill)
        filler.start()
        try:
            snapshots.ended(server, snapshots.begin(server, location=str(small / "there"), logs=["bulk-a"]))
        finally:
            stop.set()
            filler.join()
        (small / "ballast").unlink()
        complete = snapshots.complete_names(server, small / "there")
        left = [path for path in (small / "there").rglob("*") if path.is_file()]
        assert complete or left == [], left
        (small / "ballast").write_bytes(b"x" * (20 * MiB))
        snapshots.failed(server, snapshots.begin(server, location=str(small / "other"), logs=["bulk-a"]), "store_refused")
        assert [path for path in (small / "other").rglob("*") if path.is_file()] == []
        (small / "ballast").unlink()
        if not complete:
            snapshots.take(server, small / "there", logs=["bulk-a"])
        with SQLServer() as other:
            snapshots.restore(other, small / "there")
            snapshots.same(snapshots.look(other), {"bulk-a": bulky.image["bulk-a"]})


# Damage

def flip(file, position):
    with open(file, "r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ 0x10]))


def harm(file, how):
    size = file.stat().st_size
    if how == "missing":
        file.unlink()
    elif how == "empty":
        os.truncate(file, 0)
    elif how == "cut":
        os.truncate(file, size // 2)
    elif how == "longer":
        with open(file, "ab") as opened:
            opened.write(b"\0" * 100)
    else:
        flip(file, {"begin": 5, "middle": size // 2, "end": size - 1}[how])


@pytest.mark.parametrize("how", ["begin", "middle", "end", "cut", "empty", "missing"])
@pytest.mark.parametrize("what", ["pack", "manifest"])
def test_damage_is_named_and_nothing_changes(server, place, tmp_path, what, how):
    cleared(server)
    server.append("one", ["mine"])
    before = snapshots.look(server)
    shutil.copytree(str(place), tmp_path / "there")
    file, = (tmp_path / "there").rglob(f"*.{what}")
    harm(file, how)
    answer = server.call("POST", "/v1/restores", {"location": str(tmp_path / "there"), "replace": True})
    if what == "manifest" and how == "missing":
        assert (answer.status, answer.code) == (404, "snapshot_not_found"), answer
    else:
        problem = answer.json() if answer.status != 202 else snapshots.failed(
            server, answer.headers["location"], "snapshot_damaged")
        assert problem["code"] == "snapshot_damaged" and str(file) in problem["detail"], problem
    assert snapshots.look(server) == before


def test_any_flipped_bit_is_noticed_or_does_not_matter(server, place, tmp_path):
    cleared(server)
    shutil.copytree(str(place), tmp_path / "there")
    dice = random.Random(7)
    noticed = 0
    for kind, count in (("pack", 60), ("manifest", 60)):
        file, = (tmp_path / "there").rglob(f"*.{kind}")
        for _ in range(count):
            position = dice.randrange(file.stat().st_size)
            flip(file, position)
            answer = server.call("POST", "/v1/restores", {"location": str(tmp_path / "there"), "replace": True})
            if answer.status == 202:
                job = snapshots.ended(server, answer.headers["location"])
                if job["state"] == "complete":
                    assert kind == "pack", "a manifest is not what it was"
                    snapshots.same(snapshots.look(server), place.image)
                else:
                    assert job["error"]["code"] == "snapshot_damaged", job
                    noticed += 1
            else:
                assert answer.code == "snapshot_damaged", answer
                noticed += 1
            flip(file, position)
    assert noticed > 100


def test_a_damaged_manifest_does_not_hide_the_others_nor_keep_new_ones_from_being_taken(tmp_path):
    with SQLServer() as server:
        server.append("log", [1])
        first = snapshots.take(server, tmp_path)
        server.append("log", [2])
        second = snapshots.take(server, tmp_path)
        image = snapshots.look(server)
    flip(tmp_path / "snapshots" / f"{second['name']}.manifest", 40)
    with SQLServer() as other:
        snapshots.restore(other, tmp_path, snapshot=first["name"])
        assert other.value("SELECT count(*) FROM log") == 1
        third = snapshots.take(other, tmp_path, logs=["log"])
        states = {one["name"]: one["state"] for one in snapshots.listed(other, tmp_path)}
        assert states[first["name"]] == states[third["name"]] == "complete" and states[second["name"]] == "failed"
        # It can be removed, and what it may have used stays.
        assert snapshots.delete(other, second["name"], tmp_path).status == 204
        assert snapshots.complete_names(other, tmp_path) == [first["name"], third["name"]]
        snapshots.restore(other, tmp_path, snapshot=first["name"], replace=True)
    assert image


# The executable as a client

@pytest.fixture
def pyralog(server):
    def run(*arguments, exit_code=0, url=None):
        ended = subprocess.run([str(binary()), *map(str, arguments), "--url", url or server.url], capture_output=True,
                               text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert ended.returncode == exit_code, ended
        assert (ended.stdout if exit_code else ended.stderr) == "", ended
        return ended.stderr if exit_code else ended.stdout
    return run


def test_the_commands(server, pyralog, tmp_path):
    cleared(server)
    server.append("log", [{"n": n} for n in range(10)])
    server.append("other", [1])
    said = pyralog("snapshot", tmp_path / "there")
    name, state, records, _, bytes_, _, location = said.split()
    assert (state, records, location) == ("complete", "11", str(tmp_path / "there")) and int(bytes_) > 0
    assert re.fullmatch(r"\d{8}T\d{9}Z-[0-9a-f]{8}", name)
    some = pyralog("snapshot", tmp_path / "some", "--logs", "other").split()[0]
    assert pyralog("snapshots", tmp_path / "there").split()[:2] == [name, "complete"]
    assert {line.split()[0] for line in pyralog("snapshots").splitlines()} >= {name, some}
    assert "log" in pyralog("restore", tmp_path / "there", exit_code=1)
    said = pyralog("restore", tmp_path / "there", "--snapshot", name, "--rename", "log=copy", "--logs", "log")
    assert said.split()[0] == "10" and name in said and said.split()[-1] == "copy"
    pyralog("restore", tmp_path / "there", "--replace", "--mode", "memory")
    said = pyralog("replay", tmp_path / "there", "--from", "0", "--to", "2100-01-01T00:00:00Z", "--logs", "log",
                   "--rename", "log=again")
    assert said.split()[0] == "10" and said.split()[-1] == "again"
    assert sorted(snapshots.log_names(server)) == ["again", "copy", "log", "other"]
    assert "data-dir" in pyralog("restore", tmp_path / "there", "--mode", "hybrid", "--rename", "log=x", "--rename",
                                 "other=y", exit_code=1)
    assert str(tmp_path / "none") in pyralog("restore", tmp_path / "none", exit_code=1)
    assert str(tmp_path / "none") in pyralog("replay", tmp_path / "none", exit_code=1)
    assert "location" in pyralog("snapshot", exit_code=1)
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in pyralog("snapshot", tmp_path / "file", exit_code=1)
    assert "old=new" in pyralog("restore", tmp_path / "there", "--rename", "log", exit_code=64)
    assert "127.0.0.1" in pyralog("snapshot", tmp_path, exit_code=1, url="http://127.0.0.1:1")


def test_a_snapshot_by_command_goes_on_without_it(held):
    server, s3, proxy = held
    stall = proxy.add(Fault("stall", method="PUT", path=r"\.pack", seconds=2))
    command = subprocess.Popen([str(binary()), "snapshot", s3.location, "--url", server.url], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    wait_until(lambda: stall.done)
    command.kill()
    command.communicate()
    where = "/v1/snapshots/" + server.call("GET", "/v1/snapshots").json()["snapshots"][-1]["name"]
    snapshots.completed(server, where)


def test_a_server_that_did_not_start_takes_no_snapshot(tmp_path):
    """It would be one of nothing, and the newest."""
    taking = ("--snapshots-location", str(tmp_path / "there"), "--snapshots-interval", "1h", "--snapshots-restore")
    with SQLServer(*taking) as server:
        server.append("log", [1, 2, 3])
        name = snapshots.take(server)["name"]
        before = sorted(path.name for path in (tmp_path / "there" / "snapshots").iterdir())
        second = Server(*taking, "--port", str(server.port), is_awaited=False)
        assert second.process.wait(20) == 69
        second._expected_exit = 69
        second.stop()
        assert sorted(path.name for path in (tmp_path / "there" / "snapshots").iterdir()) == before
    # The one that it took when it was stopped has all as well. Damaged, it holds up the start, and nothing comes after it.
    newest = max((tmp_path / "there" / "snapshots").iterdir())
    assert name not in newest.name
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    third = Server(*taking, is_awaited=False)
    assert third.process.wait(20) == EXIT_STORAGE
    third._expected_exit = EXIT_STORAGE
    third.stop()
    assert max((tmp_path / "there" / "snapshots").iterdir()) == newest
