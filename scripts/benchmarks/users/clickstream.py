"""A stream of clicks: events come in in batches, and are counted by minute and action."""
import concurrent.futures
import io
import multiprocessing
import os
import time

import duckdb
import psycopg2

from .. import load
from ..comparison import Comparison
from ..load import Load, client, side_by_side
from ..project import fail
from ..servers import Postgres, Pyralog, Redis

CONNECTIONS = 4
BATCH = 1000
# Milliseconds; events are one apart.
START = 1_000_000_000_000
ACTIONS = ("view", "view", "view", "click", "buy")
LINES = ("Content-Type: application/x-ndjson",)
OURS = ("SELECT epoch_ms(tumble(timestamp, INTERVAL 1 MINUTE)) AS minute, action, count(*) AS events, sum(spent) AS spent "
        "FROM clicks GROUP BY ALL ORDER BY ALL")
POSTGRES = ("select (extract(epoch from date_trunc('minute', at)) * 1000)::bigint, action, count(*), sum(spent) "
            "from clicks group by 1, 2 order by 1, 2")
DUCKDB = ("SELECT epoch_ms(time_bucket(INTERVAL 1 MINUTE, \"at\")), action, count(*), sum(spent) FROM clicks "
          "GROUP BY ALL ORDER BY ALL")


def fields(place):
    """What stands at this place of every batch, but for its time."""
    return f"user-{place:03}", ACTIONS[place % len(ACTIONS)], f"/products/{place * 7919 % 1000:05}", place * 31 % 1000 + 1


def line(at, place):
    user, action, page, spent = fields(place)
    return f'{{"at":{at},"user":"{user}","action":"{action}","page":"{page}","spent":{spent}}}\n'


def run(scratch, quick):
    events = 100_000 if quick else 1_000_000
    seconds, rounds = (1, 1) if quick else (1, 7)
    batches = events // BATCH
    with Pyralog(scratch) as server, Redis(scratch) as redis, Postgres(scratch) as postgres:
        database = duckdb.connect(config={"threads": os.cpu_count()})
        database.execute("SET TimeZone = 'UTC'")
        ways = {"Pyralog": lambda: into_pyralog(server, events), "Redis Streams, XADD": lambda: into_redis(redis, events),
                "PostgreSQL, unlogged, COPY": lambda: into_postgres(postgres, batches),
                "DuckDB in process, read_json": lambda: into_duckdb(database, batches, scratch)}
        comparison = Comparison(
            "Clickstream", f"{events:,} events of {len(line(START, 500))} bytes in batches of {BATCH:,}, {CONNECTIONS} connections; "
            "counted and summed by minute and action; events a second in, questions a second out")
        comparison.measured("in", side_by_side(ways, rounds), {
            "Pyralog": "NDJSON over HTTP", "Redis Streams, XADD": f"{BATCH} commands at once",
            "DuckDB in process, read_json": "a file a batch, no protocol"})
        first = time.monotonic()
        server.sql(OURS)
        comparison.say(f"the first question here, which makes the columns: {(time.monotonic() - first) * 1000:.1f} ms")
        rows = check(server, redis, postgres, database, events)
        question = load.http("POST", "/v1/sql", OURS, ("Content-Type: application/sql",))
        prologue = load.postgres_prologue([POSTGRES])
        comparison.measured("out", side_by_side({
            "Pyralog": lambda: client("http", server.port, [question], connections=CONNECTIONS, seconds=seconds).load,
            "PostgreSQL, unlogged": lambda: client("postgres", postgres.port, [load.postgres(0)], connections=CONNECTIONS,
                                                  seconds=seconds, prologue=prologue).load,
            "DuckDB in process": lambda: ask_duckdb(database, seconds)}, rounds),
            {"DuckDB in process": "no protocol"})
        comparison.say(f"checked: the same {rows} windows, counts and sums here, in PostgreSQL and in DuckDB; Redis has the same number of events")
        return comparison


# In: each begins with nothing, and has all events at the end.

def into_pyralog(server, events):
    if "clicks" in [log["name"] for log in server.call("GET", "/v1/logs")["logs"]]:
        server.call("DELETE", "/v1/logs/clicks")
    server.log("clicks", schema={"at": "BIGINT", "user": "VARCHAR", "action": "VARCHAR", "page": "VARCHAR", "spent": "BIGINT"})
    body = "".join(line("1############", place) for place in range(BATCH))
    request = load.http("POST", "/v1/logs/clicks/records?timestamp_field=at", body, LINES)
    return batches_load(client("http", server.port, [request], connections=CONNECTIONS, keys=events, once=True))


