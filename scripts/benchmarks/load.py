"""Load and what it measured: wrk for plain HTTP, LoadClient for every protocol that is compared with another."""
import collections
import json
import os
import re
import statistics
import struct
import subprocess
import tempfile

from .project import fail, product

CONNECTIONS = 64
# What a figure of load consists of: a second, and milliseconds.
Load = collections.namedtuple("Load", "rate p50 p99")
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}


def wrk(url, seconds, connections=CONNECTIONS, script=None, scratch=None, threads=1):
    """Requests a second over HTTP, each connection sending the next one when it has its answer."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    if script:
        path = os.path.join(scratch, "request.lua")
        with open(path, "w") as file:
            file.write(script)
        command += ["-s", path]
    done = subprocess.run(command + [url], capture_output=True, text=True)
    text = done.stdout
    if done.returncode or "Non-2xx" in text or "Socket errors" in text:
        fail(f"{url} answered with errors:\n{text}{done.stderr}")
    p50, p99 = (float(number) * UNITS[unit] for number, unit in re.findall(r"(?:50|99)%\s+([\d.]+)(us|ms|s|m)\b", text))
    return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), p50, p99)


def http(method, path, body="", headers=(), answers=1):
    """A request as bytes, with its place in a mix: (answers, bytes)."""
    data = body if isinstance(body, bytes) else body.encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if method not in ("GET", "HEAD", "DELETE"):
        lines.append(f"Content-Length: {len(data)}")
    return answers, "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def redis(*commands):
    """Commands sent at once, each a tuple of words: (answers, bytes)."""
    def encoded(command):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return len(commands), b"".join(map(encoded, commands))


def memcached_get(key):
    return 1, f"get {key}\r\n".encode()


def memcached_set(key, value, seconds=0):
    return 1, f"set {key} 0 {seconds} {len(value)}\r\n{value}\r\n".encode()


def postgres_message(kind, *parts):
    content = b"".join(parts)
    return kind + struct.pack("!i", len(content) + 4) + content


POSTGRES_SYNC = postgres_message(b"S")


def postgres_prologue(statements):
    """What a connection begins with: who it is, and statements that are prepared, named by their place."""
    prologue = [(1, postgres_message(b"", struct.pack("!i", 196608), b"user\0postgres\0database\0postgres\0\0"))]
    for number, statement in enumerate(statements):
        text = b"%d\0%s\0\0\0" % (number, statement.encode())
        prologue.append((1, postgres_message(b"P", text) + POSTGRES_SYNC))
    return prologue


def postgres(number, *parameters):
    """Runs a statement of the prologue."""
    values = b"".join(struct.pack("!i", len(value)) + value.encode() for value in parameters)
    bind = b"\0%d\0\0\0%s%s\0\0" % (number, struct.pack("!h", len(parameters)), values)
    return 1, postgres_message(b"B", bind) + postgres_message(b"E", b"\0\0\0\0\0") + POSTGRES_SYNC


class Result:
    """What LoadClient measured. Rates are of requests, `answers` counts each answer of those that have several."""

    def __init__(self, figures):
        self.figures = figures
        self.seconds = figures["seconds"]
        self.rate = figures["requests"] / self.seconds
        self.answer_rate = figures["answers"] / self.seconds
        self.p50, self.p99 = figures["p50_ns"] / 1e6, figures["p99_ns"] / 1e6
        self.misses = figures["misses"]
        self.load = Load(self.rate, self.p50, self.p99)
        self.by_request = [Load(part["requests"] / self.seconds, part["p50_ns"] / 1e6, part["p99_ns"] / 1e6)
                           for part in figures["by_request"]]


def client(protocol, port, requests, connections=CONNECTIONS, seconds=1, keys=1, first=0, once=False, count=0,
           misses=False, prologue=()):
    """Requests are (answers, bytes) or (answers, bytes, weight). `once` sends one for each key from `first` to `keys`, in order;
    `count` ends it after so many.

    Errors end the script, and so do keys that are not found unless `misses` allows them.
    """
    with request_file(requests) as file, request_file(prologue) as beginning:
        options = {"prologue": beginning.name} if prologue else {}
        figures = run_client(protocol=protocol, port=port, connections=connections, seconds=seconds, keys=keys, first=first,
                             count=count, order="once" if once else "random", requests=file.name, **options)
    problems = [f"{figures[name]} {name}" for name in ("errors", "reconnects") if figures[name]]
    if figures["misses"] and not misses:
        problems.append(f"{figures['misses']} keys not found")
    if problems or not figures["requests"]:
        fail(f"{protocol} on port {port}: {', '.join(problems) or 'no answer in time'}; {figures['error']}")
    return Result(figures)


def request_file(requests):
    file = tempfile.NamedTemporaryFile(prefix="pyralog-bench-")
    for answers, content, *weight in requests:
        file.write(b"%d %d %d\n%s\n" % (weight[0] if weight else 1, answers, len(content), content))
    file.flush()
    return file


def tails(port, log, connections, rate, seconds):
    """Event streams of one log while one client appends to it at a steady rate."""
    return run_client("tails", port=port, log=log, connections=connections, rate=rate, seconds=seconds)


def run_client(*words, **options):
    command = [product("LoadClient"), *words, *(f"{name}={value}" for name, value in options.items())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        fail(f"{done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)


def side_by_side(targets, rounds):
    """Medians for each target, a function that returns a `Load`; they take turns, so that a noisy minute hits all."""
    runs = {name: [] for name in targets}
    for _ in range(rounds):
        for name, measure in targets.items():
            runs[name].append(measure())
    return {name: Load(*map(statistics.median, zip(*loads))) for name, loads in runs.items()}
