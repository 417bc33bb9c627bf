"""The Debian package index of this machine, sent with curl, read back, tailed, expired and counted."""

import json
import subprocess
import time

import pytest

from support.server import REPOSITORY, Server


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The file of NDJSON that `scripts/debian-packages` prints."""
    file = tmp_path_factory.mktemp("debian") / "packages.ndjson"
    with open(file, "wb") as output:
        ended = subprocess.run([str(REPOSITORY / "scripts" / "debian-packages")], stdout=output, stderr=subprocess.PIPE)
    assert ended.returncode == 0, f"no package index to test with: {ended.stderr.decode()}"
    return file


@pytest.fixture(scope="module")
def lines(packages):
    return packages.read_bytes().splitlines()


@pytest.fixture(scope="module")
def loaded(packages):
    """A server that has been sent all of it, and the answer."""
    with Server() as server:
        ended = subprocess.run(
            ["curl", "-sS", "--fail-with-body", "--data-binary", f"@{packages}", "-H", "Content-Type: application/x-ndjson",
             f"{server.url}/v1/logs/packages/records?key_field=Package&atomic=false"], capture_output=True)
        assert ended.returncode == 0, (ended.stdout, ended.stderr)
        yield server, json.loads(ended.stdout)
        server.assert_alive()


def test_every_line_is_a_record(loaded, lines):
    server, answer = loaded
    assert answer["count"] == len(lines)
    assert [(spread["start"], spread["end"]) for spread in answer["ranges"]] in ([(0, len(lines))], ) or \
        sum(spread["end"] - spread["start"] for spread in answer["ranges"]) == len(lines)
    partition, = server.call("GET", "/v1/logs/packages").json()["stats"]["partitions"]
    assert partition["tail"] == len(lines)


def test_over_the_atomic_limit_it_says_what_to_do(loaded, packages):
    server, _ = loaded
    ended = subprocess.run(
        ["curl", "-sS", "--data-binary", f"@{packages}", "-H", "Content-Type: application/x-ndjson",
         f"{server.url}/v1/logs/again/records?key_field=Package"], capture_output=True)
    problem = json.loads(ended.stdout)
    assert problem["status"] == 413 and "atomic=false" in problem["detail"] and problem["applied"] == "no"
    answer = server.call("GET", "/v1/logs/again/records")
    assert answer.status == 404 or answer.json()["tail"] == 0


def test_a_key_reads_back_byte_for_byte(loaded, lines):
    server, _ = loaded
    newest = {json.loads(line)["Package"]: line for line in lines}
    with server.connect() as connection:
        for name in ["bash", "0ad", *list(newest)[::500]]:
            assert connection.call("GET", f"/v1/logs/packages/keys/{name.replace('+', '%2B')}").body == newest[name], name


def test_every_record_reads_back_in_order_byte_for_byte(loaded, lines):
    server, _ = loaded
    offset, seen = 0, 0
    with server.connect() as connection:
        while offset < len(lines):
            page = connection.call("GET", f"/v1/logs/packages/records?offset={offset}&limit=10000",
                                   headers={"Accept": "application/x-ndjson"})
            for record in page.body.splitlines():
                # The value stands in the record with the sender's bytes.
                assert lines[seen] in record
                seen += 1
            offset = json.loads(record)["offset"] + 1
    assert seen == len(lines)


def test_all_keys_are_listed_in_byte_order(loaded, lines):
    server, _ = loaded
    names, after = [], ""
    with server.connect() as connection:
        while True:
            page = connection.call("GET", f"/v1/logs/packages/keys?limit=1000&start_after={after}").json()
            names += [entry["key"] for entry in page["keys"]]
            if not page["has_more"]:
                break
            after = names[-1].replace("+", "%2B")
    assert names == sorted({json.loads(line)["Package"] for line in lines}, key=str.encode)


def test_a_tail_sees_a_new_record(loaded):
    server, _ = loaded
    tail = subprocess.Popen(["curl", "-sSN", "-H", "Accept: text/event-stream",
                             f"{server.url}/v1/logs/packages/records?last=0&limit=1"], stdout=subprocess.PIPE)
    server.wait_for_metric("pyralog_tails", 1)
    body = b'{"Package":"pyralog","Version":"1.0"}'
    assert server.call("POST", "/v1/logs/packages/records?key_field=Package", body).status == 201
    events, _ = tail.communicate(timeout=60)
    assert b"event: record" in events and body in events and b"event: done" in events
    assert server.call("GET", "/v1/logs/packages/keys/pyralog").body == body


def test_a_ttl_runs_out(loaded):
    server, _ = loaded
    answer = server.call("PUT", "/v1/logs/packages/keys/passing?ttl_ms=300", b'{"Package":"passing"}')
    assert answer.status == 201
    while server.call("GET", "/v1/logs/packages/keys/passing").status == 200:
        time.sleep(0.02)
    assert server.call("GET", "/v1/logs/packages/keys/passing").code == "key_not_found"
    assert server.call("GET", "/v1/logs/packages/keys?prefix=passing").json()["keys"] == []


def test_metrics_agree_with_what_was_sent(packages, lines):
    with Server() as server:
        address = f"{server.url}/v1/logs/packages/records?key_field=Package&atomic=false"
        subprocess.run(["curl", "-sS", "--fail", "-o", "/dev/null", "--data-binary", f"@{packages}",
                        "-H", "Content-Type: application/x-ndjson", address], check=True)
        read = server.call("GET", "/v1/logs/packages/records?limit=1000").json()["records"]
        metrics = server.metrics()
        log = {"log": "packages"}
        assert metrics.sum("pyralog_records_appended_total", log) == len(lines)
        values = sum(len(line) for line in lines)
        keys = sum(len(json.loads(line)["Package"].encode()) for line in lines)
        assert metrics.sum("pyralog_bytes_appended_total", log) == values + keys
        assert metrics.sum("pyralog_records_read_total", log) == len(read) == 1000
        assert metrics.sum("pyralog_http_requests_total", {
            "route": "/v1/logs/{log}/records", "method": "POST", "status": "201"}) == 1
        assert metrics.sum("pyralog_memory_bytes", log) >= values