def into_redis(redis, events):
    redis.call("FLUSHALL")
    names = "user", "action", "page", "spent"
    commands = [("XADD", "clicks", "*", "at", "1############",
                 *(word for pair in zip(names, fields(place)) for word in pair)) for place in range(BATCH)]
    return batches_load(client("redis", redis.port, [load.redis(*commands)], connections=CONNECTIONS, keys=events, once=True))


def batches_load(result):
    return Load(result.rate * BATCH, result.p50, result.p99)


def timed(times, began):
    times.sort()
    return Load(len(times) * BATCH / (time.monotonic() - began), times[len(times) // 2] * 1000,
                times[len(times) * 99 // 100] * 1000)


def into_postgres(postgres, batches):
    postgres.sql("drop table if exists clicks; create unlogged table clicks "
                 "(at timestamptz, \"user\" text, action text, page text, spent int)")
    # Written before the clock starts, in the form that COPY reads.
    shares = [[copy_text(batch) for batch in range(share, batches, CONNECTIONS)] for share in range(CONNECTIONS)]
    with multiprocessing.get_context("fork").Pool(CONNECTIONS) as pool:
        pool.map(time.sleep, [0.05] * CONNECTIONS)
        began = time.monotonic()
        times = [seconds for part in pool.starmap(copy_batches, [(postgres.port, share) for share in shares], chunksize=1)
                 for seconds in part]
        return timed(times, began)


def copy_text(batch):
    rows = []
    for place in range(BATCH):
        at = START + batch * BATCH + place
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 1000))
        rows.append("\t".join((f"{stamp}.{at % 1000:03}+00", *map(str, fields(place)))))
    return "\n".join(rows) + "\n"


def copy_batches(port, texts):
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")
    connection.autocommit = True
    times = []
    with connection.cursor() as cursor:
        for text in texts:
            began = time.monotonic()
            cursor.copy_expert("copy clicks from stdin", io.StringIO(text))
            times.append(time.monotonic() - began)
    connection.close()
    return times


def into_duckdb(database, batches, scratch):
    directory = os.path.join(scratch, "batches")
    if not os.path.isdir(directory):
        os.mkdir(directory)
        for batch in range(batches):
            with open(os.path.join(directory, f"{batch}.ndjson"), "w") as file:
                file.writelines(line(START + batch * BATCH + place, place) for place in range(BATCH))
    database.execute("CREATE OR REPLACE TABLE clicks (\"at\" TIMESTAMP, \"user\" VARCHAR, action VARCHAR, page VARCHAR, spent BIGINT)")

    def insert(share):
        cursor = database.cursor()
        times = []
        for batch in range(share, batches, CONNECTIONS):
            began = time.monotonic()
            cursor.execute(
                f"INSERT INTO clicks SELECT make_timestamp(\"at\" * 1000), \"user\", action, page, spent FROM read_json("
                f"'{directory}/{batch}.ndjson', format = 'newline_delimited', columns = {{'at': 'BIGINT', 'user': 'VARCHAR', "
                f"action: 'VARCHAR', page: 'VARCHAR', spent: 'BIGINT'}})")
            times.append(time.monotonic() - began)
        return times
    return in_threads(insert)


def in_threads(body):
    """DuckDB lets go of the interpreter while it works."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        times = [seconds for part in pool.map(body, range(CONNECTIONS)) for seconds in part]
    return timed(times, began)


# Out

def ask_duckdb(database, seconds):
    end = time.monotonic() + seconds

    def ask(_):
        cursor = database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        times = []
        while time.monotonic() < end:
            began = time.monotonic()
            cursor.execute(DUCKDB).fetchall()
            times.append(time.monotonic() - began)
        return times
    asked = in_threads(ask)
    return Load(asked.rate / BATCH, asked.p50, asked.p99)


def check(server, redis, postgres, database, events):
    """How many windows there are; ends the script where answers differ."""
    ours = [tuple(map(str, row)) for row in server.sql(OURS)]
    others = {"PostgreSQL": [tuple(row) for row in postgres.sql(POSTGRES)],
              "DuckDB": [tuple(map(str, row)) for row in database.execute(DUCKDB).fetchall()]}
    for system, rows in others.items():
        if rows != ours:
            fail(f"clickstream: {system} has other windows: {rows[:3]}, here {ours[:3]}")
    if sum(int(row[2]) for row in ours) != events or int(redis.call("XLEN", "clicks")[0]) != events:
        fail(f"clickstream: {events} events were sent, and others are there")
    return len(ours)
