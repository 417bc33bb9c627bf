"""What happens when memory is short, seen from outside: what gives way, what is refused, and what readers learn of it.

Also the server's test mode, whose clock lets deadlines pass without waiting for them.
"""

import http.client
import json
import queue
import random
import socket
import threading
import time

import pytest

from support import modes

pytestmark = pytest.mark.modes(*modes.ALL)
# Logs that have a disk give up nothing for want of memory, and refuse nothing: see test_spill.py.
in_memory_only = pytest.mark.modes(modes.MEMORY)

MiB = 1 << 20
LIMIT = 32 * MiB
VALUE = "x" * 4000


def append(connection, log, rows):
    """Appends rows in batches of a fraction of a MiB each; returns the statuses."""
    statuses = []
    for start in range(0, len(rows), 100):
        answer = connection.call("POST", f"/v1/logs/{log}/records:batch", {"records": rows[start:start + 100]})
        statuses.append(answer.status)
    return statuses


def row(key, **more):
    return {"key": key, "value_text": VALUE, **more}


def keys_of(server, log):
    keys, after = [], ""
    with server.connect() as connection:
        while True:
            page = connection.call("GET", f"/v1/logs/{log}/keys?limit=1000{after}").json()
            keys += [entry["key"] for entry in page["keys"]]
            if not page["has_more"]:
                return keys
            after = f"&start_after={keys[-1]}"


def ledger(server, log=None):
    memory = server.call("GET", "/v1/memory?limit=1000").json()
    return memory if log is None else next(entry for entry in memory["logs"] if entry["name"] == log)


def wait_until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def wait_until_calm(server, log, limit):
    """Until the log is below its watermark and nothing goes any more."""
    counts = []

    def is_calm():
        figures = ledger(server, log)
        counts.append(figures["eviction_count"])
        time.sleep(0.1)
        return figures["used_bytes"] <= 0.9 * limit and len(counts) > 5 and len(set(counts[-5:])) == 1

    wait_until(is_calm, f"{log} does not give way")


@pytest.fixture
def small(start_server):
    return start_server("--max-memory", "32MiB", "--test-mode")


# What gives way

def squeezed(server, log, policy, rows):
    """Fills a log far below its limit, then lowers the limit to about half; returns the keys that stay."""
    server.call("PUT", f"/v1/logs/{log}", {
        "compaction": "keys", "partitions": 2, "memory": {"eviction": policy, "max_bytes": "16MiB"}})
    with server.connect() as connection:
        assert set(append(connection, log, rows)) == {201}
        assert ledger(server, log)["eviction_count"] == 0
        if policy == "lru":
            for n in range(0, len(rows), 10):
                assert connection.call("GET", f"/v1/logs/{log}/keys/{rows[n]['key']}").status == 200
    answer = server.call("PATCH", f"/v1/logs/{log}", {"memory": {"max_bytes": "8MiB"}})
    assert answer.status == 200 and answer.json()["config"]["memory"]["max_bytes"] == 8 * MiB, answer
    # What is over the watermark gives way in the background, the next write at the latest asks for it.
    server.call("PUT", f"/v1/logs/{log}/keys/last?priority=255&ttl_ms=99999999999", b"1")
    wait_until_calm(server, log, 8 * MiB)
    return set(keys_of(server, log)) - {"last"}


def rows_of(policy):
    generator = random.Random(policy)
    deadlines = list(range(2500))
    generator.shuffle(deadlines)
    if policy == "ttl":
        return [row(f"k{n:05}", ttl_ms=3_600_000 + 60_000 * deadlines[n]) for n in range(2500)]
    if policy == "priority":
        return [row(f"k{n:05}", priority=generator.randrange(4)) for n in range(2500)]
    return [row(f"k{n:05}") for n in range(2500)]


