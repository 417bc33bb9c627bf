"""Rows of what needs no server: the engine and SQL in process, and the traces of caches."""
import json
import re
import subprocess

from .project import duckdb_library, fail, product
from .table import short

GROUPS = ("memory", "append", "read", "keys", "latency", "transactions", "expiry")
SQL_ROWS = 10_000_000
SQL_ROWS_QUICK = 2_000_000


def output_of(*command, may_fail=False):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and not may_fail:
        fail(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout


def engine_rows(table):
    for row in json.loads(output_of(product("pyralog-bench"), "--json", *GROUPS)):
        bar = ""
        if row["bar"] is not None:
            # The program judges; which side of the bar is the good one follows from that.
            is_floor = row["value"] != row["bar"] and row["met"] == (row["value"] > row["bar"])
            bar = ("≥ " if is_floor else "≤ ") + short(row["bar"])
        table.row(row["name"], row["value"], row["unit"], row["conditions"] + "; in process", bar=bar, met=row["met"])


def sql_rows(table, quick):
    rows = SQL_ROWS_QUICK if quick else SQL_ROWS
    text = output_of(product("pyralog-bench-sql"), duckdb_library(), str(rows))
    found = re.findall(r"^(.+): live ([\d.]+) ms, table ([\d.]+) ms \(with pruning [\d.]+\)", text, re.MULTILINE)
    if not found:
        fail(f"pyralog-bench-sql printed no comparison:\n{text}")
    for name, live, table_time in found:
        ratio = float(table_time) / float(live)
        table.row(f"SQL, {name}", float(live), "ms",
                  f"{rows // 1_000_000} M live events of some 105 bytes, columns extracted: warm; 2 threads, medians of 21 by turns",
                  peer="DuckDB's own table, ms", peer_figure=float(table_time), ratio=ratio, bar="≥ 0.9 × as fast",
                  met=ratio >= 0.9)


def trace_rows(table, quick):
    """The torture test's traces; it judges for itself too, and what it finds wrong is a row here, not an end."""
    text = output_of(product("pyralog-torture"), "--scale", "0.3" if quick else "1", "traces", may_fail=True)
    head = re.search(r"(\d+) operations over (\d+) keys", text)
    found = re.findall(r"^\s*(lru.*?): misses ([\d.]+) %, exact LRU of (\d+) entries ([\d.]+) %", text, re.MULTILINE)
    if not head or not found:
        fail(f"pyralog-torture printed no traces:\n{text}")
    operations, keys = (int(number) for number in head.groups())
    for name, misses, entries, exact in found:
        table.row(f"misses of {name}", float(misses), "%",
                  f"Zipf(0.99), {short(operations)} operations over {short(keys)} keys, memory for {short(int(entries))}; in process",
                  peer="exact LRU, %", peer_figure=float(exact), bar="≤ 2 points above",
                  met=float(misses) - float(exact) <= 2)
