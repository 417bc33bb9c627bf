"""Queries: servers that have DuckDB, and answers as Python values."""

import decimal
import json
import os
import pathlib

from .server import REPOSITORY, Server

NDJSON = "application/x-ndjson"
UNPACKED_LIBRARY = REPOSITORY / ".deps" / "duckdb" / "libduckdb-2.0.0.so"


def library() -> pathlib.Path:
    """DuckDB for the servers: the one that PYRALOG_DUCKDB_LIBRARY names, else the one that set-up unpacks."""
    path = pathlib.Path(os.environ.get("PYRALOG_DUCKDB_LIBRARY", UNPACKED_LIBRARY))
    assert path.is_file(), f"{path} is not there: scripts/bootstrap unpacks it"
    return path


class SQLServer(Server):
    """A server that finds DuckDB wherever its executable lies."""

    def __init__(self, *arguments, environment=None, **options):
        environment = {"PYRALOG_DUCKDB_LIBRARY": str(library()), **(environment or {})}
        super().__init__(*arguments, environment=environment, **options)

    def ask(self, sql, params=None, accept=None, timeout_ms=None, after=None, timeout=60):
        """One query, whatever comes of it."""
        body = {"sql": sql}
        if params is not None:
            body["params"] = params
        if timeout_ms is not None:
            body["timeout_ms"] = timeout_ms
        path = "/v1/sql" + (f"?after={after}" if after else "")
        return self.call("POST", path, body, {"Accept": accept} if accept else None, timeout=timeout)

    def query(self, sql, params=None, **options) -> "Rows":
        """The rows of a query that must succeed."""
        answer = self.ask(sql, params, **options)
        assert answer.status == 200, f"{sql[:500]}\n{answer}"
        return Rows(answer)

    def rows(self, sql, params=None, **options) -> list[tuple]:
        return self.query(sql, params, **options).rows

    def value(self, sql, params=None, **options):
        """The only value of the only row."""
        rows = self.rows(sql, params, **options)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]

    def append(self, log, values, **parameters):
        """Appends JSON values as lines. Returns the answer's document."""
        lines = "".join(json.dumps(value) + "\n" for value in values)
        return self.append_lines(log, lines.encode(), **parameters)

    def append_lines(self, log, lines, **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = self.call("POST", f"/v1/logs/{log}/records?{query}", lines, {"Content-Type": NDJSON})
        assert answer.status == 201, answer
        return answer.json()

    def put(self, log, key, value, **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = self.call("PUT", f"/v1/logs/{log}/keys/{key}?{query}", json.dumps(value),
                           {"Content-Type": "application/json"})
        assert answer.status in (200, 201), answer
        return answer.json()


class Rows:
    """A JSON answer; numbers with a point are exact decimals."""

    def __init__(self, answer):
        assert answer.headers["content-type"] == "application/json", answer
        document = json.loads(answer.body, parse_float=decimal.Decimal)
        assert list(document) == ["columns", "rows", "row_count", "elapsed_ms"], document.keys()
        assert document["row_count"] == len(document["rows"])
        assert all(len(row) == len(document["columns"]) for row in document["rows"])
        self.identifier = answer.headers["pyralog-query-id"]
        self.names = [column["name"] for column in document["columns"]]
        self.types = [column["type"] for column in document["columns"]]
        self.rows = [tuple(row) for row in document["rows"]]


def is_refused(answer) -> bool:
    """A refusal by the fence or by DuckDB."""
    return (answer.status, answer.code) in ((400, "query_error"), (403, "forbidden"))
