"""Full disks, directories that are taken, damaged files: an answer that says what to do, never a wrong one."""

import contextlib
import re
import shutil
import subprocess
import time

import pytest

from support import disks, modes
from support.server import Server, binary, clean_environment
from support.world import World, after
from test_crash import SEED, tell

MiB = 1 << 20
# Files of the write-ahead log have 64 MiB and are made one ahead: room for two, for a checkpoint, and for what is filled.
DISK_MEGABYTES = 420
BALLAST = 100 * MiB
EXIT_STORAGE = 74
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def small_disk(tmp_path):
    with disks.own(disks.memory_disk, tmp_path / "small", DISK_MEGABYTES) as place:
        yield place


def serve(data, *arguments):
    """A server that must not start: its end."""
    return subprocess.run([str(binary()), "serve", "--port", "0", "--data-dir", str(data), *arguments],
                          capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, env=clean_environment())


def refused(data):
    """What is said when it does not start for what it finds in the directory."""
    ended = serve(data)
    assert ended.returncode == EXIT_STORAGE and ended.stdout == "", ended
    assert "Fatal error" not in ended.stderr, ended
    return ended.stderr


# A full disk

def fill(server):
    """Until a write is refused; returns its answer."""
    with server.connect() as connection:
        for _ in range(DISK_MEGABYTES):
            answer = connection.call("POST", "/v1/logs/filler/records", b"\xff" * (4 * MiB), {"Content-Type": "image/x"})
            if answer.status != 201:
                return answer
    raise AssertionError("the disk is never full")


def wait_until_written(server, seconds=30):
    deadline = time.monotonic() + seconds
    while (answer := server.call("PUT", "/v1/logs/a/keys/after", b"1")).status == 507:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    assert answer.status in (200, 201), answer


def test_a_full_disk_refuses_writes_until_there_is_room(small_disk):
    # What is alive has to fit into what is free when the disk is full: a checkpoint is written there, and makes room.
    world = World(SEED, is_bulky=False)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * BALLAST)
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        world.prepare(server)
        world.live(server, after(0.5))
        for key in ("a", "b"):
            assert server.call("PUT", f"/v1/logs/a/keys/{key}", b"1").status == 201
        answer = fill(server)
        assert answer.status == 507 and answer.code == "disk_full", answer
        assert answer.json()["applied"] == "no" and answer.json()["retryable"] is True, answer
        answer = server.call("POST", "/v1/transactions", {"then": [{"append": {"log": "filler", "value": "x" * MiB}}]})
        assert answer.status == 507 and answer.code == "disk_full", answer
        # Reads and deletes work, and logs in memory are not touched.
        world.check(server)
        assert server.call("GET", "/v1/logs/a/keys/a").body == b"1"
        assert server.call("DELETE", "/v1/logs/a/keys/b").status == 204
        assert server.call("PUT", "/v1/logs/fleeting", {"mode": "memory"}).status in (201, 507)
        assert server.call("GET", "/livez").status == 200
        world.live(server, after(0.5))
        ballast.unlink()
        wait_until_written(server)
        world.live(server, after(0.5, server.kill))
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/b").status == 404
        assert server.call("GET", "/v1/logs/a/keys/after").body == b"1"
        # What is in doubt is sent again, for which there has to be room.
        assert server.call("DELETE", "/v1/logs/filler").status == 204
        wait_until_written(server)
        world.check(server)
    tell("a full disk", **world.figures())


def test_a_log_that_is_deleted_makes_room(small_disk):
    (small_disk / "ballast").write_bytes(b"x" * BALLAST)
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        server.call("PUT", "/v1/logs/a/keys/a", b"1")
        assert fill(server).status == 507
        assert server.call("DELETE", "/v1/logs/filler").status == 204
        wait_until_written(server)
        server.kill()
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        assert server.call("GET", "/v1/logs/filler").status == 404
        assert server.call("GET", "/v1/logs/a/keys/after").body == b"1"


