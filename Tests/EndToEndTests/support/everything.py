"""A server with logs of every kind and records of every shape, small enough to be read often."""

import base64
import itertools
import os
import random
import threading
import time

from .client import quoted

NDJSON = {"Content-Type": "application/x-ndjson"}
MINUTE = 60_000
HOUR = 60 * MINUTE
# A day in the past, for records that bring their time.
THEN = 1_750_000_000_000
ACCOUNTS = 8
BALANCE = 1000


def fill(server, seed=1):
    """Logs that differ in everything that can be set. The server is in test mode: an hour passes."""
    dice = random.Random(seed)
    with server.connect() as connection:
        def call(method, path, body=None, headers=None, *expected):
            answer = connection.call(method, path, body, headers)
            assert answer.status in (expected or (200, 201, 204)), (method, path, answer)
            return answer

        create_logs(call)
        plain(call)
        binary(call, dice)
        keys(call, dice)
        gone(call, dice)
        produced(call)
        for n in range(ACCOUNTS):
            call("PUT", f"/v1/logs/{bank(n)}/keys/account{n}", {"balance": BALANCE})


def create_logs(call):
    for name, config in {
            "plain": {"partitions": 3, "compaction": "none"},
            "typed": {"compaction": "none", "schema": {"price": "DECIMAL(8,2)", "day": "DATE"}},
            "binary": {"partitions": 2, "compaction": "none"},
            "keys": {"partitions": 4, "compaction": "keys"},
            "gaps": {"compaction": "keys"},
            "leases": {"compaction": "keys", "tombstones": True, "ttl_ms": 2 * HOUR},
            "evicting": {"compaction": "none", "memory": {"max_bytes": 2_000_000, "eviction": "fifo"}},
            "priorities": {"compaction": "keys", "tombstones": True,
                           "memory": {"max_bytes": 2_000_000, "eviction": "priority"}},
            "trimmed": {"partitions": 2, "compaction": "none"},
            "emptied": {"compaction": "none"},
            "empty": {"partitions": 5, "compaction": "keys"},
            "produced": {"partitions": 2, "compaction": "none"},
            "bank-a": {"compaction": "keys"},
            "bank-b": {"compaction": "keys", "partitions": 3}}.items():
        call("PUT", f"/v1/logs/{name}", config)


def plain(call):
    for n in range(30):
        call("POST", "/v1/logs/plain/records", [{"n": n, "twice": n * 2.5, "text": "é🔥" * (n % 5)} for _ in range(20)])
    lines = "".join('{"n" : %d, "at": %d,  "nested": {"a": [1, null, 1.50]}}\n' % (n, THEN + n) for n in range(500))
    call("POST", "/v1/logs/plain/records?timestamp_field=at&partition=1", lines, NDJSON)
    call("POST", "/v1/logs/typed/records", [{"price": "9.50", "day": "2026-11-28", "n": n} for n in range(20)])


def binary(call, dice):
    for n in range(60):
        record = {"value_base64": base64.b64encode(dice.randbytes(dice.randrange(300))).decode(),
                  "content_type": ["image/png", "application/octet-stream", "application/x-msgpack"][n % 3],
                  "priority": dice.randrange(256), "timestamp": THEN + dice.randrange(10 ** 9),
                  "headers": {f"h{m}": "v" * m + "é" for m in range(n % 4)}}
        if n % 2:
            record["key_base64"] = base64.b64encode(dice.randbytes(1 + n % 40)).decode()
        if n % 5 == 0:
            record["ttl_ms"] = 5 * HOUR + n
        call("POST", "/v1/logs/binary/records:batch", {"records": [record, {"value_text": "", "partition": 0}]})
    call("POST", "/v1/logs/binary/records?partition=1", os.urandom(3_000_000), {"Content-Type": "video/mp4"})
    call("PUT", f"/v1/logs/binary/keys/{quoted(chr(0) + 'ÿ/: ' + 'k' * 1000)}", b"\x00\xff", {"Content-Type": "a/b"})


def keys(call, dice):
    for n in range(400):
        call("PUT", f"/v1/logs/keys/keys/k{dice.randrange(90)}?priority={n % 256}", {"n": n, "of": "keys"})
        if n % 9 == 0:
            call("DELETE", f"/v1/logs/keys/keys/k{dice.randrange(90)}", None, None, 204, 404)
    # Of many thousand records a handful is the newest of its key: compaction leaves gaps.
    for round in range(6):
        lines = "".join('{"k":"g%d","round":%d,"pad":"%s"}\n' % (n if n < 7 else n % 50 + 7, round, "x" * 60)
                        for n in range(3000))
        call("POST", "/v1/logs/gaps/records?key_field=k", lines, NDJSON)