@in_memory_only
@pytest.mark.parametrize("policy", ["fifo", "lru", "ttl", "priority"])
def test_what_gives_way_is_what_the_policy_says(small, policy):
    rows = rows_of(policy)
    kept = squeezed(small, "log", policy, rows)
    gone = [row for row in rows if row["key"] not in kept]
    stayed = [row for row in rows if row["key"] in kept]
    # About half, and not more than needed: five points below the watermark, and a batch.
    assert len(rows) * 0.3 < len(stayed) < len(rows) * 0.8, len(stayed)
    if policy == "fifo":
        # By arrival over both partitions, a batch at a time.
        order = {row["key"]: n for n, row in enumerate(rows)}
        late = [row for row in gone if order[row["key"]] > min(order[row["key"]] for row in stayed)]
        assert len(late) < 0.25 * len(gone), f"{len(late)} of {len(gone)} were younger than one that stayed"
    elif policy == "lru":
        read = {rows[n]["key"] for n in range(0, len(rows), 10)}
        assert len(read & kept) > 0.95 * len(read)
    elif policy == "ttl":
        assert max(row["ttl_ms"] for row in gone) < min(row["ttl_ms"] for row in stayed)
    else:
        assert max(row["priority"] for row in gone) <= min(row["priority"] for row in stayed)
    # What went is gone for everybody, and counted once.
    with small.connect() as connection:
        for row in gone[::200]:
            assert connection.call("GET", f"/v1/logs/log/keys/{row['key']}").status == 404
    assert small.metrics().sum("pyralog_records_evicted_total", {"log": "log"}) == len(gone)
    figures = ledger(small, "log")
    assert (figures["eviction_count"], figures["eviction"], figures["limit_bytes"]) == (len(gone), policy, 8 * MiB)
    statistics = small.call("GET", "/v1/logs/log").json()["stats"]["partitions"]
    assert sum(partition["evicted"] for partition in statistics) == len(gone)
    assert sum(partition["keys"] for partition in statistics) == len(stayed) + 1


@in_memory_only
@pytest.mark.parametrize("policy", ["fifo", "lru", "ttl", "priority"])
def test_a_log_that_gives_way_takes_writes_for_ever(small, policy):
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": policy}})
    with small.connect() as connection:
        for turn in range(3):
            rows = [row(f"k{turn}-{n}", ttl_ms=60_000_000, priority=n % 3) for n in range(6000)]
            assert set(append(connection, "log", rows)) == {201}
            memory = ledger(small)
            assert memory["used_bytes"] <= memory["limit_bytes"] == LIMIT
    memory = ledger(small)
    assert memory["eviction_count"] >= 18_000 - LIMIT // len(VALUE) > 0
    assert memory["record_count"] + memory["eviction_count"] == 18_000
    assert memory["record_count"] * len(VALUE) > LIMIT * 0.6, "far more than needed has gone"


def test_the_server_s_default_policy_is_that_of_logs_that_do_not_say(start_server):
    server = start_server("--max-memory", "32MiB", "--eviction", "fifo", "--watermark", "0.8")
    with server.connect() as connection:
        assert set(append(connection, "log", [row(f"k{n}") for n in range(12_000)])) == {201}
    config = server.call("GET", "/v1/logs/log").json()["config"]["memory"]
    assert (config["eviction"], config["watermark"]) == ("fifo", 0.8)
    # In the background, down to five points below the watermark at most, and at least to it.
    wait_until(lambda: ledger(server)["used_bytes"] < 0.82 * LIMIT, "the watermark does not hold")
    assert ledger(server)["used_bytes"] > 0.65 * LIMIT


@in_memory_only
def test_records_without_a_deadline_never_go_for_ttl(small):
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": "ttl"}})
    with small.connect() as connection:
        statuses = append(connection, "log", [row(f"k{n}") for n in range(12_000)])
        assert set(statuses) == {201, 507}
        answer = connection.call("PUT", "/v1/logs/log/keys/k0", VALUE.encode() * 300)
        assert answer.status == 507 and answer.code == "memory_full", answer
    assert ledger(small)["eviction_count"] == 0


@in_memory_only
def test_the_log_furthest_above_its_fair_share_gives_way(small):
    for name in ("large", "small"):
        small.call("PUT", f"/v1/logs/{name}", {"compaction": "keys", "memory": {"eviction": "fifo"}})
    small.call("PUT", "/v1/logs/kept", {"compaction": "keys"})
    with small.connect() as connection:
        assert set(append(connection, "small", [row(f"k{n}") for n in range(1000)])) == {201}
        assert set(append(connection, "kept", [row(f"k{n}") for n in range(1000)])) == {201}
        assert set(append(connection, "large", [row(f"k{n}") for n in range(12_000)])) == {201}
    counts = {entry["name"]: entry for entry in ledger(small)["logs"]}
    assert counts["large"]["eviction_count"] > 0
    assert counts["small"]["eviction_count"] == counts["kept"]["eviction_count"] == 0
    assert counts["small"]["record_count"] == counts["kept"]["record_count"] == 1000


