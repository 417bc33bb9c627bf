"""What generated requests are kept from: waiting, and being refused by the HTTP parser before the server sees them."""

import json
import urllib.parse

import schemathesis

# A long poll of a minute finds nothing that one of 20 ms does not.
WAIT_MILLISECONDS_MAX = 20
# Each time the clock is moved.
CLOCK_MILLISECONDS_MAX = 60_000
# Of the target of a request, encoded. Beyond the limit the parser answers by itself; test_hardening.py looks at that.
TARGET_BYTES_MAX = 15_000


@schemathesis.hook
def map_query(context, query):
    value = (query or {}).get("wait_ms")
    if isinstance(value, int) and not isinstance(value, bool) and WAIT_MILLISECONDS_MAX < value <= 60_000:
        query["wait_ms"] = WAIT_MILLISECONDS_MAX
    return query


@schemathesis.hook
def map_body(context, body):
    """The clock stays within this century, or it would soon refuse to move; test_memory.py goes to its limits."""
    if isinstance(body, dict) and isinstance(body.get("advance_ms"), int) and not isinstance(body["advance_ms"], bool):
        if CLOCK_MILLISECONDS_MAX < body["advance_ms"] <= 3_155_760_000_000:
            body["advance_ms"] = CLOCK_MILLISECONDS_MAX
    if context.operation.path == "/v1/sql":
        if isinstance(body, dict):
            if "sql" in body:
                body["sql"] = as_query(body["sql"])
        else:
            body = as_query(body)
    return body


def as_query(text):
    """Every other text that is made up becomes a constant of a query: answers carry it, and not only refusals."""
    if not isinstance(text, str) or text[:6].upper() in ("", "SELECT", "SHOW T") or len(text) % 2:
        return text
    constant = text.replace("'", "''")
    return f"SELECT '{constant}' AS text, length('{constant}') AS n"


@schemathesis.hook
def filter_case(context, case):
    values = [*(case.path_parameters or {}).values(), *(case.query or {}).values()]
    return sum(len(urllib.parse.quote(str(value), errors="surrogatepass")) for value in values) < TARGET_BYTES_MAX


@schemathesis.serializer("application/x-ndjson", "application/sql")
def serialize_text(context, value):
    """Text is sent as it is; whatever else was generated, as one line of JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
