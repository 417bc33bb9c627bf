"""Rows of the server over HTTP: beside its limit, beside its peers, bulk, and how fast it starts."""
import contextlib
import statistics

from . import load
from .load import CONNECTIONS, Load, client, side_by_side, wrk
from .servers import VALUE, Hello, Memcached, Nginx, Postgres, Pyralog, Redis, Webdis

PLAIN = ("Content-Type: text/plain",)
JSON = ("Content-Type: application/json",)
PUT_SCRIPT = f'wrk.method = "PUT"\nwrk.body = "{VALUE}"\nwrk.headers["Content-Type"] = "text/plain"\n'
EVENT_BYTES = 133
EVENT_CONNECTIONS = 4
PEER_KEYS = 100_000
PIPELINE = 16
RING = "256MB"


def start_rows(table, scratch, quick):
    times = []
    for _ in range(3 if quick else 11):
        with Pyralog(scratch) as server:
            times.append(server.start_seconds * 1000)
    milliseconds = statistics.median(times)
    table.row("start to /readyz 200", milliseconds, "ms", f"memory mode, no logs; median of {len(times)}, page cache warm",
              bar="< 100 ms", met=milliseconds < 100)


def limit_rows(table, scratch, seconds, rounds):
    """One key, the same bytes again and again: what is measured is the way there and back."""
    with Hello(scratch) as hello, Pyralog(scratch) as server:
        key = server.url("/v1/logs/bench/keys/k")
        server.call("PUT", "/v1/logs/bench/keys/k", VALUE.encode(), "text/plain")
        conditions = f"one key of 100 bytes, again and again: warm; wrk -t1 -c{CONNECTIONS}"
        gets = side_by_side({"hello": lambda: wrk(hello.url(), seconds), "pyralog": lambda: wrk(key, seconds)}, rounds)
        compare_with_limit(table, "GET of a 100-byte key", gets, 0.9, conditions)
        puts = side_by_side({
            "hello": lambda: wrk(hello.url(), seconds, script=PUT_SCRIPT, scratch=scratch),
            "pyralog": lambda: wrk(key, seconds, script=PUT_SCRIPT, scratch=scratch)}, rounds)
        compare_with_limit(table, "PUT of a 100-byte value, memory mode", puts, 0.85, conditions)


def compare_with_limit(table, name, loads, bar, conditions):
    ours, limit = loads["pyralog"], loads["hello"]
    table.row(name, ours.rate, "requests/s", conditions, peer="libmicrohttpd", peer_figure=limit.rate, bar=f"≥ {bar} ×",
              met=ours.rate >= bar * limit.rate)
    # Only of GET the p99 has a bar.
    is_judged = name.startswith("GET")
    table.row(f"  p99 of {name.split()[0]}", ours.p99, "ms", "the same", peer="libmicrohttpd", peer_figure=limit.p99,
              bar="≤ 1.3 × or < 2 ms" if is_judged else "",
              met=(ours.p99 <= 1.3 * limit.p99 or ours.p99 < 2) if is_judged else None)


# Peers

