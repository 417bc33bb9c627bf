"""A part of scripts/bench-disk: a log changes its mode in each direction while four write and two read at a steady rate.

What was acknowledged is compared with what is there, also after a kill; how long calls took is told of three times: before
the change, during it, and behind it, where batches still move.
"""
import array
import collections
import http.client
import itertools
import json
import math
import multiprocessing
import random
import shutil
import sys
import time

MODES = ("memory", "persistent", "hybrid")
DIRECTIONS = list(itertools.permutations(MODES, 2))
WRITERS, READERS = 4, 2
# By each. A call that is due while the one before it is under way counts from when it was due.
RATE = 100
VALUE_BYTES = 1024
BATCH = 1000
PAGE = 5000
LOG = "/v1/logs/l"
# Hybrid logs move at once, so that there is something to be brought back, or to be moved under the same load.
CONFIG = {"compaction": "keys", "hybrid": {"disk_after_ms": 2000, "memory_ttl_ms": 2000}}
MEMORY, DISK = 0, 1
JSON = {"Content-Type": "application/json"}


def value_of(number):
    head = f'{{"n":{number},"pad":"'
    return head + "x" * (VALUE_BYTES - len(head) - 2) + '"}'


def key_of(number):
    return f"k{number:07}"


class Connection:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def call(self, method, path, body=None, headers={}):
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def json(self, method, path, body=None, headers={}, statuses=(200, 201, 202)):
        status, content = self.call(method, path, body, headers)
        if status not in statuses:
            sys.exit(f"bench-disk: {method} {path}: {status} {content[:400]!r}")
        return json.loads(content)


class Rows:
    """By offset, what was acknowledged: the key's number, or -1, the value's number, and from where it was acknowledged."""

    def __init__(self):
        self.rows = {}
        # Sent and not answered: (key, value).
        self.doubts = set()

    def note(self, offset, key, number, level):
        assert offset not in self.rows, f"offset {offset} was given twice"
        self.rows[offset] = (key, number, level)

    def forget_from(self, tail):
        for offset in [offset for offset in self.rows if offset >= tail]:
            del self.rows[offset]


# Load

