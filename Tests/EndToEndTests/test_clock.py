"""The machine's clock jumps, an hour or a year, forward or back, and is set right again; the server is killed in between.

Nothing acknowledged is lost, no key that has expired comes back, and neither expiry nor the way to the disk stands still.
"""

import ctypes
import mmap
import pathlib
import subprocess
import threading
import time

import pytest

from support import modes
from support.server import Server

HOUR = 3_600_000
YEAR = 365 * 24 * HOUR
WRITERS = 4
LOG = "/v1/logs/l"
# Whatever the clock says, what takes longer stands still.
SECONDS_MAX = 20
# With columns of its own; of one that is read from disk only what is noted beside it is in memory.
SMALLEST_BATCH = 4096


class ShiftedClock:
    """The calendar of the servers that are started with its `environment`."""

    def __init__(self, directory):
        library = directory / "shifted_clock.so"
        source = pathlib.Path(__file__).parent / "support" / "shifted_clock.c"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        self._file = open(directory / "shift", "w+b")
        self._file.write(bytes(8))
        self._file.flush()
        self._shift = ctypes.c_int64.from_buffer(mmap.mmap(self._file.fileno(), 8))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIFT_FILE": self._file.name}

    def set(self, milliseconds):
        self._shift.value = milliseconds


@pytest.fixture
def clock(tmp_path):
    return ShiftedClock(tmp_path)


@pytest.fixture
def begin(tmp_path, clock):
    """Starts the first life; what a test that fails leaves running is killed."""
    lives = []

    def make(mode):
        lives.append(Life(tmp_path / "data", mode, clock))
        return lives[-1]

    yield make
    for life in lives:
        if life.server.process.poll() is None:
            life.server.kill()


class Life:
    """What was written over all lives of a server, and what has expired."""

    def __init__(self, data, mode, clock):
        self.mode = mode
        self.clock = clock
        self.data = data
        self.acknowledged = [{} for _ in range(WRITERS)]
        self.expired = set()
        # By key: to where the clock has to be turned for it to expire.
        self.deadlines = {}
        self.shift = 0
        self.start()
        hybrid = {"disk_after_ms": 200, "memory_ttl_ms": 400}
        answer = self.server.call("PUT", LOG, {"mode": mode, "compaction": "keys", "hybrid": hybrid})
        assert answer.status == 201, answer

    def start(self):
        self.server = Server(mode=modes.PERSISTENT, data=self.data, environment=self.clock.environment)

    def turn(self, shift):
        """The clock. What it lets expire stays gone, wherever it is turned then."""
        self.clock.set(shift)
        self.shift = shift
        self.expired |= {key for key, deadline in self.deadlines.items() if deadline <= shift}
        self.deadlines = {key: deadline for key, deadline in self.deadlines.items() if deadline > shift}

    def put(self, key, ttl_ms):
        assert self.server.call("PUT", f"{LOG}/keys/{key}?ttl_ms={ttl_ms}", b"1").status == 201
        self.deadlines[key] = self.shift + ttl_ms

    def write(self, seconds, meanwhile=lambda: None):
        """Each of some threads puts ascending numbers; something happens in the middle of it."""
        ending = threading.Event()
        refused = []

        def run(number):
            own = self.acknowledged[number]
            with self.server.connect() as connection:
                while not ending.is_set():
                    value = own.get("count", 0) + 1
                    answer = connection.call("PUT", f"{LOG}/keys/{number}-{value % 100}", str(value).encode())
                    if answer.status not in (200, 201):
                        refused.append(answer)
                        return
                    own["count"] = value
                    own[f"{number}-{value % 100}"] = value

        threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        meanwhile()
        time.sleep(seconds)
        ending.set()
        for thread in threads:
            thread.join()
        assert not refused, refused[0]

    def values(self):
        answer = self.server.call("GET", f"{LOG}/keys?limit=1000&values=true").json()
        assert not answer["has_more"]
        return {entry["key"]: entry.get("value", entry.get("value_text")) for entry in answer["keys"]}

    def check(self):
        found = {key: int(value) for key, value in self.values().items()}
        for key in self.expired:
            assert key not in found, f"{key} has come back"
            assert self.server.call("GET", f"{LOG}/keys/{key}").status == 404
        for own in self.acknowledged:
            for key, value in own.items():
                assert key == "count" or found[key] == value, (key, value, found.get(key))
        for key in self.deadlines:
            assert found.get(key) == 1, key

    def expire_soon(self, name):
        """One that is written now expires soon, and its memory comes back."""
        self.put(name, 300)
        self.wait(lambda: self.server.call("GET", f"{LOG}/keys/{name}").status == 404, f"{name} does not expire")
        self.expired.add(name)
        del self.deadlines[name]

    def move_to_disk(self):
        """All of a hybrid log leaves memory."""
        if self.mode == "hybrid":
            self.wait(lambda: self.memory()["payload"] < SMALLEST_BATCH, lambda: f"it stays in memory: {self.memory()}")

    def memory(self):
        return self.server.call("GET", "/v1/memory").json()["kinds"]

    def wait(self, check, what):
        deadline = time.monotonic() + SECONDS_MAX
        while not check():
            assert time.monotonic() < deadline, what() if callable(what) else what
            time.sleep(0.05)


@pytest.mark.parametrize("mode", ["persistent", "hybrid"])
@pytest.mark.parametrize("jump", [HOUR, -HOUR, YEAR, -YEAR], ids=["+1h", "-1h", "+1y", "-1y"])
def test_a_clock_that_jumps_loses_nothing_and_revives_nothing(begin, mode, jump):
    life = begin(mode)
    life.put("lasting", 3 * YEAR)
    life.put("between", HOUR // 2)
    life.expire_soon("before")
    life.write(0.3, lambda: life.turn(jump))
    # Twice while it runs, and twice while it does not.
    for step, shift in enumerate([jump, 0, jump, 0]):
        if step < 2:
            life.turn(shift)
        else:
            life.server.kill()
            life.server.stop()
            life.turn(shift)
            life.start()
        life.check()
        life.write(0.1)
        life.put(f"step{step}", HOUR // 2)
        life.expire_soon(f"soon{step}")
        life.move_to_disk()
        life.check()
        life.server.kill()
        life.server.stop()
        life.start()
        life.check()
    life.server.stop()
    assert life.server.process.returncode == 0


@pytest.mark.parametrize("mode", ["persistent", "hybrid"])
@pytest.mark.parametrize("jump", [HOUR, YEAR], ids=["1h", "1y"])
@pytest.mark.parametrize("is_killed", [False, True], ids=["running", "killed"])
def test_what_only_the_wrong_clock_let_expire_stays_gone_when_it_is_set_back(begin, mode, jump, is_killed):
    """Nothing is written behind the jump: the data do not say how late it was."""
    life = begin(mode)
    life.put("between", HOUR // 2)
    life.write(0.1)
    life.move_to_disk()
    life.turn(jump)
    life.check()
    # What is found expired within a second is on disk a second later.
    time.sleep(3)
    if is_killed:
        life.server.kill()
        life.server.stop()
    life.turn(0)
    if is_killed:
        life.start()
    life.check()
    life.server.stop()