def gone(call, dice):
    """Records that are not there any more, each for another reason."""
    for n in range(30):
        ttl = [10 * MINUTE, 90 * MINUTE, 5 * HOUR][n % 3]
        call("PUT", f"/v1/logs/leases/keys/l{n}?ttl_ms={ttl}", {"lease": n})
    call("PUT", "/v1/logs/leases/keys/deleted", "1")
    call("DELETE", "/v1/logs/leases/keys/deleted")
    call("POST", "/v1/test/clock", {"advance_ms": HOUR})
    call("PUT", "/v1/logs/leases/keys/late", "1")
    for n in range(300):
        call("POST", "/v1/logs/evicting/records", "e" * 10_000, {"Content-Type": "text/plain"})
        # What is worth less than everything that is there is refused.
        call("PUT", f"/v1/logs/priorities/keys/p{n}?priority={dice.randrange(256)}", "p" * 10_000,
             {"Content-Type": "text/plain"}, 200, 201, 507)
    # What has gone is enough: from here on nothing goes by itself.
    for log in ("evicting", "priorities"):
        call("PATCH", f"/v1/logs/{log}", {"memory": {"max_bytes": None}})
    for log in ("trimmed", "emptied"):
        call("POST", f"/v1/logs/{log}/records?partition=0", [{"n": n} for n in range(2000)])
    call("DELETE", "/v1/logs/trimmed/records?partition=0&before_offset=777")
    call("DELETE", "/v1/logs/emptied/records?partition=0&before_offset=2000")


def produced(call):
    for sequence in range(9):
        for producer in ("p1", "p2"):
            produce(call, producer, sequence)


def produce(call, producer, sequence):
    """201: it is new. 200: it was there already."""
    headers = {"Producer-Id": producer, "Producer-Epoch": "3", "Producer-Seq": str(sequence)}
    return call("POST", "/v1/logs/produced/records", [{"producer": producer, "sequence": sequence}] * 3, headers,
                200, 201, 409)


def check_producers(server):
    """They go on where they were: what they sent is known, and what comes next is new."""
    for producer in ("p1", "p2"):
        for sequence, status in ((8, 200), (10, 409), (9, 201), (9, 200)):
            answer = produce(lambda *call: server.call(*call[:4]), producer, sequence)
            assert answer.status == status, (producer, sequence, answer)


def settled(server, name):
    """Waits until nothing in a log is superseded any more, so that it has gaps."""
    deadline = time.monotonic() + 60
    while True:
        stats = server.call("GET", f"/v1/logs/{name}").json()["stats"]["partitions"]
        if all(one["records"] < one["tail"] / 2 for one in stats):
            return
        assert time.monotonic() < deadline, stats
        time.sleep(0.1)


# Money that moves

def bank(account) -> str:
    return "bank-a" if account % 2 else "bank-b"


class Teller(threading.Thread):
    """Moves money between accounts of two logs for as long as it is not stopped; the sum stays."""

    def __init__(self, server, seed=1):
        super().__init__(daemon=True)
        self.server, self.dice = server, random.Random(seed)
        self.stopping = threading.Event()
        self.moved = 0
        self.problem = None

    def run(self):
        try:
            with self.server.connect() as connection:
                while not self.stopping.is_set():
                    self.move(connection)
        except OSError:
            # The server was killed.
            pass
        except BaseException as problem:  # noqa: BLE001 - whoever stops it is told
            self.problem = problem

    def move(self, connection):
        one, other = self.dice.sample(range(ACCOUNTS), 2)
        found = {}
        for account in (one, other):
            answer = connection.call("GET", f"/v1/logs/{bank(account)}/keys/account{account}")
            assert answer.status == 200, answer
            found[account] = answer.json()["balance"], answer.headers["etag"].strip('"')
        amount = self.dice.randint(1, 50)
        answer = connection.call("POST", "/v1/transactions", {
            "if": [{"log": bank(account), "key": f"account{account}", "revision": found[account][1]} for account in found],
            "then": [{"put": {"log": bank(account), "key": f"account{account}", "value": {
                "balance": found[account][0] + (amount if account == other else -amount)}}} for account in found]})
        assert answer.status == 200, answer
        self.moved += answer.json()["committed"]

    def stop(self):
        self.stopping.set()
        self.join(60)
        if self.problem:
            raise self.problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def balances(server, logs=("bank-a", "bank-b")) -> list[int]:
    return [json_balance(server, log, account) for account in range(ACCOUNTS)
            for log in [logs[0] if account % 2 else logs[1]]]


def json_balance(server, log, account) -> int:
    answer = server.call("GET", f"/v1/logs/{log}/keys/account{account}")
    assert answer.status == 200, answer
    return answer.json()["balance"]


_names = itertools.count(1)


def fresh_name(stem="log") -> str:
    return f"{stem}{next(_names)}"
