"""kill -9 at a call to the system: the Nth write, synchronisation, rename, removal or opening of a file by some thread.

Few of them at random, or as many in all as PYRALOG_CRASH_CYCLES says.
"""

import os
import pathlib
import random
import shutil
import signal

import pytest

from support import modes
from support.server import Server, ServerDied
from support.world import World
from test_crash import CYCLES, SEED, tell

# The calls, and how many of them a thread makes in a start and a few seconds of load. Renames are those of a start, of an
# end, and of checkpoints.
CALLS = {"pwrite64": 400, "fdatasync,fsync": 120, "rename,renameat,renameat2": 3, "unlink,unlinkat": 4, "openat": 120}
# Each start closes a file of the write-ahead log, so that a checkpoint comes now and then.
LIVES_A_DIRECTORY = 12

pytestmark = pytest.mark.timeout(max(300, CYCLES * 60))


class Traced:
    """A server under strace that is killed at a call, or is killed after a while."""

    def __init__(self, data, calls, number):
        inject = f"inject={calls}:signal=KILL:when={number}"
        self.wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject]
        self.data = data
        self.server = None

    def start(self) -> bool:
        """Whether it became ready before it was killed."""
        try:
            self.server = Server(mode=modes.PERSISTENT, data=self.data, wrapper=self.wrapper)
        except ServerDied as problem:
            assert f"exit {-signal.SIGKILL}" in str(problem), problem
            return False
        return True

    def end(self, seconds) -> bool:
        """Waits. Whether it was killed at the call."""
        at_the_call = self.server.is_killed(seconds)
        if not at_the_call:
            tracer = self.server.process.pid
            child = pathlib.Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()[0]
            os.kill(int(child), signal.SIGKILL)
            assert self.server.is_killed(30)
        return at_the_call


@pytest.mark.parametrize("calls", CALLS, ids=lambda calls: calls.partition(",")[0])
def test_killed_at_any_call_it_recovers(tmp_path, calls):
    generator = random.Random(f"{SEED} {calls}")
    lives = max(2, CYCLES // len(CALLS))
    starts_killed = loads_killed = 0
    figures = {}
    for first in range(0, lives, LIVES_A_DIRECTORY):
        data = tmp_path / f"data{first}"
        world = World(f"{SEED}-{calls.partition(',')[0]}-{first}")
        with Server(mode=modes.PERSISTENT, data=data) as server:
            world.prepare(server)
        for _ in range(min(LIVES_A_DIRECTORY, lives - first)):
            traced = Traced(data, calls, generator.randint(1, CALLS[calls]))
            if traced.start():
                with traced.server as server:
                    ends = []
                    world.live(server, lambda: ends.append(traced.end(2)))
                    loads_killed += ends[0]
            else:
                starts_killed += 1
            with Server(mode=modes.PERSISTENT, data=data) as server:
                world.check(server)
                server.kill()
        for name, figure in world.figures().items():
            figures[name] = figures.get(name, 0) + figure
        shutil.rmtree(data)
    tell(f"killed at {calls}", at_start=starts_killed, under_load=loads_killed, **figures)
