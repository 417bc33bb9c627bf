"""How cost grows with connections, logs, keys, the size of a value, and tails. Each group is a list of points."""
import socket

from . import load
from .load import CONNECTIONS, client
from .project import fail
from .servers import VALUE, Hello, Pyralog, Redis
from .web import PLAIN

# Fifty bytes.
KEY = "user-############-at-a-shop-with-very-long-names-1"
ROWS_A_BODY = 5000
VALUE_CONNECTIONS = 8
VALUE_KEYS = 16
VALUE_BYTES_MAX = 32 << 20
TAIL_RATES = (100, 1000)
RUNS = 3


def point(curve, x, result, server, before, **more):
    """What a run of the client showed; processor time is in cores, of the server's user and system time, and of the client."""
    user, system = (round((end - start) / result.seconds, 2) for start, end in zip(before, server.processor_seconds()))
    return dict(curve=curve, x=x, rate=result.rate, p50_ms=result.p50, p99_ms=result.p99, server_user=user, server_system=system,
                client=result.figures["client_busy"], resident=server.resident_bytes(), **more)


def run(curve, x, server, protocol, request, seconds, runs=RUNS, **options):
    """The middle one of its runs: which of a server's threads accepts how many connections is drawn anew in each."""
    found = []
    for _ in range(runs):
        before = server.processor_seconds()
        result = client(protocol, server.port, [request], seconds=seconds / runs, **options)
        found.append(point(curve, x, result, server, before))
    return sorted(found, key=lambda point: point["rate"])[runs // 2]


def powers(limit):
    """1, 2, 4 … and the limit itself."""
    value = 1
    while value < limit:
        yield value
        value *= 2
    yield limit


def connections(scratch, quick):
    seconds = 0.6 if quick else 2.4
    points = []
    with Hello(scratch) as hello, Pyralog(scratch) as server, Redis(scratch) as redis:
        server.call("PUT", "/v1/logs/growth/keys/k", VALUE.encode(), "text/plain")
        redis.call("SET", "k", VALUE)
        path = "/v1/logs/growth/keys/k"
        ways = {"GET of a key": (server, "http", load.http("GET", path)), "PUT of a key": (server, "http", load.http("PUT", path, VALUE, PLAIN)),
                "bare libmicrohttpd": (hello, "http", load.http("GET", "/")), "Redis GET": (redis, "redis", load.redis(("GET", "k")))}
        for count in [1, 16, 256, 2000] if quick else powers(2000):
            for curve, (peer, protocol, request) in ways.items():
                points.append(run(curve, count, peer, protocol, request, connections=count, seconds=seconds))
    return points


def logs(scratch, quick):
    seconds = 0.5 if quick else 3
    points = []
    for count in [1, 100, 10_000] if quick else [1, 10, 100, 1000, 10_000]:
        with Pyralog(scratch) as server:
            idle = server.resident_bytes()
            put = load.http("PUT", "/v1/logs/log-############/keys/k", VALUE, PLAIN)
            made = client("http", server.port, [put], keys=count, once=True)
            each = (server.resident_bytes() - idle) / count
            for curve, request in (("PUT", put), ("GET", load.http("GET", "/v1/logs/log-############/keys/k"))):
                points.append(run(curve, count, server, "http", request, seconds=seconds, keys=count)
                              | dict(made_a_second=made.rate, resident_each=each))
    return points


def keys(scratch, quick):
    seconds = 0.5 if quick else 3
    points = []
    lines = f'{{"k":"{KEY}","v":1}}\n' * ROWS_A_BODY
    fill = load.http("POST", "/v1/logs/keys/records?key_field=k", lines, ("Content-Type: application/x-ndjson",))
    one = load.http("PUT", f"/v1/logs/keys/keys/{KEY}", '{"v":1}', ("Content-Type: application/json",))
    get = load.http("GET", f"/v1/logs/keys/keys/{KEY}")
    with Pyralog(scratch) as server:
        server.log("keys", compaction="keys")
        idle = server.resident_bytes()
        there = 0
        for count in [1000, 100_000, 1_000_000] if quick else [
                1000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, 50_000_000]:
            # The first thousand one by one: a body has more.
            request = one if count == 1000 else fill
            filled = client("http", server.port, [request], connections=2, keys=count, first=there, once=True)
            there = count
            each = (server.resident_bytes() - idle) / count
            for curve, request in (("GET", get), ("PUT of a key that is there", one)):
                points.append(run(curve, count, server, "http", request, seconds=seconds, keys=count)
                              | dict(filled_a_second=filled.rate * (1 if count == 1000 else ROWS_A_BODY), resident_each=each))
        held = server.call("GET", "/v1/logs/keys")["stats"]["partitions"][0]["live_records"]
        if held != there:
            fail(f"{there} keys were written, {held} are there")
    return points


def values(scratch, quick):
    points = []
    with Pyralog(scratch) as server, Redis(scratch) as redis:
        server.log("values", compaction="keys")
        for size in [16, 4096, 1 << 20, 16 << 20] if quick else [16 << shift for shift in range(0, 21, 2)] + [VALUE_BYTES_MAX]:
            value = b"v" * size
            plain = ("Content-Type: application/octet-stream",)
            ways = {"PUT": (server, "http", load.http("PUT", "/v1/logs/values/keys/############", value, plain)),
                    "GET": (server, "http", load.http("GET", "/v1/logs/values/keys/############")),
                    "Redis SET": (redis, "redis", load.redis(("SET", "############", value))),
                    "Redis GET": (redis, "redis", load.redis(("GET", "############")))}
            for peer, protocol, request in (ways["PUT"], ways["Redis SET"]):
                client(protocol, peer.port, [request], connections=1, keys=VALUE_KEYS, once=True)
            # Of requests that take a second the last ones, which are not answered in time, would be missed.
            seconds, runs = (0.3, 1) if quick else (1.5, RUNS) if size < 4 << 20 else (5, 1)
            for curve, (peer, protocol, request) in ways.items():
                found = run(curve, size, peer, protocol, request, runs=runs, connections=VALUE_CONNECTIONS, seconds=seconds,
                            keys=VALUE_KEYS)
                # What is drawn is how much goes by.
                points.append(found | dict(requests=found["rate"], rate=found["rate"] * size / 1e6))
        refused = status_of_put(server, "/v1/logs/values/keys/larger", VALUE_BYTES_MAX + 1)
        if refused != 413:
            fail(f"a value of {VALUE_BYTES_MAX + 1} bytes is answered with {refused}, not 413")
    return points


def status_of_put(server, path, size):
    """What the head of a PUT is answered with, before any of the body is sent."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
                           f"Content-Length: {size}\r\n\r\n".encode())
        return int(connection.recv(100).split()[1])


def tails(scratch, quick):
    seconds = 1 if quick else 4
    points = []
    for rate in TAIL_RATES:
        for count in [1, 10, 100, 1000] if quick else [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]:
            with Pyralog(scratch) as server:
                server.log("tailed")
                before = server.processor_seconds()
                found = load.tails(server.port, "tailed", count, rate, seconds)
                user, system = (round((end - start) / found["seconds"], 2) for start, end in zip(before, server.processor_seconds()))
                points.append(dict(
                    curve=f"{rate} appends a second", x=count, rate=found["rate"], p50_ms=found["p50_ns"] / 1e6,
                    p99_ms=found["p99_ns"] / 1e6, missing=found["appended"] * count - found["arrived"], cut_off=found["closed"],
                    appended_a_second=found["appended"] / seconds, append_p99_ms=found["append_p99_ns"] / 1e6, server_user=user, server_system=system, resident=server.resident_bytes()))
    return points


# By group: what is measured, the axis below, the axis of throughput.
GROUPS = {
    "connections": (connections, "connections", "requests a second"),
    "logs": (logs, f"logs, one key each, {CONNECTIONS} connections", "requests a second"),
    "keys": (keys, f"keys of {len(KEY)} bytes in one log, by chance, {CONNECTIONS} connections", "requests a second"),
    "values": (values, f"bytes of a value, {VALUE_CONNECTIONS} connections", "megabytes a second"),
    "tails": (tails, "event streams that follow one log", "records delivered a second"),
}
