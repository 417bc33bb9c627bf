"""Keeps generated requests from waiting: a long poll of a minute finds nothing that one of 20 ms does not."""

import json

import schemathesis

WAIT_MILLISECONDS_MAX = 20


@schemathesis.hook
def map_query(context, query):
    value = (query or {}).get("wait_ms")
    if isinstance(value, int) and not isinstance(value, bool) and WAIT_MILLISECONDS_MAX < value <= 60_000:
        query["wait_ms"] = WAIT_MILLISECONDS_MAX
    return query


@schemathesis.serializer("application/x-ndjson")
def serialize_lines(context, value):
    """Text is sent as it is; whatever else was generated, as one line of JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
