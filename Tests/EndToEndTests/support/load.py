"""Clients that write as many kinds of things as there are, and know what must have become of it after a crash."""

import http.client
import json
import os
import random
import time

from .oracle import Unknown, is_done

# What a client meets when the server is gone.
GONE = (OSError, http.client.HTTPException, Unknown)
# Of a server that is stopped and goes on; clients wait for longer.
STOP_SECONDS = float(os.environ.get("PYRALOG_STOP_SECONDS", "2"))
PATIENCE_SECONDS = 30 + STOP_SECONDS
ACCOUNTS = 16
BALANCE = 1000


def insist(call, seconds=30):
    """Repeats a call that is refused for what passes, such as a disk that is still full."""
    deadline = time.monotonic() + seconds
    while (answer := call()).status in (503, 507):
        assert answer.json()["applied"] == "no" and time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


class Client:
    """One thread's work. What it keeps survives the server, and is held against the next one."""

    # Logs whose records the oracle checks, with their configuration.
    logs: dict[str, dict] = {}

    def __init__(self, name, oracle):
        self.name = name
        self.oracle = oracle
        self.random = random.Random(name)
        self.acknowledged = 0

    def prepare(self, server):
        """Before the first load."""

    def step(self, connection):
        """One or a few calls."""

    def check(self, server, contents):
        """After a restart. `contents`: what the oracle's logs have. Settles what was in doubt."""

    def run(self, server, stop):
        try:
            with server.connect(timeout=PATIENCE_SECONDS) as connection:
                while not stop.is_set():
                    self.step(connection)
        except GONE:
            pass

    def append(self, connection, log, bodies, send):
        """A write to a log that the oracle knows. `send(values)` makes the call."""
        write, values = self.oracle.send(log, self.name, bodies)
        answer = send(values)
        if is_done(answer):
            self.oracle.acknowledge(write, answer)
            self.acknowledged += 1
        else:
            self.oracle.refuse(write)
            time.sleep(0.01)
        return write, answer


class Putter(Client):
    """Single puts, each a record that stays."""

    logs = {"history": {"partitions": 2}}

    def step(self, connection):
        path = f"/v1/logs/history/keys/k{self.random.randrange(50)}"
        self.append(connection, "history", [{"pad": "x" * self.random.randrange(300)}],
                    lambda values: connection.call("PUT", path, values[0]))


class Batcher(Client):
    """Batches of records with keys and without, over all partitions."""

    logs = {"batches": {"partitions": 3}}

    def step(self, connection):
        bodies = [{"pad": "x" * self.random.randrange(100)} for _ in range(self.random.randint(1, 60))]
        self.append(connection, "batches", bodies, lambda values: connection.call(
            "POST", "/v1/logs/batches/records:batch", {"records": [
                {"value": value, **({"key": f"k{self.random.randrange(9)}"} if self.random.random() < 0.7 else {})}
                for value in values]}))


class Liner(Client):
    """NDJSON; now and then a megabyte of it."""

    logs = {"lines": {}}

    def step(self, connection):
        length = 20_000 if self.random.random() < 0.05 else 50
        bodies = [{"pad": "x" * length} for _ in range(self.random.randint(1, 50))]
        self.append(connection, "lines", bodies, lambda values: connection.call(
            "POST", "/v1/logs/lines/records", b"".join(json_line(value) for value in values),
            {"Content-Type": "application/x-ndjson"}))


class Producer(Client):
    """An idempotent producer: what is in doubt it sends again, with the same number."""

    logs = {"produced": {"partitions": 2}}

    def __init__(self, name, oracle):
        super().__init__(name, oracle)
        self.sequence = 0
        # The write of the last sequence number that was given.
        self.last = None

    def step(self, connection):
        bodies = [{"sequence": self.sequence} for _ in range(self.random.randint(1, 5))]
        self.last, self.sequence = None, self.sequence + 1
        self.last, answer = self.append(connection, "produced", bodies, lambda values: self.call(connection, values))
        if self.last.places is None:
            self.sequence -= 1
        else:
            assert answer.status == 201, answer

    def call(self, connection, values):
        self.values = values
        return connection.call("POST", "/v1/logs/produced/records", values, {
            "Producer-Id": self.name, "Producer-Epoch": "0", "Producer-Seq": str(self.sequence - 1)})

    def check(self, server, contents):
        if not self.sequence:
            return
        # It may send its last call again, whatever became of that; it is there once afterwards.
        there = [(partition, offset) for partition, offset, value in contents["produced"]
                 if value["id"][0] == self.name and value["sequence"] == self.sequence - 1]
        if there:
            answer = insist(lambda: self.call(server, self.values))
            assert answer.status == 200, f"{self.name}, call {self.sequence - 1}, is there: {answer}"
            assert {(part["partition"], offset) for part in answer.json()["ranges"]
                    for offset in range(part["start"], part["end"])} == set(there), (answer, there)
        else:
            self.sequence -= 1


