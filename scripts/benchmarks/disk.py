"""What the disk costs: acknowledged writes by number of connections and by mode, and recovery of the write-ahead log."""
import glob
import os
import shutil
import subprocess
import time

from . import load
from .load import client
from .servers import VALUE, Postgres, Pyralog, Redis
from .web import JSON, PLAIN

KEYS = 100_000
WAL_BYTES = (1 << 30) + (192 << 20)
LINE = '{"user":1234,"event":"click","page":"/a/b/c","n":123456789}\n'
PUT = "PUT", "/v1/logs/%s/keys/############", VALUE, PLAIN
BATCH = "POST", "/v1/logs/%s/records", LINE * 1000, ("Content-Type: application/x-ndjson",)
GET = "GET", "/v1/logs/%s/keys/############"
TRANSFER = ("POST", "/v1/transactions",
            '{"then":[{"increment":{"log":"%s","key":"a############","by":-1}},'
            '{"increment":{"log":"%s","key":"b############","by":1}}]}', JSON)


def request(parts, log):
    return load.http(*(part.replace("%s", log) if isinstance(part, str) else part for part in parts))


def fdatasync_milliseconds(directory):
    """The limit: writing 512 bytes and waiting for the disk."""
    path = os.path.join(directory, "sync")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(file, b"\0" * (1 << 22))
    os.fsync(file)
    count = 300
    began = time.monotonic()
    for index in range(count):
        os.pwrite(file, b"x" * 512, index * 512)
        os.fdatasync(file)
    seconds = time.monotonic() - began
    os.close(file)
    os.remove(path)
    return seconds / count * 1000


# Acknowledged from disk, by number of connections: {connections: writes a second}

def pyralog_writes(scratch, connections, seconds):
    with Pyralog(scratch, "--data-dir", os.path.join(scratch, "writes")) as server:
        server.log("k", mode="persistent", compaction="keys")
        rates = {count: client("http", server.port, [request(PUT, "k")], connections=count, seconds=seconds, keys=KEYS).rate
                 for count in connections}
    shutil.rmtree(os.path.join(scratch, "writes"))
    return rates


def redis_writes(scratch, connections, seconds):
    with Redis(scratch, "--appendonly", "yes", "--appendfsync", "always") as redis:
        put = load.redis(("SET", "############", VALUE))
        return {count: client("redis", redis.port, [put], connections=count, seconds=seconds, keys=KEYS).rate
                for count in connections}


def postgres_writes(scratch, connections, seconds):
    with Postgres(scratch) as postgres:
        postgres.sql("create table kv (k int primary key, v text)")
        prologue = load.postgres_prologue(
            [f"insert into kv values ($1, '{VALUE}') on conflict (k) do update set v = excluded.v"])
        put = load.postgres(0, "############")
        return {count: client("postgres", postgres.port, [put], connections=count, seconds=seconds, keys=KEYS,
                              prologue=prologue).rate for count in connections}


# By mode

MODES = {"memory": {"mode": "memory"}, "always": {"mode": "persistent"},
         "interval": {"mode": "persistent", "durability": {"fsync": "interval"}}, "hybrid": {"mode": "hybrid"}}


def rates_by_mode(scratch, seconds):
    """{what: {mode: a second}}"""
    directory = os.path.join(scratch, "modes")
    rows = {}
    with Pyralog(scratch, "--data-dir", directory) as server:
        for mode, config in MODES.items():
            keyed, plain = f"k-{mode}", f"r-{mode}"
            server.log(keyed, **config, compaction="keys")
            server.log(plain, **config, retention={"max_bytes": "256MiB"})

            def measure(parts, log, connections, keys=KEYS):
                return client("http", server.port, [request(parts, log)], connections=connections, seconds=seconds, keys=keys).rate

            # So that no read misses.
            client("http", server.port, [request(PUT, keyed)], keys=1000, once=True)
            for name, rate in (("write, 64 connections", measure(PUT, keyed, 64)),
                               ("write, 1 connection", measure(PUT, keyed, 1)),
                               ("batch of 1000, 8 connections", 1000 * measure(BATCH, plain, 8)),
                               ("read, 64 connections", measure(GET, keyed, 64, 1000)),
                               ("2-key transaction, 64 connections", measure(TRANSFER, keyed, 64, 512))):
                rows.setdefault(name, {})[mode] = rate
    shutil.rmtree(directory)
    return rows


# Recovery

def recovery(scratch):
    """A gibibyte of write-ahead log that no checkpoint has cut, warm page cache: (bytes, seconds until ready, of `cat`)."""
    directory = os.path.join(scratch, "recovery")
    flags = ("--data-dir", directory, "--checkpoint-bytes", "4GiB")
    files = os.path.join(directory, "wal", "*.wal")
    with Pyralog(scratch, *flags) as server:
        server.log("r", mode="persistent", durability={"fsync": "never"})
        while sum(os.path.getsize(path) for path in glob.glob(files)) < WAL_BYTES:
            client("http", server.port, [request(BATCH, "r")], connections=4, seconds=0.5)
        server.end(9)
    paths = glob.glob(files)
    began = time.monotonic()
    subprocess.run(["cat", *paths], stdout=subprocess.DEVNULL, check=True)
    cat = time.monotonic() - began
    size = sum(os.path.getsize(path) for path in paths)
    with Pyralog(scratch, *flags) as again:
        seconds = again.start_seconds
        again.end(9)
    shutil.rmtree(directory)
    return size, seconds, cat


# Rows of the one table

def disk_rows(table, scratch, seconds):
    ours = pyralog_writes(scratch, (1, 64), seconds)
    conditions = f"100-byte values, {KEYS:,} keys by chance, acknowledged after fdatasync ({fdatasync_milliseconds(scratch):.2f} ms)"
    table.row("persistent PUT, 64 connections", ours[64], "requests/s", conditions, peer="one connection", peer_figure=ours[1],
              bar="≥ 20 ×", met=ours[64] >= 20 * ours[1])
    table.row("  beside Redis, appendfsync always", ours[64], "requests/s", "the same; 64 connections", peer="Redis SET",
              peer_figure=redis_writes(scratch, (64,), seconds)[64])
    table.row("  beside PostgreSQL, a logged table", ours[64], "requests/s", "the same; 64 connections", peer="upsert",
              peer_figure=postgres_writes(scratch, (64,), seconds)[64])
    size, ready, cat = recovery(scratch)
    table.row("recovery of 1 GiB of write-ahead log", ready, "s",
              f"{size >> 20:,} MiB of records of 60 bytes, killed without a checkpoint; page cache warm", peer="cat of the files, s",
              peer_figure=cat, bar="< 3 s", met=ready < 3)