def peer_rows(table, scratch, seconds, rounds):
    with contextlib.ExitStack() as started:
        server, nginx, memcached, redis, postgres = (
            started.enter_context(kind(scratch)) for kind in (Pyralog, Nginx, Memcached, Redis, Postgres))
        webdis = started.enter_context(Webdis(scratch, redis))

        def target(protocol, peer, *request, prologue=()):
            def measure():
                result = client(protocol, peer.port, [request], seconds=seconds, keys=PEER_KEYS, prologue=prologue)
                return Load(result.answer_rate, result.p50, result.p99)
            return measure

        fill_peers(server, memcached, redis, postgres)
        upsert = f"insert into kv values ($1, '{VALUE}') on conflict (k) do update set v = excluded.v"
        prologue = load.postgres_prologue(["select v from kv where k = $1", upsert])
        key, many = "############", [f"{'#' * 12}"] * PIPELINE
        ways = {
            "GET of a key": {
                "here": target("http", server, *load.http("GET", f"/v1/logs/k/keys/{key}")),
                "Redis GET": target("redis", redis, *load.redis(("GET", key))),
                f"Redis GET, {PIPELINE} at once": target("redis", redis, *load.redis(*(("GET", k) for k in many))),
                "memcached get": target("memcached", memcached, *load.memcached_get(key)),
                "Webdis /GET": target("http", webdis, *load.http("GET", f"/GET/{key}")),
                "nginx return 200": target("http", nginx, *load.http("GET", "/")),
                "PostgreSQL SELECT": target("postgres", postgres, *load.postgres(0, key), prologue=prologue)},
            "PUT of a key": {
                "here": target("http", server, *load.http("PUT", f"/v1/logs/k/keys/{key}", VALUE, PLAIN)),
                "Redis SET": target("redis", redis, *load.redis(("SET", key, VALUE))),
                f"Redis SET, {PIPELINE} at once": target("redis", redis, *load.redis(*(("SET", k, VALUE) for k in many))),
                "memcached set": target("memcached", memcached, *load.memcached_set(key, VALUE)),
                "Webdis /SET": target("http", webdis, *load.http("GET", f"/SET/{key}/{VALUE}")),
                "PostgreSQL upsert, unlogged": target("postgres", postgres, *load.postgres(1, key), prologue=prologue)},
            "append of a record": {
                "here": target("http", server, *load.http("POST", "/v1/logs/stream/records", f'"{VALUE}"', JSON)),
                "Redis XADD": target("redis", redis, *load.redis(("XADD", "stream", "*", "v", VALUE))),
                f"Redis XADD, {PIPELINE} at once":
                    target("redis", redis, *load.redis(*[("XADD", "stream", "*", "v", VALUE)] * PIPELINE))},
        }
        for name, targets in ways.items():
            measured = side_by_side(targets, rounds)
            ours = measured.pop("here")
            conditions = (f"100-byte values, {short_count(PEER_KEYS)} keys by chance, warm; {CONNECTIONS} connections, one client for all"
                          if "key" in name else f"100 bytes, one log, memory mode; {CONNECTIONS} connections")
            for peer, figure in measured.items():
                table.row(f"{name}, beside {peer}", ours.rate, "a second", conditions, peer="it has", peer_figure=figure.rate)


def short_count(count):
    return f"{count:,}"


def fill_peers(server, memcached, redis, postgres):
    """The same keys everywhere, so that no GET misses."""
    key = "############"
    client("http", server.port, [load.http("PUT", f"/v1/logs/k/keys/{key}", VALUE, PLAIN)], keys=PEER_KEYS, once=True)
    client("redis", redis.port, [load.redis(("SET", key, VALUE))], keys=PEER_KEYS, once=True)
    client("memcached", memcached.port, [load.memcached_set(key, VALUE)], keys=PEER_KEYS, once=True)
    server.log("stream", retention={"max_bytes": RING})
    postgres.sql(f"create unlogged table kv (k int primary key, v text); "
                 f"insert into kv select n, '{VALUE}' from generate_series(0, {PEER_KEYS - 1}) n; analyze kv")


# Bulk

def events(count):
    """NDJSON of lines of 133 bytes, newline included."""
    lines = []
    for number in range(count):
        head = (f'{{"user":"user-{number % 1000:06d}","action":"click","page":"/products/{number:08d}",'
                f'"at":{1700000000000 + number},"note":"')
        lines.append(head + "x" * (EVENT_BYTES - len(head) - 3) + '"}\n')
    return "".join(lines)


def ingest_rows(table, scratch, seconds, rounds):
    body = events((1 << 20) // EVENT_BYTES)
    lines = body.count("\n")
    request = load.http("POST", "/v1/logs/ingest/records", body, ("Content-Type: application/x-ndjson",))
    with Pyralog(scratch) as server:
        server.log("ingest", retention={"max_bytes": RING})

        def measure():
            result = client("http", server.port, [request], connections=EVENT_CONNECTIONS, seconds=seconds)
            return Load(result.rate * lines, result.p50, result.p99)

        # The first round touches every page of the ring: fresh memory is measured apart.
        fresh = client("http", server.port, [request], connections=EVENT_CONNECTIONS, seconds=0.2).rate * lines
        while server.call("GET", "/v1/logs/ingest")["stats"]["partitions"][0]["first"] == 0:
            measure()
        warm = side_by_side({"here": measure}, rounds)["here"].rate
        conditions = f"133-byte events in bodies of 1 MiB, {EVENT_CONNECTIONS} connections, a ring of {RING} gone round: warm"
        table.row("NDJSON ingest", warm, "records/s", conditions, bar="≥ 2 M", met=warm >= 2e6)
        megabytes = warm * EVENT_BYTES / 1e6
        table.row("  the same", megabytes, "MB/s", "the same", bar="≥ 250 MB/s", met=megabytes >= 250)
        table.row("  into memory never touched before", fresh, "records/s", "the first 0.2 s: cold")
