"""Everything that writes to one data directory, over as many lives of its server as a test likes."""

import threading
import time

from .keepers import Bulk, Cataloguer, Keeper
from .load import Banker, Batcher, Counter, Liner, PATIENCE_SECONDS, Producer, Putter, Racer, Retrier, Tally
from .oracle import Oracle

RACERS = 64


class World:
    """Clients and what they know. `durability` is that of all logs; without `is_bulky` there are no large values."""

    def __init__(self, seed, durability=None, is_bulky=True):
        self.oracle = Oracle()
        self.durability = durability
        self.lives = 0
        kinds = [Putter, Putter, Batcher, Liner, Producer, Producer, Retrier, Banker, Banker, Banker, Keeper, Keeper,
                 Cataloguer] + [Bulk] * is_bulky + [Racer] * RACERS
        self.clients = [kind(f"{kind.__name__.lower()}{number}-{seed}", self.oracle) for number, kind in enumerate(kinds)]
        tally = Tally("tally", self.oracle)
        # The tally is taken behind what counters send again.
        self.clients += [Counter(f"counter{number}-{seed}", self.oracle, tally) for number in range(2)] + [tally]
        self.logs = {name: config for client in self.clients for name, config in client.logs.items()}

    def prepare(self, server):
        durability = {"durability": self.durability} if self.durability else {}
        for name, config in [*self.logs.items(), ("bank", {"compaction": "keys", "partitions": 4}),
                             ("counts", {"compaction": "keys"}), ("kept", {"compaction": "keys", "partitions": 2})]:
            answer = server.call("PUT", f"/v1/logs/{name}", {"compaction": "none", **config, **durability})
            assert answer.status == 201, answer
        for kind in {type(client): client for client in self.clients}.values():
            kind.prepare(server)

    def live(self, server, end):
        """Load until `end()` returns; what it does ends the server, or ends nothing."""
        self.lives += 1
        stop, problems = threading.Event(), []

        def run(client):
            try:
                client.run(server, stop)
            except BaseException as problem:  # noqa: BLE001 - it is raised below
                problems.append(problem)

        threads = [threading.Thread(target=run, args=(client,)) for client in self.clients]
        for thread in threads:
            thread.start()
        try:
            end()
        finally:
            stop.set()
            for thread in threads:
                thread.join(2 * PATIENCE_SECONDS)
        if problems:
            raise problems[0]

    def check(self, server):
        """What is there after a restart is what was acknowledged, and at most what was in doubt."""
        contents = self.oracle.check(server, self.logs)
        for client in self.clients:
            client.check(server, contents)

    @property
    def acknowledged(self) -> int:
        return sum(client.acknowledged for client in self.clients)

    def figures(self) -> dict:
        """For people to read."""
        return {"lives": self.lives, "acknowledged": self.acknowledged, "writes_checked": self.oracle.writes_checked,
                "records_checked": self.oracle.records_checked, "in_doubt_kept": self.oracle.doubts_kept,
                "in_doubt_gone": self.oracle.doubts_gone}


def after(seconds, action=lambda: None):
    """What ends a load: some time, then an action."""
    def end():
        time.sleep(seconds)
        action()
    return end
