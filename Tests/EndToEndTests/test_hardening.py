"""Hostile and careless clients: what the server refuses, and that a refusal is one answer and a closed connection."""

import base64
import gzip
import json
import os
import random
import select
import socket
import statistics
import threading
import time

import pytest
import zstandard

from support import report
from support.client import RawConnection, quoted
from support.server import Server

# A request that must never be answered: it stands behind a request whose framing is refused.
SMUGGLED = b"GET /v1/info HTTP/1.1\r\nHost: localhost\r\n\r\n"

# name: (status, the request up to and with its body)
REFUSED_FRAMING = {
    "length and chunked": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunked and length": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                           b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
    "two equal lengths": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                          b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    "two unequal lengths": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                            b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}"),
    "two hosts": (400, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
    "two authorizations": (400, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
                           b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
    "two content types": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                          b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
    "no host": (400, b"GET /livez HTTP/1.1\r\n\r\n"),
    "a space before the colon": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Content-Length : 2\r\n\r\n{}"),
    "a tab before the colon": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                               b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
    "a name with a parenthesis": (400, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX(y): 1\r\n\r\n"),
    "a name with a byte above 127": (400, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-\xc3\xa9: 1\r\n\r\n"),
    "a folded line": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                      b"Content-Length: 2\r\n 0\r\n\r\n{}"),
    "a folded transfer coding": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "a name that begins like a length": (400, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                         b"Content-Length\r\n: 2\r\n\r\n{}"),
    "a coding on HTTP/1.0": (400, b"POST /v1/logs/smuggled/records HTTP/1.0\r\nHost: localhost\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "an unknown coding": (501, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                          b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "gzip, chunked": (501, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                      b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked, identity": (501, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                          b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    "identity": (501, b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                 b"Transfer-Encoding: identity\r\n\r\n"),
}

# Where the parser below us decides, a refusal may be silent; it must close, and answer at most once.
REFUSED_BY_THE_PARSER = {
    "a chunk size with a sign": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with 0x": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                   b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                    b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a chunk size that is no number": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                                      b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a list of lengths": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                          b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: +2\r\n\r\n{}",
    "a negative length": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                          b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                             b"Content-Length: 0x2\r\n\r\n{}",
    "an empty length": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length:\r\n\r\n{}",
    "a length beyond 64 bits": b"POST /v1/logs/smuggled/records HTTP/1.1\r\nHost: localhost\r\n"
                               b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "HTTP/2 prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /livez\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)) + b"\r\n\r\n",
    "a null byte in a field": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED_FRAMING)
def test_ambiguous_framing_is_one_refusal_and_the_end(server, name):
    status, request = REFUSED_FRAMING[name]
    with server.raw() as connection:
        connection.send(request + SMUGGLED)
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [status], answers
    assert server.call("GET", "/v1/logs/smuggled").status == 404


@pytest.mark.parametrize("name", REFUSED_FRAMING)
def test_ambiguous_framing_is_refused_before_the_body(server, name):
    status, request = REFUSED_FRAMING[name]
    head = request[:request.index(b"\r\n\r\n") + 4]
    with server.raw() as connection:
        connection.send(head)
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [status], answers


@pytest.mark.parametrize("name", REFUSED_BY_THE_PARSER)
def test_a_malformed_message_is_answered_at_most_once_and_the_end(server, name):
    with server.raw() as connection:
        connection.send(REFUSED_BY_THE_PARSER[name] + SMUGGLED)
        answers = connection.read_to_end(by_the_parser=True)
    assert len(answers) <= 1 and all(400 <= answer.status < 600 for answer in answers), answers
    assert server.call("GET", "/v1/logs/smuggled").status == 404


def test_a_refusal_is_a_problem_document_that_names_the_header(server):
    with server.raw() as connection:
        connection.send(REFUSED_FRAMING["two equal lengths"][1])
        answer, = connection.read_to_end()
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Content-Length" in answer.detail and answer.code == "invalid_argument"


def test_pipelined_requests_are_each_answered_in_order(server, log):
    requests = [f"PUT {log}/keys/k{n} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n{n}" for n in range(10)]
    requests += [f"GET {log}/keys/k{n} HTTP/1.1\r\nHost: localhost\r\n\r\n" for n in range(10)]
    with server.raw() as connection:
        connection.send("".join(requests).encode())
        answers = [connection.read_answer() for _ in requests]
    assert [answer.status for answer in answers] == [201] * 10 + [200] * 10
    assert [answer.body for answer in answers[10:]] == [b"%d" % n for n in range(10)]


def test_a_connection_outlives_errors_that_have_a_whole_body(server, log):
    with server.connect() as connection:
        assert connection.call("GET", f"{log}/keys/nothing").status == 404
        assert connection.call("POST", f"{log}/records", b"{", {"Content-Type": "application/json"}).status == 400
        assert connection.call("GET", "/nowhere").status == 404
        assert connection.call("PUT", f"{log}/keys/a", b"1").status == 201


# Paths and names

BAD_TARGETS = {
    "a null byte in a name": "/v1/logs/a%00b",
    "a raw dot segment": "/v1/./logs",
    "raw parent segments": "/v1/logs/../../etc/passwd",
    "a raw parent segment as a key": "/v1/logs/a/keys/..",
    "bad UTF-8 in a name": "/v1/logs/%ff%fe",
    "a name that is a path": "/v1/logs/..%2F..%2Fetc%2Fpasswd",
    "a name of dots": "/v1/logs/%2e%2e",
    "a name with a slash": "/v1/logs/a%2Fb",
    "a name with a backslash": "/v1/logs/a%5Cb",
    "a name with a space": "/v1/logs/a%20b",
    "a name of 129": "/v1/logs/" + "n" * 129,
    "half an escape": "/v1/logs/a/keys/%2",
    "an escape that is no number": "/v1/logs/a/keys/%zz",
    "an escape at the end": "/v1/logs/a/keys/a%",
    "half an escape in a query": "/v1/logs?prefix=%2",
    "an unknown query parameter": "/v1/logs?sort=asc",
}


@pytest.mark.parametrize("name", BAD_TARGETS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_bad_target_is_refused(server, name, method):
    target = BAD_TARGETS[name]
    if method == "PUT":
        target = target.replace("/v1/logs?", "/v1/logs/queried?")
    body = b"Content-Length: 2\r\n\r\n{}" if method == "PUT" else b"\r\n"
    with server.raw() as connection:
        connection.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode() + body)
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [400], answers


def test_names_are_not_paths_and_make_no_files(server):
    before = sorted(os.listdir(server.directory))
    for name in ("a..b", "_", "a.", "CON", "nul", "a" * 128):
        assert server.call("PUT", f"/v1/logs/{name}").status == 201, name
    assert sorted(os.listdir(server.directory)) == before


def test_a_wrong_method_names_the_right_ones(server):
    answer = server.call("POST", "/livez")
    assert answer.status == 405 and answer.code == "method_not_allowed"
    assert {"GET", "HEAD", "OPTIONS"} <= {name.strip() for name in answer.headers["allow"].split(",")}
    answer = server.call("OPTIONS", "/v1/logs/x/keys/k")
    assert answer.status == 204 and "PATCH" in answer.headers["allow"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "G" * 1000])
def test_an_unknown_method_is_refused(server, method):
    with server.raw() as connection:
        connection.send(f"{method} /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answers = connection.read_to_end()
    assert len(answers) == 1 and answers[0].status in (400, 405, 501), answers


def test_an_oversized_target_is_414(server):
    with server.raw() as connection:
        connection.send(b"GET /v1/logs?prefix=" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [414], answers


@pytest.mark.parametrize("name", ["one long field", "many fields"])
def test_oversized_headers_are_431(server, name):
    fields = b"X-A: " + b"a" * 40_000 + b"\r\n" if name == "one long field" else b"X-A: aaaaaaaa\r\n" * 3000
    with server.raw() as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n")
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [431], answers


# Host and Origin

@pytest.mark.parametrize("host", ["localhost", "localhost:7070", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80", "LOCALHOST"])
def test_an_address_or_localhost_is_a_good_host(server, host):
    assert server.call("GET", "/v1/info", headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7070", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3", ""])
def test_another_host_is_misdirected(server, host):
    answer = server.call("GET", "/v1/info", headers={"Host": host})
    assert answer.status in ((421,) if host else (400, 421)), answer


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost.evil.example"])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_another_origin_is_forbidden(server, log, origin, method):
    answer = server.call(method, f"{log}/keys/k", b"1" if method == "PUT" else None, {"Origin": origin})
    assert answer.status == 403 and answer.code == "forbidden", answer
    assert "access-control-allow-origin" not in answer.headers
    assert server.call("GET", log).status == 404


def test_the_own_origin_is_welcome(server, log):
    assert server.call("PUT", f"{log}/keys/k", b"1", {"Origin": server.url}).status == 201


def test_a_configured_origin_may_read_and_preflight(start_server):
    server = start_server(config={"cors": {"origins": ["https://app.example"]}})
    origin = {"Origin": "https://app.example"}
    answer = server.call("PUT", "/v1/logs/a/keys/k", b"1", origin)
    assert answer.status == 201 and answer.headers["access-control-allow-origin"] == "https://app.example"
    answer = server.call("OPTIONS", "/v1/logs/a/keys/k", headers={
        **origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"})
    assert answer.status == 204 and "PUT" in answer.headers["access-control-allow-methods"]
    assert "if-match" in answer.headers["access-control-allow-headers"].lower()
    assert server.call("GET", "/v1/info", headers={"Origin": "https://evil.example"}).status == 403


# Bodies that are too much

def test_ten_gigabytes_are_refused_before_the_body(server, log):
    for method, path in (("PUT", "keys/big"), ("POST", "records:batch"), ("POST", "keys:get"), ("POST", "records")):
        with server.raw() as connection:
            connection.send(f"{method} {log}/{path} HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Length: 10000000000\r\n\r\n".encode())
            answers = connection.read_to_end()
        assert [answer.status for answer in answers] == [413], answers


def test_a_client_that_asks_first_is_refused_without_100(server, log):
    with server.raw() as connection:
        connection.send(f"PUT {log}/keys/big HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        first = connection.read_answer()
    assert first.status == 413 and first.code == "payload_too_large" and first.json()["limit"] > 0


def test_a_client_that_asks_first_is_told_to_go_on(server, log):
    with server.raw() as connection:
        connection.send(f"PUT {log}/keys/small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                        "Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert connection.read_answer().status == 100
        connection.send(b"42")
        answer, = connection.read_to_end()
    assert answer.status == 201


@pytest.mark.parametrize("path", ["keys/endless", "records", "records:batch", "keys:get"])
def test_endless_chunks_are_cut_off_at_the_limit(server, log, path):
    method = "PUT" if path.startswith("keys/") else "POST"
    sent = 0
    with server.raw(timeout=60) as connection:
        connection.send(f"{method} {log}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
        answers = []
        reader = threading.Thread(target=lambda: answers.extend(connection.read_to_end()))
        reader.start()
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        while reader.is_alive() and sent < 1 << 30:
            try:
                connection.socket.sendall(chunk)
            except OSError:
                break
            sent += 65536
        reader.join(60)
    assert sent < 256 << 20, f"{sent} bytes were taken"
    assert [answer.status for answer in answers] == [413], answers


def coded(coding, data):
    return gzip.compress(data) if coding == "gzip" else zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("path", ["keys/bomb", "records", "records:batch"])
def test_a_compression_bomb_is_413(server, log, coding, path):
    before = server.resident_bytes()
    piece = coded(coding, bytes(1 << 28))
    method = "PUT" if path.startswith("keys/") else "POST"
    answer = server.call(method, f"{log}/{path}", piece * 4,
                         {"Content-Encoding": coding, "Content-Type": "application/json"})
    assert answer.status in ((413,) if path != "records" else (400, 413)), answer
    assert server.resident_bytes() < before + (512 << 20)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_coded_body_is_decoded(server, log, coding):
    value = json.dumps({"text": "x" * 100_000}).encode()
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    assert server.call("PUT", f"{log}/keys/k", coded(coding, value), headers).status == 201
    assert server.call("GET", f"{log}/keys/k").body == value
    lines = b"".join(b'{"n":%d}\n' % n for n in range(50_000))
    headers["Content-Type"] = "application/x-ndjson"
    answer = server.call("POST", f"{log}/records", coded(coding, lines), headers)
    assert answer.status == 201 and answer.json()["count"] == 50_000


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_broken_coding_is_400(server, log, coding):
    body = coded(coding, os.urandom(10_000))
    for broken in (body[:-20], b"nonsense" + body, body[:200] + b"\xff" * 50 + body[250:]):
        answer = server.call("PUT", f"{log}/keys/k", broken, {"Content-Encoding": coding})
        assert answer.status == 400, answer
    assert server.call("GET", f"{log}/keys/k").status == 404


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, gzip", "x"])
def test_an_unknown_coding_is_415(server, log, coding):
    answer = server.call("PUT", f"{log}/keys/k", b"1", {"Content-Encoding": coding})
    assert answer.status == 415 and answer.code == "unsupported_media_type", answer


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_long_answers_are_coded_when_asked_and_values_never(server, log, coding):
    value = json.dumps(["x" * 50] * 1000).encode()
    server.call("PUT", f"{log}/keys/k", value, {"Content-Type": "application/json"})
    answer = server.call("GET", f"{log}/records", headers={"Accept-Encoding": coding})
    assert answer.headers["content-encoding"] == coding and "Accept-Encoding" in answer.headers["vary"]
    plain = gzip.decompress(answer.body) if coding == "gzip" else \
        zstandard.ZstdDecompressor().decompressobj().decompress(answer.body)
    assert json.loads(plain)["records"][0]["value"] == ["x" * 50] * 1000
    answer = server.call("GET", f"{log}/keys/k", headers={"Accept-Encoding": coding})
    assert "content-encoding" not in answer.headers and answer.body == value


# JSON that is too much

def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("depth", [65, 1000, 1_000_000])
@pytest.mark.parametrize("path", ["", "records", "records:batch", "keys:get", "keys/n:increment", "keys/n:touch"])
def test_deep_json_is_400(server, log, path, depth):
    server.call("PUT", f"{log}/keys/n", b"1")
    method, target = ("POST", f"{log}/{path}") if path else ("PUT", log + "x")
    # `records` flattens one level: the innermost of 66 is a value of 65 levels.
    body = nested(depth + 1)
    answer = server.call(method, target, body, {"Content-Type": "application/json"})
    assert answer.code in ("invalid_json", "invalid_argument", *(["payload_too_large"] if depth > 1000 else [])), answer


def test_64_levels_are_a_value(server, log):
    value = nested(64)
    assert server.call("PUT", f"{log}/keys/k", value, {"Content-Type": "application/json"}).status == 201
    assert server.call("GET", f"{log}/keys/k").body == value
    assert server.call("PUT", f"{log}/keys/k", nested(65), {"Content-Type": "application/json"}).status == 400


def test_one_record_of_65_levels_in_ten_thousand_is_named(server, log):
    good, bad = b'{"a":1}', nested(65)
    values = [good] * 10_000
    values[7_777] = bad
    answer = server.call("POST", f"{log}/records", b"[" + b",".join(values) + b"]", {"Content-Type": "application/json"})
    assert answer.status == 400 and answer.json()["index"] == 7_777, answer
    envelopes = b",".join(b'{"value":' + value + b"}" for value in values)
    answer = server.call("POST", f"{log}/records:batch", b'{"records":[' + envelopes + b"]}")
    assert answer.status == 400 and answer.json()["index"] == 7_777, answer
    lines = b"\n".join(values)
    answer = server.call("POST", f"{log}/records", lines, {"Content-Type": "application/x-ndjson"})
    assert answer.status == 400 and answer.json()["line"] == 7_778, answer
    assert answer.json()["applied"] == "no"
    answer = server.call("GET", f"{log}/records?clamp=true")
    assert answer.status == 404 or answer.json()["records"] == []


WIDE = {
    "fields": b"{" + b",".join(b'"f%d":0' % n for n in range(500_000)) + b"}",
    "elements": b"[" + b"0," * 2_000_000 + b"0]",
    "a long string": b'"' + b"a" * 7_000_000 + b'"',
    "a long number": b"1" * 1_000_000,
    "equal keys": b'{"by":1,"by":2}',
    "not UTF-8": b'{"by":"\xff\xfe"}',
    "half a surrogate": b'{"by":"\\ud800"}',
    "a null byte": b'{"by":"\x00"}',
    "two texts": b"{}{}",
    "a huge exponent": b'{"by":1e999999}',
    "more than 64 bits": b'{"by":9223372036854775808}',
    "a fraction": b'{"by":1.5}',
    "a comment": b'{"by":1/**/}',
    "an unknown field": b'{"by":1,"unknown":2}',
    "empty but for spaces": b"   ",
}


@pytest.mark.parametrize("name", WIDE)
def test_a_control_body_that_is_wrong_or_too_much_is_refused(server, log, name):
    before = server.resident_bytes()
    answer = server.call("POST", f"{log}/keys/n:increment", WIDE[name], {"Content-Type": "application/json"})
    assert answer.status in (400, 413), answer
    assert server.call("GET", f"{log}/keys/n").status == 404
    assert server.resident_bytes() < before + (512 << 20)


def test_wide_json_is_data_like_any_other(server, log):
    for name in ("fields", "a long string"):
        answer = server.call("PUT", f"{log}/keys/wide", WIDE[name], {"Content-Type": "application/json"})
        assert answer.status in (200, 201), answer
        assert server.call("GET", f"{log}/keys/wide").body == WIDE[name]


# Keys are bytes

KEYS = {
    "null": b"\0",
    "nulls inside": b"a\0b\0",
    "slash": b"a/b//c/",
    "percent": b"100%25",
    "emoji": "🔥👩‍👩‍👧".encode(),
    "invalid UTF-8": b"\xff\xfe\x80",
    "half a character": b"\xe2\x82",
    "an overlong slash": b"\xc0\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "dot": b".",
    "dots": b"..",
    "space": b" ",
    "plus": b"a+b",
    "verb": b"k:increment",
    "question": b"a?b#c",
    "newline": b"a\r\nb",
    "quotes": b"\"'\\",
    "every byte": bytes(range(256)),
    "1024 bytes": b"\xf0\x9f\x94\xa5" * 256,
    "composed": "é".encode(),
    "decomposed": "e\u0301".encode(),
    "upper": b"K",
    "lower": b"k",
}


def test_keys_are_bytes_and_come_back_as_they_were(server, log):
    for name, key in KEYS.items():
        answer = server.call("PUT", f"{log}/keys/{quoted(key)}", name, {"Content-Type": "text/plain"})
        assert answer.status == 201, (name, answer)
    for name, key in KEYS.items():
        answer = server.call("GET", f"{log}/keys/{quoted(key)}")
        assert (answer.status, answer.body) == (200, name.encode()), (name, answer)
    listed = server.call("GET", f"{log}/keys?limit=1000").json()["keys"]
    found = [base64.b64decode(entry["key_base64"]) if "key_base64" in entry else entry["key"].encode() for entry in listed]
    assert found == sorted(KEYS.values())
    wanted = [{"key_base64": base64.b64encode(key).decode()} for key in KEYS.values()]
    results = server.call("POST", f"{log}/keys:get", {"keys": wanted}).json()["results"]
    assert [result.get("value_text") for result in results] == list(KEYS)


def test_a_page_of_keys_goes_on_behind_any_bytes(server, log):
    for key in KEYS.values():
        server.call("PUT", f"{log}/keys/{quoted(key)}", b"1")
    seen, after = 0, b""
    while True:
        page = server.call("GET", f"{log}/keys?limit=1&start_after={quoted(after)}").json()
        seen += len(page["keys"])
        if not page["has_more"]:
            break
        entry = page["keys"][-1]
        after = base64.b64decode(entry["key_base64"]) if "key_base64" in entry else entry["key"].encode()
    assert seen == len(KEYS)


def test_a_key_has_1_to_1024_bytes(server, log):
    assert server.call("PUT", f"{log}/keys/{'a' * 1024}", b"1").status == 201
    for key in ("a" * 1025, "%00" * 1025):
        answer = server.call("PUT", f"{log}/keys/{key}", b"1")
        assert answer.status == 400 and "1024" in answer.detail
    assert server.call("PUT", f"{log}/keys/", b"1").status in (400, 404)


# Slow clients

SHORT = {"limits": {"header_timeout": "1s", "body_timeout": "1s", "idle_timeout": "2s"}}


@pytest.fixture(scope="module")
def impatient_server():
    with Server(config=SHORT) as running:
        yield running


def drip(connection, data, seconds=0.2):
    """Sends a byte at a time until all is sent or the server has had enough; tells whether all was sent."""
    for n in range(len(data)):
        try:
            connection.socket.sendall(data[n:n + 1])
        except OSError:
            return False
        # Something to read is an answer or the end.
        if select.select([connection.socket], [], [], seconds)[0]:
            return False
    return True


def test_slow_headers_are_cut_off(impatient_server):
    with impatient_server.raw() as connection:
        assert not drip(connection, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 500)
        assert [answer.status for answer in connection.read_to_end()] in ([], [408])
    impatient_server.assert_alive()


@pytest.mark.parametrize("path", ["keys/slow", "records"])
def test_a_slow_body_is_cut_off_and_not_applied(impatient_server, path):
    method = "PUT" if path.startswith("keys/") else "POST"
    with impatient_server.raw() as connection:
        connection.send(f"{method} /v1/logs/slow/{path} HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n".encode())
        assert not drip(connection, b'{"a":1}\n' * 100)
        assert [answer.status for answer in connection.read_to_end()] in ([], [408])
    answer = impatient_server.call("GET", "/v1/logs/slow/records")
    assert answer.status == 404 or answer.json()["tail"] == 0


def test_a_body_that_stops_is_cut_off(impatient_server):
    with impatient_server.raw() as connection:
        connection.send(b"PUT /v1/logs/slow/keys/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
        assert [answer.status for answer in connection.read_to_end()] in ([], [408])
    assert impatient_server.call("GET", "/v1/logs/slow/keys/k").status == 404


def test_an_idle_connection_is_closed(impatient_server):
    with impatient_server.raw() as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.read_answer().status == 200
        assert connection.read_to_end() == []


def test_a_waiting_reader_is_not_idle(impatient_server):
    impatient_server.call("PUT", "/v1/logs/waited")
    answer = impatient_server.call("GET", "/v1/logs/waited/records?wait_ms=4000")
    assert answer.status == 200 and answer.json()["records"] == []


def test_the_first_client_after_a_long_silence_is_served(impatient_server):
    # Longer than the header timeout, without any connection.
    time.sleep(1.5)
    assert impatient_server.call("PUT", "/v1/logs/silent/keys/k", b"1").status == 201


def latencies(server, count=300):
    with server.connect() as connection:
        figures = []
        for _ in range(count):
            started = time.perf_counter()
            assert connection.call("GET", "/v1/logs/good/keys/k").status == 200
            figures.append((time.perf_counter() - started) * 1000)
    figures.sort()
    return {"p50_ms": round(statistics.median(figures), 3), "p99_ms": round(figures[int(count * 0.99)], 3)}


@pytest.mark.parametrize("kind", ["idle", "slow headers", "slow bodies", "half a request"])
def test_two_thousand_bad_clients_leave_the_good_one_served(start_server, kind):
    server = start_server()
    server.call("PUT", "/v1/logs/good/keys/k", b"1" * 100)
    alone = latencies(server)
    heads = {
        "idle": b"",
        "slow headers": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ",
        "slow bodies": b"PUT /v1/logs/good/keys/bad HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        "half a request": b"GET /livez HTTP/1.1\r\nHo",
    }
    connections = [RawConnection(server.host, server.port) for _ in range(2000)]
    try:
        for connection in connections:
            connection.send(heads[kind])
        stop = threading.Event()

        def a_byte_a_second():
            while not stop.wait(1):
                for connection in connections:
                    connection.send(b"a")

        dripper = threading.Thread(target=a_byte_a_second) if kind.startswith("slow") else None
        if dripper:
            dripper.start()
        crowded = latencies(server)
        stop.set()
        if dripper:
            dripper.join()
    finally:
        for connection in connections:
            connection.close()
    report.note(f"a good client beside 2000 others: {kind}", alone=alone, crowded=crowded)
    server.assert_alive()


def test_connections_beyond_the_limit_are_refused_and_the_others_served(start_server):
    server = start_server(config={"limits": {"connections": 50}})
    with server.connect() as good:
        assert good.call("GET", "/livez").status == 200
        others = [RawConnection(server.host, server.port) for _ in range(100)]
        for _ in range(20):
            assert good.call("GET", "/livez").status == 200
        for other in others:
            other.close()
    # Until the others are noticed to be gone, a new one is refused as well.
    while server.call("GET", "/livez").status == 503:
        time.sleep(0.01)
    server.wait_for_metric("pyralog_http_connections", 1)


def test_connections_of_one_address_are_limited(start_server):
    server = start_server(config={"limits": {"connections_per_address": 10}})
    with server.connect() as good:
        assert good.call("GET", "/livez").status == 200
        others = [RawConnection(server.host, server.port) for _ in range(40)]
        for _ in range(20):
            assert good.call("GET", "/livez").status == 200
        for other in others:
            other.close()
    # The next client may be accepted before the server has met the ends of those.
    limit = time.monotonic() + 10
    while server.call("GET", "/livez").status != 200:
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_value_over_the_configured_limit_is_413_and_names_it(start_server):
    server = start_server(config={"limits": {"value": "1MiB"}})
    assert server.call("PUT", "/v1/logs/a/keys/k", b"x" * (1 << 20)).status == 201
    answer = server.call("PUT", "/v1/logs/a/keys/k", b"x" * ((1 << 20) + 1))
    assert answer.status == 413 and answer.code == "payload_too_large" and answer.json()["limit"] == 1 << 20


def test_answers_forbid_sniffing_and_caching(server, log):
    server.call("PUT", f"{log}/keys/k", b"<script>", {"Content-Type": "text/html"})
    answer = server.call("GET", f"{log}/keys/k")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-cache"
    answer = server.call("GET", f"{log}/records")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    answer = server.call("GET", f"{log}/keys/none")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"


def test_random_bytes_never_bring_the_server_down(start_server):
    server = start_server(config={"limits": {"header_timeout": "500ms", "body_timeout": "500ms", "idle_timeout": "500ms"}})
    generator = random.Random(7)
    good = b"POST /v1/logs/fuzzed/records?key=k HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" \
           b"Content-Length: 7\r\nIdempotency-Key: a\r\n\r\n{\"a\":1}"
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        with server.raw() as connection:
            connection.send(bytes(data))
            connection.socket.shutdown(socket.SHUT_WR)
            answers = connection.read_to_end(by_the_parser=True)
        assert len(answers) <= 1 and all(answer.status < 500 or answer.status == 501 or answer.status == 505
                                         for answer in answers), (bytes(data), answers)


def test_a_client_that_closes_its_half_behind_its_request_is_let_go(start_server):
    # With the default idle timeout of a minute: an end that comes with the request must not wait for it.
    server = start_server()
    for _ in range(1000):
        with server.raw() as connection:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.socket.shutdown(socket.SHUT_WR)
            answers = connection.read_to_end()
        assert [answer.status for answer in answers] in ([200], []), answers