def test_killed_while_the_disk_is_full_it_starts_once_there_is_room(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * BALLAST)
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        server.call("PUT", "/v1/logs/a/keys/a", b"1")
        assert fill(server).status == 507
        tail = server.call("GET", "/v1/logs/filler").json()["stats"]["partitions"][0]["tail"]
        server.kill()
    # What is kept in reserve is enough to start with: reads work.
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/a").body == b"1"
        assert fill(server).status == 507
        server.kill()
    ballast.unlink()
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/a").body == b"1"
        assert server.call("GET", "/v1/logs/filler").json()["stats"]["partitions"][0]["tail"] == tail
        wait_until_written(server)


# Directories

def test_a_second_server_on_a_directory_is_refused(tmp_path):
    with Server(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        assert re.search(r"another process .*directory", refused(tmp_path / "data"))
        assert server.call("PUT", "/v1/logs/a/keys/k", b"1").status == 201
        server.kill()
    with Server(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/k").body == b"1"


def test_a_directory_that_cannot_be_made_or_written_is_named(tmp_path, small_disk):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(tmp_path / "file" / "data")
    assert str(tmp_path / "file") in refused(tmp_path / "file")
    disks.run("mount", "-o", "remount,ro", small_disk)
    assert str(small_disk / "data") in refused(small_disk / "data")


def test_a_directory_that_has_become_read_only_is_named(small_disk):
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        server.call("PUT", "/v1/logs/a/keys/k", b"1")
        server.kill()
    disks.run("mount", "-o", "remount,ro", small_disk)
    assert str(small_disk / "data") in refused(small_disk / "data")
    disks.run("mount", "-o", "remount,rw", small_disk)
    with Server(mode=modes.PERSISTENT, data=small_disk / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/k").body == b"1"


# Damaged files

LAST = "behind the checkpoint, twice 99"


def append(server, text, count=100):
    with server.connect() as connection:
        for number in range(count):
            assert connection.call("POST", "/v1/logs/a/records", f"{text} {number}", TEXT).status == 201


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A directory with a checkpoint, a segment, and two files of the write-ahead log behind it; the last begins with a frame
    that the one before has as well."""
    data = tmp_path_factory.mktemp("written") / "data"
    texts = iter(["behind the checkpoint", LAST.rpartition(" ")[0]])
    for life in range(20):
        with Server(mode=modes.PERSISTENT, data=data) as server:
            # Each start closes a file of the write-ahead log; some of them make a checkpoint due.
            time.sleep(0.3)
            text = next(texts) if (data / "checkpoint").exists() else f"life {life}"
            append(server, text)
            server.kill()
        if text == LAST.rpartition(" ")[0]:
            return data
    raise AssertionError("there is never a checkpoint")


def flip(file, position):
    with open(file, "r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ 0x10]))


def place_of(file, start=0):
    """In the middle of what was written to a file that zeros follow."""
    data = file.read_bytes().rstrip(b"\0")
    return start + (len(data) - start) // 2 if data else None


def file_of(data, kind):
    """One that is needed."""
    if kind == "segment":
        return max((data / "segments").iterdir(), key=lambda path: path.stat().st_size)
    used = [path for path in sorted((data / "wal").iterdir()) if place_of(path)]
    return used[0] if kind == "first of the write-ahead log" else used[-1]


KINDS = ["first of the write-ahead log", "last of the write-ahead log", "segment"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_in_a_file_is_named_and_nothing_is_served(written, tmp_path, kind):
    data = tmp_path / "data"
    shutil.copytree(written, data)
    file = file_of(data, kind)
    # In the header; of the write-ahead log, also in the header and the content of the first frame; somewhere behind.
    places = {6, place_of(file, 64)} | ({66, 130} if "log" in kind else set())
    for place in sorted(places):
        flip(file, place)
        complaint = refused(data)
        named = re.search(re.escape(str(file)) + r", at byte (\d+): \S", complaint)
        assert named and int(named[1]) <= place, (file, place, complaint)
        flip(file, place)
    # Nothing was changed: the bits turned back, everything is there.
    with Server(mode=modes.PERSISTENT, data=data) as server:
        assert server.call("GET", "/v1/logs/a/records?last=1").json()["records"][0]["value_text"] == LAST


@pytest.mark.parametrize("harm", ["missing", "cut"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_missing_or_cut_is_named(written, tmp_path, kind, harm):
    data = tmp_path / "data"
    shutil.copytree(written, data)
    file = file_of(data, kind)
    if harm == "missing":
        file.unlink()
    else:
        with open(file, "r+b") as opened:
            opened.truncate(file.stat().st_size // 2)
    assert str(data) in refused(data)


def harm_file(file, harm):
    if harm == "missing":
        file.unlink()
    elif harm == "cut":
        with open(file, "r+b") as opened:
            opened.truncate(file.stat().st_size // 2)
    else:
        flip(file, file.stat().st_size // 2)


@pytest.mark.parametrize("harm", ["flipped", "cut", "missing"])
@pytest.mark.parametrize("name", ["checkpoint", "checkpoint.copy"])
def test_either_file_of_the_checkpoint_makes_up_for_the_other(written, tmp_path, name, harm):
    data = tmp_path / "data"
    shutil.copytree(written, data)
    harm_file(data / name, harm)
    with Server(mode=modes.PERSISTENT, data=data) as server:
        assert server.call("GET", "/v1/logs/a/records?last=1").json()["records"][0]["value_text"] == LAST
        if harm != "missing":
            assert str(data / name) in server.log_text()


@pytest.mark.parametrize("harm", ["flipped", "cut"])
def test_a_checkpoint_that_is_damaged_in_both_files_is_named(written, tmp_path, harm):
    data = tmp_path / "data"
    shutil.copytree(written, data)
    for name in ["checkpoint", "checkpoint.copy"]:
        harm_file(data / name, harm)
    assert str(data / "checkpoint") in refused(data)


def test_a_page_that_cannot_be_read_any_more_ends_the_server_and_names_the_file(tmp_path):
    data = tmp_path / "data"
    with Server("--max-memory", "32MiB", mode=modes.PERSISTENT, data=data) as server:
        for _ in range(300):
            assert server.call("POST", "/v1/logs/a/records", b"\xff" * (MiB // 4), {"Content-Type": "image/x"}).status == 201
        segments = sorted((data / "segments").iterdir())
        for segment in segments:
            with open(segment, "r+b") as opened:
                opened.truncate(4096)
        with contextlib.suppress(OSError):
            for offset in range(300):
                server.call("GET", f"/v1/logs/a/records?offset={offset}&limit=1")
        server.end(EXIT_STORAGE)
        assert any(str(segment) in server.log_text() for segment in segments), server.log_text()
    assert str(data) in refused(data)


# Descriptors

def test_without_descriptors_writes_go_on_when_there_are_some_again(tmp_path):
    with Server(mode=modes.PERSISTENT, data=tmp_path / "data", wrapper=["prlimit", "--nofile=100:100"]) as server:
        with server.connect() as writer:
            assert writer.call("PUT", "/v1/logs/a/keys/k", b"1").status == 201
            crowd = []
            try:
                for _ in range(150):
                    crowd.append(server.raw(timeout=5))
            except OSError:
                pass
            # More than one file of the write-ahead log.
            statuses = [writer.call("POST", "/v1/logs/a/records", b"\xff" * (8 * MiB), {"Content-Type": "image/x"}).status
                        for _ in range(20)]
            for connection in crowd:
                connection.close()
        deadline = time.monotonic() + 30
        while server.call("PUT", "/v1/logs/a/keys/k", b"2").status not in (200, 201):
            assert time.monotonic() < deadline, "no write succeeds"
            time.sleep(0.2)
        assert server.call("GET", "/readyz").status == 200
        server.kill()
    with Server(mode=modes.PERSISTENT, data=tmp_path / "data") as server:
        assert server.call("GET", "/v1/logs/a/keys/k").body == b"2"
        tail = server.call("GET", "/v1/logs/a").json()["stats"]["partitions"][0]["tail"]
        assert tail >= 2 + statuses.count(201)
