"""A rate limiter: a counter a client and minute."""
import time

from .. import load
from ..comparison import Comparison
from ..load import CONNECTIONS, client, side_by_side
from ..project import fail
from ..servers import Pyralog, Redis, Webdis

CLIENTS = 10_000
KEY = "client-############"
SAME = "client-============"
WINDOW_SECONDS = 60
CHECKED = 5000


def increments(key, same):
    return {
        "Pyralog": load.http("POST", f"/v1/logs/limits/keys/{key}:increment", f'{{"ttl_ms":{WINDOW_SECONDS * 1000}}}',
                             ("Content-Type: application/json",)),
        "Redis INCR, EXPIRE NX": load.redis(("INCR", key), ("EXPIRE", same, WINDOW_SECONDS, "NX")),
        "Webdis INCR": load.http("GET", f"/INCR/{key}")}


def run(scratch, quick):
    seconds, rounds = (1, 1) if quick else (1, 9)
    with Pyralog(scratch) as server, Redis(scratch) as redis, Webdis(scratch, redis) as webdis:
        peers = {"Pyralog": ("http", server), "Redis INCR, EXPIRE NX": ("redis", redis), "Webdis INCR": ("http", webdis)}
        server.log("limits", compaction="keys")
        check(peers, server, redis)
        requests = increments(KEY, SAME)
        comparison = Comparison("Rate limiter", f"a counter that expires {WINDOW_SECONDS} s after its first increment; {CLIENTS:,} counters "
                                f"by chance; {CONNECTIONS} connections, one client for all")

        def target(system):
            protocol, peer = peers[system]
            return lambda: client(protocol, peer.port, [requests[system]], seconds=seconds, keys=CLIENTS).load

        measured = side_by_side({system: target(system) for system in peers}, rounds)
        comparison.measured("increments", measured, {
            "Redis INCR, EXPIRE NX": "two commands sent at once", "Webdis INCR": "without the deadline: one command a request"})
        comparison.say(f"checked: {CHECKED:,} increments of one counter from {CONNECTIONS} connections count {CHECKED:,} in all, and it expires")
        return comparison


def check(peers, server, redis):
    """Every increment counts once, however many connections there are. Webdis has its own key in Redis."""
    for system, key in zip(peers, ("ours", "redis", "webdis")):
        protocol, peer = peers[system]
        client(protocol, peer.port, [increments(key, key)[system]], count=CHECKED)
    counted = [server.call("GET", "/v1/logs/limits/keys/ours"), *(redis.call("GET", key)[0] for key in ("redis", "webdis"))]
    if any(int(count) != CHECKED for count in counted):
        fail(f"rate limiter: {CHECKED} increments were counted as {counted}")
    if not 0 < int(redis.call("TTL", "redis")[0]) <= WINDOW_SECONDS:
        fail("rate limiter: Redis' counter does not expire")
    expires = int(server.head("/v1/logs/limits/keys/ours")["Pyralog-Expires-At"])
    if not 0 < expires - time.time() * 1000 <= WINDOW_SECONDS * 1000:
        fail("rate limiter: the counter does not expire")