class Banker(Client):
    """Moves money between accounts, keeps a journal of it and counts it, in one transaction."""

    logs = {"journal": {}}

    def prepare(self, server):
        for account in range(ACCOUNTS):
            server.call("PUT", f"/v1/logs/bank/keys/a{account}", {"balance": BALANCE})

    def step(self, connection):
        keys = [f"a{number}" for number in self.random.sample(range(ACCOUNTS), 2)]
        answer = connection.call("POST", "/v1/logs/bank/keys:get", {"keys": keys})
        assert answer.status in (200, 503), answer
        if answer.status != 200:
            raise Unknown(answer)
        accounts = answer.json()["results"]
        amount = self.random.randint(1, 50)
        write, (entry,) = self.oracle.send("journal", self.name, [{"from": keys[0], "to": keys[1], "amount": amount}])
        answer = connection.call("POST", "/v1/transactions", {
            "if": [{"log": "bank", "key": found["key"], "revision": found["revision"]} for found in accounts],
            "then": [{"put": {"log": "bank", "key": found["key"], "value": {"balance": found["value"]["balance"] + change}}}
                     for found, change in zip(accounts, (-amount, amount))]
            + [{"append": {"log": "journal", "value": entry}},
               {"increment": {"log": "counts", "key": "transfers", "by": 1}}]})
        if is_done(answer) and answer.json()["committed"]:
            self.oracle.acknowledge(write, Result(answer.json()["results"][2]))
            self.acknowledged += 1
        else:
            self.oracle.refuse(write)

    def check(self, server, contents):
        balances = {f"a{number}": BALANCE for number in range(ACCOUNTS)}
        for _, _, entry in contents["journal"]:
            balances[entry["from"]] -= entry["amount"]
            balances[entry["to"]] += entry["amount"]
        results = server.call("POST", "/v1/logs/bank/keys:get", {"keys": list(balances)}).json()["results"]
        assert {found["key"]: found["value"]["balance"] for found in results} == balances
        assert sum(balances.values()) == ACCOUNTS * BALANCE
        count = server.call("GET", "/v1/logs/counts/keys/transfers")
        assert (count.json() if count.status == 200 else 0) == len(contents["journal"])


class Result:
    """One result of a transaction, as an answer of its own."""

    def __init__(self, document):
        self.document = document

    def json(self):
        return self.document


class Racer(Client):
    """One of many that all want to be the next to change one key, by its revision."""

    logs = {"race": {}}
    pause_seconds = 0.02

    def step(self, connection):
        answer = connection.call("GET", "/v1/logs/race/keys/k")
        assert answer.status in (200, 404, 503), answer
        if answer.status == 503:
            raise Unknown(answer)
        known = answer.status == 200
        condition = {"If-Match": answer.headers["etag"]} if known else {"If-None-Match": "*"}
        number = answer.json()["number"] + 1 if known else 0
        write, (value,) = self.oracle.send("race", self.name, [{"number": number}])
        answer = connection.call("PUT", "/v1/logs/race/keys/k", value, condition)
        if answer.status != 412 and is_done(answer):
            self.oracle.acknowledge(write, answer)
            self.acknowledged += 1
        else:
            self.oracle.refuse(write)
        time.sleep(self.pause_seconds)

    def check(self, server, contents):
        numbers = [value["number"] for _, _, value in contents["race"]]
        assert numbers == list(range(len(numbers))), "two have won the same revision, or one has won an old one"


class Retrier(Client):
    """Appends under an Idempotency-Key. What is in doubt it sends again, until it has an answer."""

    logs = {"retried": {"partitions": 2}}

    def __init__(self, name, oracle):
        super().__init__(name, oracle)
        self.count = 0
        # A write without an answer, and its values.
        self.doubt = None

    def step(self, connection):
        self.count += 1
        write, values = self.doubt = self.oracle.send("retried", self.name, [{"count": self.count}] * self.random.randint(1, 5))
        answer = self.call(connection, values)
        if is_done(answer):
            self.oracle.acknowledge(write, answer)
            self.acknowledged += 1
        else:
            self.oracle.refuse(write)
            time.sleep(0.01)
        self.doubt = None

    def call(self, connection, values):
        return connection.call("POST", "/v1/logs/retried/records", values, {"Idempotency-Key": f"{self.name}-{self.count}"})

    def check(self, server, contents):
        if not self.doubt:
            return
        write, values = self.doubt
        places = write.places
        answer = insist(lambda: self.call(server, values))
        assert answer.status == 201, answer
        if places is None:
            self.oracle.expect(write)
        self.oracle.acknowledge(write, answer)
        assert places in (None, write.places), f"{self.name}: it was there at {places}, and is there again: {answer}"
        self.doubt = None


class Counter(Client):
    """Increments keys that it shares with others, each under an Idempotency-Key, and sends again what is in doubt."""

    def __init__(self, name, oracle, tally):
        super().__init__(name, oracle)
        self.tally = tally
        self.count = 0
        # The key whose increment has no answer.
        self.doubt = None

    def step(self, connection):
        self.count += 1
        self.doubt = f"n{self.random.randrange(3)}"
        answer = self.call(connection)
        if is_done(answer):
            self.acknowledged += 1
            self.tally.note(self.doubt, answer)
        self.doubt = None

    def call(self, connection):
        return connection.call("POST", f"/v1/logs/counts/keys/{self.doubt}:increment", {"by": 1},
                               {"Idempotency-Key": f"{self.name}-{self.count}"})

    def check(self, server, contents):
        if self.doubt:
            answer = insist(lambda: self.call(server))
            assert answer.status == 200, answer
            self.tally.note(self.doubt, answer)
            self.doubt = None


class Tally(Client):
    """What all counters were told together: each value once, none left out."""

    def __init__(self, name, oracle):
        super().__init__(name, oracle)
        self.values = {}

    def note(self, key, answer):
        self.values.setdefault(key, []).append(answer.json()["value"])

    def run(self, server, stop):
        """It only checks."""

    def check(self, server, contents):
        for key, values in self.values.items():
            value = server.call("GET", f"/v1/logs/counts/keys/{key}").json()
            assert sorted(values) == list(range(1, value + 1)), f"{key} is {value}; answers were {sorted(values)}"


def json_line(value) -> bytes:
    return json.dumps(value).encode() + b"\n"