@in_memory_only
def test_the_policy_can_be_changed_in_place(small):
    with small.connect() as connection:
        assert 507 in append(connection, "log", [row(f"k{n}") for n in range(12_000)])
        for policy in ("lru", "priority", "ttl", "fifo"):
            answer = connection.call("PATCH", "/v1/logs/log", {"memory": {"eviction": policy}, "tombstones": True})
            assert answer.status == 200 and answer.json()["config"]["memory"]["eviction"] == policy, answer
        assert set(append(connection, "log", [row(f"n{n}") for n in range(1000)])) == {201}
        answer = connection.call("PATCH", "/v1/logs/log", {"memory": {"eviction": None}, "tombstones": None})
        config = answer.json()["config"]
        assert (config["memory"]["eviction"], config["tombstones"]) == ("reject", False)
        assert connection.call("PATCH", "/v1/logs/log", {"memory": {"eviction": "random"}}).status == 400


# What is refused

def fill(server, log="full"):
    """Writes until there is no room; returns how many keys there are and the refusal."""
    server.call("PUT", f"/v1/logs/{log}", {"compaction": "keys"})
    with server.connect() as connection:
        for n in range(100_000):
            answer = connection.call("PUT", f"/v1/logs/{log}/keys/k{n}", VALUE.encode(), {"Content-Type": "text/plain"})
            if answer.status != 201:
                return n, answer
    raise AssertionError("never full")


@in_memory_only
def test_a_full_log_refuses_with_figures_and_recovers(small):
    count, refusal = fill(small)
    assert refusal.status == 507 and refusal.code == "memory_full", refusal
    problem = refusal.json()
    assert (problem["budget"], problem["limit"], problem["applied"], problem["retryable"]) == ("server", LIMIT, "no", True)
    assert problem["used"] <= LIMIT < problem["used"] + problem["needed"]
    assert int(refusal.headers["retry-after"]) >= 1
    assert small.call("GET", "/v1/logs/full/keys/k0").status == 200
    write = lambda: small.call("PUT", "/v1/logs/full/keys/k0", VALUE.encode())  # noqa: E731
    assert write().status == 507
    transaction = small.call("POST", "/v1/transactions", {"then": [
        {"delete": {"log": "full", "key": "k1"}}, {"put": {"log": "full", "key": "k0", "value": VALUE}}]})
    assert transaction.status == 507 and transaction.code == "memory_full", transaction
    assert small.call("GET", "/v1/logs/full/keys/k1").status == 200, "something of it was applied"
    # Deletes need no room, alone or together.
    transaction = small.call("POST", "/v1/transactions", {"then": [
        {"delete": {"log": "full", "key": f"k{n}"}} for n in range(1, 101)]})
    assert transaction.status == 200, transaction
    with small.connect() as connection:
        for n in range(101, count // 2):
            assert connection.call("DELETE", f"/v1/logs/full/keys/k{n}").status == 204
    answer = write()
    assert answer.status == 200, answer
    assert ledger(small)["used_bytes"] <= LIMIT
    assert fill(small, "again")[0] > 100
    assert small.call("DELETE", f"/v1/logs/full/records?before_offset={count}").status == 204
    assert write().status == 200
    assert ledger(small)["eviction_count"] == 0


@in_memory_only
def test_the_limit_of_a_log_is_named(small):
    small.call("PUT", "/v1/logs/tight", {"compaction": "keys", "memory": {"max_bytes": "2MiB"}})
    with small.connect() as connection:
        assert 507 in append(connection, "tight", [row(f"k{n}") for n in range(1000)])
        answer = connection.call("PUT", "/v1/logs/tight/keys/new", b"x" * MiB)
        assert answer.status == 507 and (answer.json()["budget"], answer.json()["limit"]) == ("tight", 2 * MiB), answer
        assert connection.call("PUT", "/v1/logs/other/keys/new", b"x" * MiB).status == 201
        answer = connection.call("POST", "/v1/transactions", {"then": [
            {"put": {"log": "other", "key": "both", "value": 1}},
            {"put": {"log": "tight", "key": "both", "value": "x" * MiB}}]})
        assert answer.status == 507 and answer.json()["budget"] == "tight", answer
        assert connection.call("GET", "/v1/logs/other/keys/both").status == 404


BIG = 31 * MiB


@in_memory_only
@pytest.mark.parametrize("path, method", [("/v1/logs/log/keys/big", "PUT"), ("/v1/logs/log/records", "POST"),
                                          ("/v1/logs/new/keys/big", "PUT")])
def test_a_body_that_could_never_fit_is_refused_before_it_is_read(start_server, path, method):
    server = start_server("--max-memory", "32MiB", "--limits-body", "64MiB", "--limits-value", "64MiB")
    server.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": "fifo"}})
    server.call("PUT", "/v1/logs/kept", {"compaction": "keys"})
    with server.connect() as connection:
        append(connection, "log", [row(f"k{n}") for n in range(3000)])
        append(connection, "kept", [row(f"k{n}") for n in range(1000)])
    with server.raw() as connection:
        connection.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                        f"Content-Length: {BIG}\r\n\r\n".encode())
        answer = connection.read_answer()
    assert answer.status == 507 and answer.code == "memory_full", answer
    assert answer.json()["needed"] >= BIG and answer.json()["limit"] == LIMIT
    memory = ledger(server)
    assert (memory["eviction_count"], memory["record_count"]) == (0, 4000)


