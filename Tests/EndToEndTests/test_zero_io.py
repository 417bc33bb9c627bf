"""In memory mode the disk is not touched: not one file is opened, written or synchronised under load.

PYRALOG_ZERO_IO_SECONDS says for how long; a minute of `scripts/torture --crash`, a few seconds otherwise.
"""

import os
import re
import subprocess
import threading
import time

import pytest

from support import modes
from support.sql import SQLServer
from support.world import World, after
from test_crash import SEED, tell

SECONDS = float(os.environ.get("PYRALOG_ZERO_IO_SECONDS", "4"))
CALLS = ("%file,write,writev,pwrite64,pwritev,pwritev2,sendfile,splice,copy_file_range,fallocate,ftruncate,fsync,fdatasync,"
         "sync,syncfs,sync_file_range,io_uring_setup,io_uring_enter")
# What is no disk: what processes tell each other, and what the kernel tells about itself.
ELSEWHERE = re.compile(r"\(\d+<(socket|pipe|anon_inode|TCP|UNIX)|\"/(proc|sys)/|\(\d+</(proc|sys)/")

pytestmark = pytest.mark.timeout(max(300, SECONDS * 4))


def traced(server, work) -> list[str]:
    """The calls that may reach a disk, of all threads of a server, while `work()` runs. Its log is no part of it."""
    file = server.directory / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-y", "-o", str(file), "-e", f"trace={CALLS}", "-p", str(server.process.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        assert "attached" in tracer.stderr.readline()
        work()
    finally:
        tracer.terminate()
        tracer.wait(30)
    calls = [line.split(maxsplit=1)[1] for line in file.read_text(errors="replace").splitlines()]
    log = f"(2<{server.log_path}"
    return [call for call in calls if re.match(r"\w+\(", call) and not ELSEWHERE.search(call) and log not in call]


def written_bytes(server) -> int:
    """What the kernel says that the process caused to be written to disks."""
    with open(f"/proc/{server.process.pid}/io") as file:
        return int(re.search(r"^write_bytes: (\d+)$", file.read(), re.MULTILINE)[1])


def load(server, world):
    """Everything that writes, and queries beside it."""
    stop = threading.Event()
    counts = []

    def ask():
        while not stop.is_set():
            counts.append(server.value("SELECT count(*) FROM history"))
            server.rows("SELECT pad, count(*) FROM log_records('batches') GROUP BY ALL ORDER BY ALL LIMIT 10")

    thread = threading.Thread(target=ask)
    thread.start()
    world.live(server, after(SECONDS))
    stop.set()
    thread.join(60)
    assert counts and counts[-1] > 0


def prepared(server) -> World:
    world = World(SEED)
    world.prepare(server)
    server.value("SELECT 1")
    time.sleep(0.2)
    return world


def test_memory_mode_does_not_touch_the_disk():
    with SQLServer() as server:
        world = prepared(server)
        before = written_bytes(server)
        log_bytes = server.log_path.stat().st_size
        calls = traced(server, lambda: load(server, world))
        assert calls == []
        assert written_bytes(server) - before <= max(0, server.log_path.stat().st_size - log_bytes) + 4096
        world.check(server)
        tell("no disk in memory mode", seconds=SECONDS, calls=len(calls), **world.figures())


def test_persistent_mode_is_seen_to_touch_it():
    """That the test above would see it."""
    with SQLServer(mode=modes.PERSISTENT) as server:
        world = prepared(server)
        calls = traced(server, lambda: load(server, world))
        seen = {call.partition("(")[0] for call in calls}
        assert {"pwrite64", "fdatasync"} <= seen, seen