def fill(port, mebibytes, rows):
    """Half of it under keys."""
    connection = Connection(port)
    count = (mebibytes << 20) // VALUE_BYTES
    for first in range(0, count, 2 * BATCH):
        keys = range(first // 2, first // 2 + BATCH)
        entries = ",".join(f'{{"key":"{key_of(key)}","value":{value_of(first + i)}}}' for i, key in enumerate(keys))
        answer = connection.json("POST", f"{LOG}/records:batch", f'{{"records":[{entries}]}}', JSON)
        note_batch(rows, answer, [(key, first + i) for i, key in enumerate(keys)])
        numbers = range(first + BATCH, first + 2 * BATCH)
        lines = "".join(value_of(number) + "\n" for number in numbers)
        answer = connection.json("POST", f"{LOG}/records", lines, {"Content-Type": "application/x-ndjson"})
        note_batch(rows, answer, [(-1, number) for number in numbers])
    return math.ceil(count / (2 * BATCH)) * BATCH


def note_batch(rows, answer, entries):
    level = DISK if answer["ack"]["achieved"] == "disk" else MEMORY
    offsets = itertools.chain.from_iterable(range(part["start"], part["end"]) for part in answer["ranges"])
    for offset, (key, number) in zip(offsets, entries, strict=True):
        rows.note(offset, key, number, level)


def steadily(stop, call):
    """Calls at the rate until told to stop, or the server is gone. Returns (due, done) of each."""
    times = array.array("d")
    due = time.monotonic() + random.random() / RATE
    while not stop.is_set():
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        try:
            call()
        except (OSError, http.client.HTTPException):
            break
        times.extend((due, time.monotonic()))
        due += 1 / RATE
    return times


def write(port, stop, pipe, writer, keys, number):
    """Every second one a key that it has for itself, the others records without a key."""
    connection = Connection(port)
    noted, doubt = [], None
    numbers = itertools.count(number, WRITERS)

    def call():
        nonlocal doubt
        number = next(numbers)
        turn = number // WRITERS
        key = (turn // 2 % keys) * WRITERS + writer if turn % 2 else -1
        doubt = (key, number)
        if key >= 0:
            answer = connection.json("PUT", f"{LOG}/keys/{key_of(key)}", value_of(number), JSON)
            offset = answer["offset"]
        else:
            answer = connection.json("POST", f"{LOG}/records", value_of(number), JSON)
            offset = answer["ranges"][0]["start"]
        noted.append((offset, key, number, DISK if answer["ack"]["achieved"] == "disk" else MEMORY))
        doubt = None

    times = steadily(stop, call)
    pipe.send((times, noted, doubt))


def read(port, stop, pipe, reader, keys, tail):
    """By turns the newest of a key and what lies at an offset."""
    connection = Connection(port)
    generator = random.Random(reader)
    wrong = []
    turn = itertools.count()

    def call():
        if next(turn) % 2:
            key = generator.randrange(keys)
            status, content = connection.call("GET", f"{LOG}/keys/{key_of(key)}")
            if status != 200 or len(content) != VALUE_BYTES:
                wrong.append(f"{key_of(key)}: {status} {content[:200]!r}")
        else:
            offset = generator.randrange(tail)
            status, content = connection.call(
                "GET", f"{LOG}/records?offset={offset}&limit=1", headers={"Accept": "application/x-ndjson"})
            if status != 200 or len(content) < VALUE_BYTES:
                wrong.append(f"offset {offset}: {status} {content[:200]!r}")

    times = steadily(stop, call)
    pipe.send((times, wrong))


def idle(port, stop, pipe):
    """What the machine itself takes: a process that has nothing to do but to be there when it is due."""
    pipe.send((steadily(stop, lambda: None),))


class Load:
    """Those who write and read, and one who does nothing, each a process of its own."""

    def __init__(self, port, rows, keys, number):
        self.rows = rows
        self.stop = multiprocessing.Event()
        self.ends = []
        for writer in range(WRITERS):
            self.start(write, port, writer, min(2000, keys // WRITERS), number + writer)
        for reader in range(READERS):
            self.start(read, port, reader, keys, max(rows.rows) + 1)
        self.start(idle, port)

    def start(self, target, port, *arguments):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.Process(target=target, args=(port, self.stop, theirs, *arguments))
        process.start()
        self.ends.append((target, process, ours))

    def end(self):
        """Returns (due, done) of all writes, of all reads, and of who does nothing."""
        self.stop.set()
        times = {write: [], read: [], idle: []}
        for target, process, pipe in self.ends:
            measured, *rest = pipe.recv()
            process.join()
            times[target] += zip(measured[::2], measured[1::2])
            if target is read and rest[0]:
                sys.exit(f"bench-disk: a reader was told what is not so: {rest[0][0]}")
            if target is write:
                for row in rest[0]:
                    self.rows.note(*row)
                if rest[1]:
                    self.rows.doubts.add(rest[1])
        return times


# Comparing

def compare(port, rows, keeps_all):
    """All that is there with all that was acknowledged.

    `keeps_all` is false of a log of which a crash leaves what was on disk: the tail may be gone, and is forgotten then, but
    nothing before it. Returns how many were compared.
    """
    connection = Connection(port)
    stats = connection.json("GET", LOG)["stats"]["partitions"][0]
    tail = stats["tail"]
    lost = [offset for offset, row in rows.rows.items() if offset >= tail]
    if lost:
        if keeps_all:
            sys.exit(f"bench-disk: {len(lost)} acknowledged rows are gone, from {min(lost)} on; the tail is {tail}")
        rows.forget_from(tail)
    found = {}
    offset = 0
    while offset < tail:
        _, content = connection.call("GET", f"{LOG}/records?offset={offset}&limit={PAGE}&clamp=true",
                                     headers={"Accept": "application/x-ndjson"})
        lines = content.splitlines()
        for line in lines:
            record = json.loads(line)
            found[record["offset"]] = (int(record["key"][1:]) if "key" in record else -1, record["value"]["n"])
            assert len(record["value"]["pad"]) > VALUE_BYTES - 40
        if not lines:
            break
        offset = json.loads(lines[-1])["offset"] + 1
    newest = {}
    for offset, (key, number) in found.items():
        known = rows.rows.get(offset)
        if known is None:
            if (key, number) not in rows.doubts:
                sys.exit(f"bench-disk: at {offset} is {number} of key {key}, which nobody sent")
            rows.doubts.discard((key, number))
            rows.rows[offset] = (key, number, MEMORY)
        elif known[:2] != (key, number):
            sys.exit(f"bench-disk: at {offset} is {number} of key {key}, not {known}")
        if key >= 0:
            newest[key] = max(offset, newest.get(key, -1))
    rows.doubts.clear()
    expected = {}
    for offset, (key, number, _) in rows.rows.items():
        if key < 0:
            if offset not in found:
                sys.exit(f"bench-disk: the record {number} that was acknowledged at {offset} is gone")
        elif offset > expected.get(key, (-1,))[0]:
            expected[key] = (offset, number)
    compare_keys(connection, expected, newest)
    return len(rows.rows)


def compare_keys(connection, expected, newest):
    for key, (offset, number) in expected.items():
        if newest.get(key) != offset:
            sys.exit(f"bench-disk: key {key} is acknowledged at {offset}; its newest record is at {newest.get(key)}")
    keys = list(expected)
    for first in range(0, len(keys), BATCH):
        some = keys[first:first + BATCH]
        body = json.dumps({"keys": [key_of(key) for key in some]})
        for key, result in zip(some, connection.json("POST", f"{LOG}/keys:get", body, JSON)["results"], strict=True):
            if not result["found"] or (result["offset"], result["value"]["n"]) != expected[key]:
                sys.exit(f"bench-disk: key {key} should be {expected[key]}; it is {str(result)[:300]}")


# One change

def wait_until(connection, check, seconds=180):
    limit = time.monotonic() + seconds
    while True:
        log = connection.json("GET", LOG)
        if check(log):
            return log
        if time.monotonic() > limit:
            sys.exit(f"bench-disk: it does not come to an end: {log}")
        time.sleep(0.02)


def is_moved(log):
    """Nothing but what is being filled is in memory."""
    tiers = log["stats"]["partitions"][0]["bytes"]
    return tiers["memory"] < (64 << 20) and tiers["disk"] > 0


def quantiles(times, begin, end):
    """Of calls that were under way at some time in between, in milliseconds: (count, p50, p99, max)."""
    took = sorted((done - due) * 1000 for due, done in times if done >= begin and due < end)
    if not took:
        return (0, math.nan, math.nan, math.nan)
    return (len(took), took[len(took) // 2], took[min(len(took) - 1, len(took) * 99 // 100)], took[-1])


Change = collections.namedtuple("Change", "before after seconds quantiles compared killed")


def change(make_server, directory, before, after, mebibytes, seconds):
    server = make_server(directory)
    rows = Rows()
    server.log("l", **CONFIG, mode=before)
    keys = fill(server.port, mebibytes, rows)
    count = 2 * keys
    connection = Connection(server.port)
    if before == "hybrid":
        wait_until(connection, is_moved)
    load = Load(server.port, rows, keys, count)
    # Whoever begins needs a moment.
    time.sleep(1)
    begin = time.monotonic()
    time.sleep(seconds)
    asked = time.monotonic()
    connection.json("PATCH", LOG, json.dumps({"mode": after}), {"Content-Type": "application/merge-patch+json"}, (202,))
    log = wait_until(connection, lambda log: log.get("transition", {}).get("state") != "running")
    done = time.monotonic()
    if "transition" in log or log["config"]["mode"] != after:
        sys.exit(f"bench-disk: from {before} to {after}: {log}")
    time.sleep(seconds)
    if after == "hybrid":
        wait_until(connection, is_moved)
    end = time.monotonic()
    settled = max(done, asked + 1)
    windows = ((begin, asked), (asked, settled), (settled, end))
    times = load.end()
    compared = compare(server.port, rows, keeps_all=True)
    killed = kill_and_compare(make_server, directory, server, rows, keys, count + (1 << 30), before, after)
    shutil.rmtree(directory)
    measured = {name: [quantiles(times[kind], *window) for window in windows]
                for name, kind in (("writes", write), ("reads", read), ("nothing", idle))}
    return Change(before, after, done - asked, measured, compared, killed)


def kill_and_compare(make_server, directory, server, rows, keys, number, before, after):
    """The load goes on and ends with kill -9. Returns how many were compared behind it, and how many were gone."""
    load = Load(server.port, rows, keys, number)
    time.sleep(2)
    server.end(9)
    load.end()
    acknowledged = list(rows.rows)
    again = make_server(directory)
    log = Connection(again.port).json("GET", LOG)
    if log["config"]["mode"] != after:
        sys.exit(f"bench-disk: it was killed as {after} and is {log['config']['mode']}")
    tail = log["stats"]["partitions"][0]["tail"]
    if after == "memory":
        if tail:
            sys.exit(f"bench-disk: of a log in memory there are {tail} rows behind a crash")
        compared = 0
    else:
        lost = [offset for offset, row in rows.rows.items() if offset >= tail and row[2] == DISK]
        if lost:
            sys.exit(f"bench-disk: {len(lost)} rows that were acknowledged from disk are gone, from {min(lost)} on")
        compared = compare(again.port, rows, keeps_all=after == "persistent")
    again.end(15)
    return compared, sum(1 for offset in acknowledged if offset >= tail)


def show(changes, mebibytes, seconds):
    print(f"\nchange of mode of a log of {mebibytes} MiB under load: {WRITERS} write and {READERS} read, {RATE} calls a second "
          f"each, values of {VALUE_BYTES} bytes; 'nothing' is a process that only wakes as often\nmilliseconds: p50 / p99 / max of the {seconds} s before, of the change but at least 1 s, "
          f"and of {seconds} s and more behind it\n"
          f"{'direction':>24} {'took':>8}  {'':>7} {'before':>24} {'during':>24} {'(calls)':>9} {'behind':>24}")
    for row in changes:
        head = f"{row.before + ' to ' + row.after:>24} {row.seconds:>6.2f} s"
        for name, windows in row.quantiles.items():
            cells = [" / ".join(format(x, ".2f") for x in window[1:]) if window[0] else "—" for window in windows]
            print(f"{head}  {name:>7} {cells[0]:>24} {cells[1]:>24} {windows[1][0]:>9} {cells[2]:>24}")
            head = " " * 33
    print("\nacknowledged rows compared with what is there: afterwards; behind kill -9; gone by it")
    for row in changes:
        print(f"{row.before + ' to ' + row.after:>24} {row.compared:>10} {row.killed[0]:>10} {row.killed[1]:>10}")


def mode_changes(make_server, directory, mebibytes, seconds, directions=DIRECTIONS):
    changes = []
    servers = []

    def make(directory):
        servers.append(make_server(directory))
        return servers[-1]

    for before, after in directions:
        try:
            changes.append(change(make, directory, before, after, mebibytes, seconds))
        except OSError as problem:
            sys.exit(f"bench-disk: {problem}; the server's exit code is {servers[-1].process.poll()}")
        finally:
            if servers[-1].process.poll() is None:
                servers[-1].end(9)
        print(f"{before} to {after}: nothing is lost, {changes[-1].seconds:.2f} s", file=sys.stderr)
    show(changes, mebibytes, seconds)