@pytest.mark.parametrize("size", [6 * MiB, 15 * MiB])
def test_nothing_is_evicted_for_a_value_that_does_not_fit(small, size):
    """One whose length is not announced is read first, and then refused."""
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": "fifo", "max_bytes": "5MiB"}})
    with small.connect() as connection:
        append(connection, "log", [row(f"k{n}") for n in range(1000)])
    with small.raw(timeout=60) as connection:
        connection.send(b"PUT /v1/logs/log/keys/big HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size + b"z" * size + b"\r\n0\r\n\r\n")
        answer = connection.read_answer()
    assert answer.status == 507 and answer.code == "memory_full", answer
    memory = ledger(small)
    assert (memory["eviction_count"], memory["record_count"]) == (0, 1000)


def test_a_body_that_could_never_be_held_is_too_large(small):
    size = 20 * MiB
    with small.raw(timeout=60) as connection:
        connection.send(b"PUT /v1/logs/log/keys/big HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size + b"z" * size + b"\r\n0\r\n\r\n")
        answer = connection.read_answer()
    assert answer.status == 413 and "limits.bodies_in_flight" in answer.json()["detail"], answer


# What readers learn of it

class Tail:
    """Reads an event stream in a thread of its own, as fast as it comes."""

    def __init__(self, server, log):
        self.records = []
        self.seen = queue.Queue()
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self._connection.request("GET", f"/v1/logs/{log}/records?last=0", headers={"Accept": "text/event-stream"})
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            for line in self._answer:
                if line.startswith(b"data:") and b'"offset"' in line:
                    record = json.loads(line[5:])
                    self.records.append(record)
                    self.seen.put(record)
        except (OSError, http.client.HTTPException):
            pass

    def has_ended(self, seconds=10):
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wait_for(self, condition, seconds=20):
        """The next record for which it holds; those before it are passed."""
        deadline = time.monotonic() + seconds
        while True:
            record = self.seen.get(timeout=max(0.01, deadline - time.monotonic()))
            if condition(record):
                return record

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(10)
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_a_tail_sees_that_keys_have_expired(small):
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "tombstones": True})
    with Tail(small, "log") as tail:
        small.call("PUT", "/v1/logs/log/keys/brief?ttl_ms=60000", b"1")
        small.call("PUT", "/v1/logs/log/keys/stays", b"1")
        small.call("PUT", "/v1/logs/log/keys/deleted", b"1")
        small.call("DELETE", "/v1/logs/log/keys/deleted")
        assert small.call("POST", "/v1/test/clock", {"advance_ms": 61_000}).status == 200
        gone = tail.wait_for(lambda record: record.get("tombstone") == "expired")
        assert gone["key"] == "brief" and "value" not in gone and "value_text" not in gone
        assert [record["key"] for record in tail.records if record.get("tombstone") == "deleted"] == ["deleted"]
    assert small.call("GET", "/v1/logs/log/keys/brief").status == 404
    assert small.call("GET", "/v1/logs/log/keys/stays").status == 200


