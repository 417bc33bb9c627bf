"""A session store: nine reads, one write with a deadline."""
import time

from .. import load
from ..comparison import Comparison
from ..load import CONNECTIONS, client, side_by_side
from ..project import fail
from ..servers import Memcached, Pyralog, Redis, Webdis

KEY = "session-############"
VALUE = "s" * 1000
TTL_SECONDS = 1800
READS, WRITES = 9, 1


def requests_by_system():
    """(get, put) of each."""
    plain = ("Content-Type: text/plain",)
    return {
        "Pyralog": (load.http("GET", f"/v1/logs/sessions/keys/{KEY}"),
                    load.http("PUT", f"/v1/logs/sessions/keys/{KEY}?ttl_ms={TTL_SECONDS * 1000}", VALUE, plain)),
        "Redis": (load.redis(("GET", KEY)), load.redis(("SET", KEY, VALUE, "EX", TTL_SECONDS))),
        "Webdis": (load.http("GET", f"/GET/{KEY}"), load.http("PUT", f"/SETEX/{KEY}/{TTL_SECONDS}", VALUE)),
        "memcached": (load.memcached_get(KEY), load.memcached_set(KEY, VALUE, TTL_SECONDS))}


def run(scratch, quick):
    keys = 50_000 if quick else 500_000
    seconds, rounds = (1, 1) if quick else (1, 9)
    with Pyralog(scratch) as server, Redis(scratch) as redis, Webdis(scratch, redis) as webdis, Memcached(scratch) as memcached:
        peers = {"Pyralog": ("http", server), "Redis": ("redis", redis), "Webdis": ("http", webdis),
                 "memcached": ("memcached", memcached)}
        server.log("sessions", compaction="keys")
        requests = requests_by_system()
        # Webdis has the keys of its Redis; those are written through Redis, which is faster.
        for system in ("Pyralog", "Redis", "memcached"):
            protocol, peer = peers[system]
            client(protocol, peer.port, [requests[system][1]], keys=keys, once=True)
        check(server, redis, webdis, memcached)
        comparison = Comparison(
            "Session store", f"{READS * 10} % GET, {WRITES * 10} % PUT with a TTL of {TTL_SECONDS} s; {keys:,} keys by chance, values of "
            f"{len(VALUE)} bytes, warm; {CONNECTIONS} connections, one client for all")

        def target(system):
            protocol, peer = peers[system]
            get, put = requests[system]
            return lambda: client(protocol, peer.port, [(*get, READS), (*put, WRITES)], seconds=seconds, keys=keys).load

        measured = side_by_side({system: target(system) for system in peers}, rounds)
        resident = {system: f"{peers[system][1].resident_bytes() / keys:,.0f} bytes resident a key" for system in peers
                    if system != "Webdis"}
        comparison.measured("sessions", measured, resident)
        comparison.say("checked: the same value comes back from all, and its time to live is within its bounds")
        return comparison


def check(server, redis, webdis, memcached):
    key = KEY.replace("#", "0")
    path = f"/v1/logs/sessions/keys/{key}"
    found = {"Pyralog": server.call("GET", path).decode(), "Redis": redis.call("GET", key)[0],
             "Webdis": webdis.call(f"/GET/{key}")["GET"], "memcached": memcached.get(key)}
    wrong = [system for system, value in found.items() if value != VALUE]
    if wrong:
        fail(f"session store: {', '.join(wrong)} answers not what was written")
    left = [int(server.head(path)["Pyralog-Expires-At"]) / 1000 - time.time(), int(redis.call("TTL", key)[0])]
    if not all(0 < seconds <= TTL_SECONDS for seconds in left):
        fail(f"session store: {left} seconds are left of {TTL_SECONDS}")
