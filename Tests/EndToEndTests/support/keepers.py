"""Clients that change keys and logs of their own: after a crash each is as it was acknowledged, or as it was asked to be."""

import random
import time

from .load import Client
from .oracle import is_done

HOUR_MS = 3_600_000


class Keeper(Client):
    """Puts, deletes and touches keys of its own. Of each it knows the value, the revision and the deadline."""

    def __init__(self, name, oracle):
        super().__init__(name, oracle)
        # (body, ETag, deadline in milliseconds or None); absent keys are not there.
        self.keys = {}
        # The key that is being changed, and what it may become; an ETag of None is any.
        self.doubt = None
        self.count = 0

    def path(self, key):
        return f"/v1/logs/kept/keys/{self.name}-{key}"

    def step(self, connection):
        key = f"k{self.random.randrange(20)}"
        known = self.keys.get(key)
        chance = self.random.random()
        self.count += 1
        if known and chance < 0.2:
            self.doubt = (key, None)
            answer = connection.call("DELETE", self.path(key), headers={"If-Match": known[1]})
        elif known and chance < 0.3:
            deadline = self.deadline()
            self.doubt = (key, (known[0], None, deadline))
            answer = connection.call("POST", f"{self.path(key)}:touch", {"expires_at": deadline})
        else:
            body, deadline = self.body(), self.deadline() if chance > 0.6 else None
            self.doubt = (key, (body, None, deadline))
            answer = connection.call("PUT", self.path(key) + (f"?expires_at={deadline}" if deadline else ""), body,
                                     {"If-Match": known[1]} if known else {"If-None-Match": "*"})
        if is_done(answer):
            self.acknowledged += 1
            self.settle(answer.headers.get("etag") or quoted(answer))
        else:
            self.doubt = None
            time.sleep(0.01)

    def body(self) -> bytes:
        return b"%s %d " % (self.name.encode(), self.count) + b"x" * self.random.randrange(2000)

    def deadline(self) -> int:
        return int(time.time() * 1000) + self.random.randint(HOUR_MS, 9 * HOUR_MS)

    def settle(self, etag):
        key, state = self.doubt
        self.doubt = None
        if state is None:
            del self.keys[key]
        else:
            self.keys[key] = (state[0], etag, state[2])

    def check(self, server, contents):
        with server.connect() as connection:
            if self.doubt:
                key, wanted = self.doubt
                found, known = self.read(connection, key), self.keys.get(key)
                if found != known:
                    assert (found and (found[0], found[2])) == (wanted and (wanted[0], wanted[2])), (
                        f"{self.path(key)} is neither as before nor as asked:\n{found}\n{known}\n{wanted}")
                    self.settle(found and found[1])
                self.doubt = None
            for number in range(20):
                key = f"k{number}"
                found = self.read(connection, key)
                assert found == self.keys.get(key), f"{self.path(key)}:\n{found}\nnot\n{self.keys.get(key)}"

    def read(self, connection, key):
        answer = connection.call("GET", self.path(key))
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        deadline = answer.headers.get("pyralog-expires-at")
        return answer.body, answer.headers["etag"], deadline and int(deadline)


class Bulk(Keeper):
    """Few keys with large values, for volume: files of the write-ahead log fill, checkpoints are written."""

    sizes = (100_000, 2_000_000)
    pause_seconds = 0.03

    def step(self, connection):
        super().step(connection)
        time.sleep(self.pause_seconds)

    def body(self) -> bytes:
        return random.Random(f"{self.name} {self.count}").randbytes(self.random.randint(*self.sizes))


class Cataloguer(Client):
    """Creates logs, alters them, deletes them. Each that is there has the epoch it began with."""

    def __init__(self, name, oracle):
        super().__init__(name, oracle)
        # Deadline and epoch by name.
        self.there = {}
        self.doubt = None

    def step(self, connection):
        name = f"{self.name}-{self.random.randrange(8)}"
        path, known, ttl = f"/v1/logs/{name}", self.there.get(name), self.random.randint(HOUR_MS, 9 * HOUR_MS)
        if known is None:
            self.doubt = (name, ttl)
            answer = connection.call("PUT", path, {"ttl_ms": ttl, "partitions": 2})
        elif self.random.random() < 0.5:
            self.doubt = (name, ttl)
            answer = connection.call("PATCH", path, {"ttl_ms": ttl})
        else:
            self.doubt = (name, None)
            answer = connection.call("DELETE", path)
        done = is_done(answer)
        self.doubt = None
        if done and answer.status == 204:
            del self.there[name]
        elif done:
            self.there[name] = (ttl, answer.json()["epoch"])
        self.acknowledged += done
        time.sleep(0.01)

    def check(self, server, contents):
        for number in range(8):
            name = f"{self.name}-{number}"
            answer = server.call("GET", f"/v1/logs/{name}")
            assert answer.status in (200, 404), answer
            found = None
            if answer.status == 200:
                document = answer.json()
                found = (document["config"]["ttl_ms"], document["epoch"])
                assert document["config"]["partitions"] == 2
            known = self.there.get(name)
            if self.doubt and self.doubt[0] == name and found != known:
                assert (found and found[0]) == self.doubt[1] and (not known or not found or found[1] == known[1]), (
                    name, found, known, self.doubt)
            else:
                assert found == known, f"{name}: {found}, not {known}"
            if found:
                self.there[name] = found
            else:
                self.there.pop(name, None)
        self.doubt = None


def quoted(answer):
    """The ETag of an answer that names a revision."""
    return f'"{answer.json()["revision"]}"' if answer.body else None
