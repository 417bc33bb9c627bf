"""The 22 queries of TPC-H over logs: the answers are the ones that DuckDB gives over the same rows itself."""

import datetime
import decimal
import pathlib
import re
import subprocess
import sys
import time

import duckdb
import pytest

from support import report
from support.sql import NDJSON, SQLServer

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
SCALE = 0.1
QUERIES = {int(number): text for number, text in re.findall(
    r"-- query (\d+)\n(.*?);\n",
    (pathlib.Path(__file__).parent / "support" / "tpch.sql").read_text(), re.DOTALL)}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The rows as Parquet files, and as lines."""
    folder = tmp_path_factory.mktemp("tpch")
    tool = pathlib.Path(sys.executable).parent / "tpchgen-cli"
    subprocess.run([str(tool), "parquet", "-s", str(SCALE), f"--output-dir={folder}"], check=True)
    connection = duckdb.connect()
    for table in TABLES:
        connection.execute(f"COPY (FROM '{folder}/{table}.parquet') TO '{folder}/{table}.ndjson' (FORMAT "
                           f"json)")
    return folder


@pytest.fixture(scope="module")
def local(tables):
    connection = duckdb.connect()
    for table in TABLES:
        connection.execute(f"CREATE TABLE {table} AS FROM '{tables}/{table}.parquet'")
    return connection


def load(server, tables, local, declared):
    for table in TABLES:
        fields = {name: kind for name, kind, *_ in local.execute(f"DESCRIBE {table}").fetchall()}
        config = {"schema": fields} if declared else {}
        answer = server.call("PUT", f"/v1/logs/{table}", config)
        assert answer.status == 201, answer
        with open(tables / f"{table}.ndjson", "rb") as lines:
            answer = server.call("POST", f"/v1/logs/{table}/records?atomic=false", lines,
                                 {"Content-Type": NDJSON})
        assert answer.status == 201, answer
        assert answer.json()["count"] == local.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.fixture(scope="module")
def server(tables, local):
    with SQLServer("--max-memory", "6GB", "--sql-memory", "2GB") as running:
        start = time.monotonic()
        load(running, tables, local, declared=True)
        seconds = {"load": time.monotonic() - start}
        running.seconds = seconds
        yield running
        report.note("tpch", scale=SCALE, seconds={name: round(value, 3) for name, value in seconds.items()})


def as_told(value):
    """A value of DuckDB's as JSON has it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def rounded(row):
    """Sums of doubles differ in the last digits by the order of their terms."""
    return tuple(float(f"{float(value):.10g}") if isinstance(value, (float, decimal.Decimal)) else value
                 for value in row)


def test_there_are_22_queries():
    assert sorted(QUERIES) == list(range(1, 23))


def test_declared_columns_have_their_types(server, local):
    for table in TABLES:
        fields = [row[:2] for row in local.execute(f"DESCRIBE {table}").fetchall()]
        described = [row[:2] for row in server.rows(f"DESCRIBE {table}")]
        assert sorted(described[:len(fields)]) == sorted(fields), table


def test_all_rows_come_back_exactly(server, local):
    for table in TABLES:
        columns = ", ".join(row[0] for row in local.execute(f"DESCRIBE {table}").fetchall())
        check = f"SELECT count(*), bit_xor(hash({columns})), min({columns.split(', ')[0]}) FROM {table}"
        assert server.rows(check) == local.execute(check).fetchall(), table


@pytest.mark.parametrize("number", sorted(QUERIES))
def test_a_query_of_tpch_is_answered_as_by_duckdb(server, local, number):
    query = QUERIES[number]
    expected = [tuple(map(as_told, row)) for row in local.execute(query).fetchall()]
    columns = [column[0] for column in local.description]
    types = [row[1] for row in local.execute(f"DESCRIBE {query}").fetchall()]
    start = time.monotonic()
    answer = server.query(query)
    server.seconds[f"query {number}"] = time.monotonic() - start
    assert (answer.names, answer.types) == (columns, types)
    assert expected, "a query without rows shows nothing"
    # The order of what ties in ORDER BY is nobody's.
    ours, theirs = sorted(answer.rows, key=repr), sorted(expected, key=repr)
    if "DOUBLE" in types:
        ours, theirs = sorted(map(rounded, ours), key=repr), sorted(map(rounded, theirs), key=repr)
    assert ours == theirs


def test_without_declared_types_the_queries_that_need_no_dates_agree(tables, local):
    """Dates are texts then, and prices doubles: a query that computes with dates has to cast them."""
    with SQLServer("--max-memory", "6GB", "--sql-memory", "2GB") as server:
        load(server, tables, local, declared=False)
        outcome = {}
        for number, query in QUERIES.items():
            answer = server.ask(query)
            if answer.status != 200:
                outcome[number] = answer.detail.partition("\n")[0]
                continue
            ours = sorted((rounded(told(row)) for row in answer.json()["rows"]), key=repr)
            theirs = sorted((rounded(told(row)) for row in local.execute(query).fetchall()), key=repr)
            outcome[number] = "equal" if ours == theirs else "different"
        report.note("tpch without declared types", outcome=outcome)
        assert "different" not in outcome.values(), outcome
        assert [number for number, what in outcome.items() if what == "equal"], outcome


def told(row):
    """Numbers alike, whatever their types."""
    return [float(value) if isinstance(value, (int, float, decimal.Decimal)) else as_told(value)
            for value in row]