@in_memory_only
@pytest.mark.parametrize("policy", ["fifo", "lru", "ttl", "priority"])
def test_a_tail_sees_which_keys_were_evicted(small, policy):
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "tombstones": True,
                                       "memory": {"eviction": policy, "max_bytes": "2MiB"}})
    with Tail(small, "log") as tail, small.connect() as connection:
        for start in range(0, 1500, 50):
            rows = [row(f"k{n}", ttl_ms=90_000_000 + n, priority=n % 2) for n in range(start, start + 50)]
            assert append(connection, "log", rows) == [201]
            # By then the reader has seen all of them, or that they were evicted already.
            tail.wait_for(lambda record: record["key"] == f"k{start + 49}")
        connection.call("PUT", "/v1/logs/log/keys/last?priority=255", b"1")
        wait_until_calm(small, "log", 2 * MiB)
        live = set(keys_of(small, "log"))
        wait_until(lambda: live | {record["key"] for record in tail.records if record.get("tombstone")} >= {
            f"k{n}" for n in range(1500)}, "a key went without a tombstone", 5)
        evicted = [record["key"] for record in tail.records if record.get("tombstone") == "evicted"]
    assert evicted and len(evicted) == len(set(evicted)), "a key went twice"
    assert not set(evicted) & live


def test_without_tombstones_nobody_is_told(small):
    small.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": "fifo", "max_bytes": "2MiB"}})
    with small.connect() as connection:
        append(connection, "log", [row(f"k{n}", ttl_ms=60_000) for n in range(1500)])
    small.call("POST", "/v1/test/clock", {"advance_ms": 61_000})
    page = small.call("GET", "/v1/logs/log/records?last=100").json()
    assert page["records"] == [] and page["tail"] == 1500


def test_a_reader_that_does_not_read_is_cut_off_and_others_go_on(start_server):
    """It holds what has been evicted since. The server may not grow for it; with time it is ended."""
    server = start_server("--max-memory", "32MiB")
    server.call("PUT", "/v1/logs/log", {"memory": {"eviction": "fifo"}})
    with server.connect() as connection:
        append(connection, "log", [{"value_text": VALUE} for _ in range(6000)])
        slow = []
        for _ in range(4):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(20)
            reader.connect((server.host, server.port))
            reader.sendall(b"GET /v1/logs/log/records?limit=10000&clamp=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
            slow.append(reader)
        deadline = time.monotonic() + 30
        while not server.metrics().sum("pyralog_http_rejected_total", {"reason": "slow_reader"}):
            assert time.monotonic() < deadline, ledger(server)
            statuses = append(connection, "log", [{"value_text": VALUE} for _ in range(500)])
            assert set(statuses) <= {201, 507, 503}, statuses
            memory = ledger(server)
            assert memory["used_bytes"] <= LIMIT, memory
            assert connection.call("GET", "/v1/logs/log/records?last=1").status == 200
    for reader in slow:
        reader.close()
    with server.connect() as connection:
        wait_until(lambda: ledger(server)["kinds"]["pinned"] == 0, "what it held is not given back")
        assert set(append(connection, "log", [{"value_text": VALUE} for _ in range(3000)])) == {201}


def test_a_body_in_flight_makes_no_data_give_way(start_server):
    """An upload that has not ended holds memory; that is the network's, not the data's."""
    server = start_server("--max-memory", "64MiB")
    server.call("PUT", "/v1/logs/log", {"compaction": "keys", "memory": {"eviction": "fifo"}})
    with server.connect() as connection, server.raw() as upload:
        append(connection, "log", [row(f"k{n}") for n in range(9000)])
        upload.send(b"PUT /v1/logs/log/keys/big HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (30 * MiB) + b"z" * (25 * MiB))
        wait_until(lambda: ledger(server)["kinds"]["buffers"] > 24 * MiB, "the body is not counted")
        append(connection, "log", [row(f"n{n}") for n in range(1500)])
        memory = ledger(server)
    assert memory["eviction_count"] == 0, memory


# The ledger

def test_the_ledger_adds_up(small):
    small.call("PUT", "/v1/logs/keyed", {"compaction": "keys", "ttl_ms": "1h"})
    with small.connect() as connection:
        append(connection, "keyed", [row(f"user:{n}:name", priority=1) for n in range(1000)])
        append(connection, "plain", [{"value": {"n": n}} for n in range(1000)])
    memory = ledger(small)
    assert memory["limit_bytes"] == LIMIT and memory["record_count"] == 2000 and memory["eviction_count"] == 0
    assert memory["used_bytes"] == sum(memory["kinds"].values())
    assert memory["usage_percent"] == pytest.approx(100 * memory["used_bytes"] / LIMIT, abs=0.01)
    assert [entry["name"] for entry in memory["logs"]] == ["keyed", "plain"] and not memory["has_more"]
    for entry in memory["logs"]:
        assert entry["used_bytes"] == sum(entry["kinds"].values()) and entry["record_count"] == 1000
        for kind, size in entry["kinds"].items():
            assert small.metrics().sum("pyralog_memory_bytes", {"log": entry["name"], "kind": kind}) == size
        assert "prefixes" not in entry
    for kind in ("payload", "index", "columns"):
        assert memory["kinds"][kind] == sum(entry["kinds"][kind] for entry in memory["logs"])
    assert memory["logs"][0]["kinds"]["payload"] > 1000 * len(VALUE)
    assert small.metrics().sum("pyralog_memory_limit_bytes") == LIMIT


def test_prefixes_say_which_keys_take_the_memory(small):
    with small.connect() as connection:
        append(connection, "log", [row(f"user:{n}") for n in range(1500)])
        append(connection, "log", [row(f"cart:{n}") for n in range(500)])
    answer = small.call("GET", "/v1/memory?prefixes=true&limit=1").json()
    prefixes = {entry["prefix"]: entry for entry in answer["logs"][0]["prefixes"]}
    assert set(prefixes) == {"user:", "cart:"}
    assert prefixes["user:"]["share_percent"] == pytest.approx(75, abs=6)
    assert prefixes["cart:"]["estimated_keys"] == pytest.approx(500, rel=0.25)
    assert [entry["prefix"] for entry in answer["logs"][0]["prefixes"]] == ["user:", "cart:"]


def test_the_query_of_the_ledger_is_checked(small):
    for n in range(3):
        small.call("PUT", f"/v1/logs/log{n}")
    for query, count, has_more in (("limit=0", 0, True), ("limit=2", 2, True), ("limit=3", 3, False), ("", 3, False)):
        answer = small.call("GET", f"/v1/memory?{query}").json()
        assert (len(answer["logs"]), answer["has_more"]) == (count, has_more)
    for query in ("limit=-1", "limit=1001", "limit=x", "prefixes=maybe", "prefix=a", "limit=1&limit=2"):
        assert small.call("GET", f"/v1/memory?{query}").status == 400, query
    assert small.call("POST", "/v1/memory").status == 405


# Test mode

def test_deadlines_pass_when_the_clock_is_moved(small):
    small.call("PUT", "/v1/logs/log/keys/k?ttl_ms=3600000", b"1")
    small.call("POST", "/v1/logs/log/records?ttl_ms=7200000", [1, 2])
    first = small.call("POST", "/v1/test/clock", {"advance_ms": 0}).json()["now"]
    second = small.call("POST", "/v1/test/clock", {"advance_ms": "59m"}).json()["now"]
    assert 0 <= second - first - 3_540_000 < 60_000
    assert small.call("GET", "/v1/logs/log/keys/k").status == 200
    small.call("POST", "/v1/test/clock", {"advance_ms": 61_000})
    assert small.call("GET", "/v1/logs/log/keys/k").status == 404
    assert len(small.call("GET", "/v1/logs/log/records").json()["records"]) == 2
    small.call("POST", "/v1/test/clock", {"advance_ms": "2h"})
    # The memory is given back before the answer, not some time.
    statistics = small.call("GET", "/v1/logs/log").json()["stats"]["partitions"][0]
    assert (statistics["records"], statistics["expired"]) == (0, 3)


def test_retention_goes_by_the_moved_clock(small):
    small.call("PUT", "/v1/logs/log", {"retention": {"max_age_ms": "1h"}})
    small.call("POST", "/v1/logs/log/records", [1, 2])
    small.call("POST", "/v1/test/clock", {"advance_ms": "50m"})
    small.call("POST", "/v1/logs/log/records", [3])
    assert len(small.call("GET", "/v1/logs/log/records").json()["records"]) == 3
    small.call("POST", "/v1/test/clock", {"advance_ms": "11m"})
    assert [record["value"] for record in small.call("GET", "/v1/logs/log/records").json()["records"]] == [3]
    assert small.call("GET", "/v1/logs/log/records?offset=0").status == 410


def test_the_window_of_idempotency_keys_goes_by_the_moved_clock(small):
    fields = {"Idempotency-Key": "once"}
    increment = lambda: small.call("POST", "/v1/logs/log/keys/n:increment", b"{}", fields).json()["value"]  # noqa: E731
    assert (increment(), increment()) == (1, 1)
    small.call("POST", "/v1/test/clock", {"advance_ms": "9m"})
    assert increment() == 1
    small.call("POST", "/v1/test/clock", {"advance_ms": "2m"})
    assert increment() == 2


def test_a_reset_leaves_what_a_start_leaves(start_server, tmp_path):
    file = tmp_path / "logs.yaml"
    file.write_text("logs: {sessions: {ttl_ms: 30m, compaction: keys}}\n")
    server = start_server("--test-mode", "--init", str(file))
    epoch = server.call("GET", "/v1/logs/sessions").json()["epoch"]
    first = server.call("POST", "/v1/test/clock", {"advance_ms": "1d"}).json()["now"]
    server.call("PUT", "/v1/logs/sessions/keys/k", b"1")
    server.call("PUT", "/v1/logs/other/keys/k", b"1")
    fields = {"Idempotency-Key": "once"}
    server.call("POST", "/v1/logs/other/records", b"1", fields)
    with Tail(server, "sessions") as tail:
        assert server.call("POST", "/v1/test/reset").status == 204
        assert tail.has_ended()
    assert [log["name"] for log in server.call("GET", "/v1/logs").json()["logs"]] == ["sessions"]
    sessions = server.call("GET", "/v1/logs/sessions").json()
    assert sessions["config"]["ttl_ms"] == 1_800_000 and sessions["stats"]["partitions"][0]["tail"] == 0
    assert sessions["epoch"] != epoch
    assert server.call("POST", "/v1/test/clock", {"advance_ms": 0}).json()["now"] < first - 80_000_000
    # The kept answer is gone, too: this is done, not replayed.
    assert server.call("POST", "/v1/logs/other/records", b"2", fields).status == 201
    assert server.call("GET", "/v1/logs/other/records").json()["tail"] == 1
    memory = ledger(server)
    assert memory["record_count"] == 1 and memory["eviction_count"] == 0


@pytest.mark.parametrize("body", ["", "{}", "null", "[]", '{"advance_ms": -1}', '{"advance_ms": 3155760000001}',
                                  '{"advance_ms": 1.5}', '{"advance_ms": true}', '{"advance_ms": null}',
                                  '{"advance_ms": "soon"}', '{"advance_ms": 1, "by": 2}',
                                  '{"advance_ms": 1, "advance_ms": 2}', '{"advance_ms": 99999999999999999999}', "\x00\xff{"])
def test_a_clock_that_cannot_be_moved_so_stays(small, body):
    before = small.call("POST", "/v1/test/clock", {"advance_ms": 0}).json()["now"]
    answer = small.call("POST", "/v1/test/clock", body.encode("latin-1"), {"Content-Type": "application/json"})
    assert answer.status == 400, answer
    assert small.call("POST", "/v1/test/clock", {"advance_ms": 0}).json()["now"] - before < 30_000


def test_the_clock_ends_with_the_year_9999(small):
    answers = [small.call("POST", "/v1/test/clock", {"advance_ms": 3_155_760_000_000}) for _ in range(81)]
    statuses = [answer.status for answer in answers]
    assert statuses == sorted(statuses) and set(statuses) == {200, 400}, statuses
    assert small.call("PUT", "/v1/logs/log/keys/k?ttl_ms=315360000000000", b"1").status in (201, 400)
    small.call("POST", "/v1/test/reset")
    assert small.call("PUT", "/v1/logs/log/keys/k?ttl_ms=1000", b"1").status == 201
    assert small.call("GET", "/v1/logs/log/keys/k").status == 200


def test_without_test_mode_there_is_nothing(start_server):
    server = start_server()
    server.call("PUT", "/v1/logs/log/keys/k", b"1")
    for method, path in (("POST", "/v1/test/clock"), ("POST", "/v1/test/reset"), ("GET", "/v1/test/clock")):
        answer = server.call(method, path, b'{"advance_ms": 1}' if method == "POST" else None)
        assert answer.status == 404 and answer.code == "route_not_found", answer
    assert server.call("GET", "/v1/logs/log/keys/k").status == 200
