"""Dump and load through the executable: the state comes back as it was, whole or not at all, in bounded memory."""

import json
import os
import random
import socket
import subprocess
import threading
import time

import pytest

from support import modes
from support.client import quoted
from support.server import binary
from support.sql import SQLServer

MB = 1_000_000
LINES = {"Content-Type": "application/x-ndjson"}
HEADER = {"format": "pyralog-dump", "version": 1}


def pages(connection, log, partition):
    """Every record of a partition, as the API tells it: a line each."""
    after, found = 0, []
    while True:
        answer = connection.call(
            "GET", f"/v1/logs/{log}/records?partition={partition}&offset={after}&clamp=true&limit=10000",
            headers={"Accept": "application/x-ndjson"})
        assert answer.status == 200, answer
        lines = answer.body.splitlines()
        if not lines:
            return found
        found += lines
        after = offset(lines[-1]) + 1


def offset(line):
    return json.loads(line)["offset"]


def keys(connection, log):
    found, after = [], ""
    while True:
        page = connection.call("GET", f"/v1/logs/{log}/keys?limit=1000&values=true{after}").json()
        found += [{name: value for name, value in key.items() if name != "revision"} for key in page["keys"]]
        if not page["has_more"]:
            return found
        last = page["keys"][-1]
        after = "&start_after=" + quoted(last["key"])


def state(server):
    """All that clients can see: every record, every key, where partitions begin and end.

    Of logs that keep keys the newest records: the others go when compaction passes.
    """
    found = {}
    with server.connect() as connection:
        for entry in connection.call("GET", "/v1/logs?limit=1000").json()["logs"]:
            log = connection.call("GET", f"/v1/logs/{entry['name']}").json()
            listed = keys(connection, log["name"])
            partitions = [[partition["first"], partition["tail"], pages(connection, log["name"], number)]
                          for number, partition in enumerate(log["stats"]["partitions"])]
            if log["config"]["compaction"] == "keys":
                newest = {(key["partition"], key["offset"]) for key in listed}
                for number, partition in enumerate(partitions):
                    partition[2] = [line for line in partition[2] if (number, offset(line)) in newest]
            found[log["name"]] = (log["config"]["partitions"], partitions, listed)
    return found


def dump(server, query="", accept="application/x-ndjson"):
    answer = server.call("GET", f"/v1/dump{query}", headers={"Accept": accept})
    assert answer.status == 200 and answer.headers["content-type"] == accept, answer
    return answer.body


def load(server, body, query="", content_type="application/x-ndjson"):
    return server.call("POST", f"/v1/dump{query}", body, {"Content-Type": content_type})


def call(connection, method, path, body=None, headers=None, status=(200, 201, 204)):
    answer = connection.call(method, path, body, headers)
    assert answer.status in status, answer
    return answer


def fill(server):
    rng = random.Random(7)
    with server.connect() as connection:
        call(connection, "PUT", "/v1/logs/empty", {"partitions": 4, "schema": {"n": "BIGINT"}, "ttl_ms": 1_000_000})
        call(connection, "PUT", "/v1/logs/kinds", {"partitions": 3, "tombstones": True})
        for number in range(400):
            records = [
                {"key_base64": "AP8" + "ABCD"[number % 4] + "QUJD" * (number % 20), "value_base64": "/wAKDQ=="},
                {"key": f"key {number % 300} ü\n\"", "value": {"n": number, "real": 1.50, "big": 2 ** 70, "t": "ü\u0000\n"},
                 "priority": number % 256, "headers": {"h": "ü\n", "": str(number)}},
                {"key": f"text{number % 300}", "value_text": "a\r\n\"b\"\\\u0001", "content_type": "text/x-mine; charset=utf-8"},
                {"key": f"ttl{number % 300}", "value": None if number % 7 == 0 else number, "ttl_ms": 60_000 + number},
                {"value": {"unkeyed": number}, "timestamp": number - 200, "partition": number % 3},
                {"value_text": "plain"}, {"value_base64": "", "content_type": "image/png"},
            ]
            call(connection, "POST", "/v1/logs/kinds/records:batch", {"records": rng.sample(records, len(records))})
        call(connection, "PUT", "/v1/logs/kinds/keys/exact", b'{"a" : 1.0e+2,"a":[ ]}', {"Content-Type": "application/json"})
        call(connection, "PUT", "/v1/logs/kinds/keys/brief?ttl_ms=300", b"1")
        call(connection, "DELETE", "/v1/logs/kinds/records?partition=0&before_offset=40")
        # Gaps: nearly all of it is rewritten.
        call(connection, "PUT", "/v1/logs/compacted", {"compaction": "keys"})
        for turn in range(6):
            lines = "".join('{"id":"k%d","turn":%d}\n' % (n, turn) for n in range(0, 20_000, 1 + turn))
            call(connection, "POST", "/v1/logs/compacted/records?key_field=id", lines, LINES)
        lines = "".join('{"n":%d,"text":"%s"}\n' % (n, "x" * (n % 80)) for n in range(200_000))
        call(connection, "POST", "/v1/logs/many/records?atomic=false", lines, LINES)
        call(connection, "DELETE", "/v1/logs/many/records?before_offset=1234")
        time.sleep(0.4)
        call(connection, "GET", "/v1/logs/kinds/keys/brief", status=(404,))


SQL = ("SELECT _partition, _offset, epoch_ms(_timestamp), encode(_key::VARCHAR), md5(_value::VARCHAR), _headers, "
       "epoch_ms(_expires_at), _priority FROM log_records('{}') ORDER BY 1, 2")


def test_everything_comes_back_in_every_mode(start_sql, tmp_path):
    first = start_sql()
    fill(first)
    before = state(first)
    assert sum(len(partition[2]) for _, partitions, _ in before.values() for partition in partitions) > 210_000
    text = dump(first)
    document = dump(first, accept="application/json")
    rows = first.call("POST", "/v1/sql", {"sql": SQL.format("many")}).json()["rows"]
    # Memory → persistent → a restart → hybrid → memory.
    persistent = SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data")
    answer = load(persistent, text, "?mode=persistent")
    assert answer.status == 200 and {log["result"] for log in answer.json()["logs"]} == {"created"}, answer
    assert state(persistent) == before
    persistent.kill()
    persistent.stop()
    with SQLServer(mode=modes.PERSISTENT, data=tmp_path / "data") as restarted:
        assert state(restarted) == before
        assert restarted.call("GET", "/v1/logs/many").json()["config"]["durability"]["ack"] == "disk"
        assert restarted.call("POST", "/v1/sql", {"sql": SQL.format("many")}).json()["rows"] == rows
        again = dump(restarted)
        refused = load(restarted, text)
        assert refused.status == 409 and refused.code == "log_exists" and refused.json()["line"] == 2
        assert load(restarted, again, "?replace=true&mode=hybrid").status == 200
        assert state(restarted) == before
    last = start_sql()
    refused = load(last, again)
    assert refused.status == 400 and refused.json()["field"] == "config.mode" and "mode=memory" in refused.detail, refused
    assert load(last, again, "?mode=memory").status == 200
    assert state(last) == before
    other = start_sql()
    assert load(other, document, content_type="application/json").status == 200
    assert state(other) == before
    assert other.call("POST", "/v1/sql", {"sql": SQL.format("many")}).json()["rows"] == rows


def lines_of(*objects):
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


@pytest.mark.parametrize("end, field", [
    ([], None), ([{"complete": True, "logs": 1, "records": 3}], "records"),
    ([{"complete": True, "logs": 2, "records": 2}], "logs"),
    ([{"offset": 1, "timestamp": 1, "value": 1}], "offset"),
    ([{"complete": True, "logs": 1, "records": 2}, {"offset": 9, "timestamp": 1, "value": 1}], None)])
def test_what_is_not_whole_changes_nothing(server, end, field):
    body = lines_of(HEADER, {"log": "broken", "config": {}}, *({"offset": n, "timestamp": 1, "value": n} for n in range(2)), *end)
    answer = load(server, body)
    assert answer.status == 400 and answer.json()["applied"] == "no" and answer.json().get("field") == field, answer
    assert server.call("GET", "/v1/logs/broken").status == 404


def test_a_connection_that_breaks_off_changes_nothing(server):
    body = lines_of(HEADER, {"log": "cut", "config": {}}, *({"offset": n, "timestamp": 1, "value": "x" * 1000} for n in range(5000)))
    for framing in (f"Content-Length: {2 * len(body)}", "Transfer-Encoding: chunked"):
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(f"POST /v1/dump HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
            connection.sendall(body if "Length" in framing else b"%x\r\n%s\r\n" % (len(body), body))
            time.sleep(0.1)
    deadline = time.monotonic() + 10
    while server.call("GET", "/v1/memory").json()["used_bytes"] > 8 * MB:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.call("GET", "/v1/logs/cut").status == 404


def test_a_server_that_is_killed_while_it_loads_has_nothing_of_it(start_server, tmp_path):
    """Though much of it was on disk already."""
    data = tmp_path / "data"
    server = start_server("--max-memory", "32MB", "--data-dir", str(data))
    call(server.connect(), "PUT", "/v1/logs/old/keys/k", b"1")
    body = lines_of(HEADER, {"log": "new", "config": {"mode": "persistent"}},
                    *({"offset": n, "timestamp": 1, "value": "x" * 10_000} for n in range(8000)))
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(b"POST /v1/dump HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n")
        connection.sendall(body)
        deadline = time.monotonic() + 20
        while server.metrics().sum("pyralog_segment_bytes") < 16 * MB:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
    again = start_server("--max-memory", "32MB", "--data-dir", str(data))
    assert [log["name"] for log in again.call("GET", "/v1/logs").json()["logs"]] == ["old"]
    assert again.call("GET", "/v1/logs/old/keys/k").body == b"1"


def test_a_bad_line_early_in_a_long_body_is_answered(fresh_server):
    body = lines_of(HEADER, {"log": "long", "config": {}}) + b"{\n" + lines_of(
        *({"offset": n, "timestamp": 1, "value": "x" * 10_000} for n in range(3000)))
    answer = load(fresh_server, body)
    assert answer.status == 400 and answer.json()["line"] == 3, answer
    with fresh_server.connect() as connection:
        refused = connection.call("POST", "/v1/dump", body, {"Content-Type": "text/csv", "Expect": "100-continue"})
        assert refused.status == 415


def test_a_dump_is_one_instant_of_what_is_written(fresh_server):
    """Each transaction counts up in two logs and appends to a third: a dump has all of it or nothing."""
    stop = threading.Event()
    failures = []

    def write(number):
        with fresh_server.connect() as connection:
            while not stop.is_set():
                answer = connection.call("POST", "/v1/transactions", {"then": [
                    {"increment": {"log": "a", "key": f"k{number}"}}, {"append": {"log": "c", "value": number}},
                    {"increment": {"log": "b", "key": f"k{number}"}}]})
                if answer.status != 200:
                    failures.append(answer)

    with fresh_server.connect() as connection:
        for log in "abc":
            call(connection, "PUT", f"/v1/logs/{log}", {"partitions": 1 if log == "c" else 3, "compaction": "none" if log == "c" else "keys"})
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    counts = []
    try:
        for _ in range(25):
            counted = {"a": {}, "b": {}, "c": {}}
            for line in dump(fresh_server).splitlines():
                record = json.loads(line)
                if "offset" not in record:
                    continue
                key = record.get("key") or f"k{record['value']}"
                of_log = counted[record["log"]]
                of_log[key] = of_log.get(key, 0) + 1 if record["log"] == "c" else record["value"]
            assert counted["a"] == counted["b"] == counted["c"]
            counts.append(sum(counted["a"].values()))
            time.sleep(0.02)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not failures and counts == sorted(counts) and counts[-1] > counts[0] + 50, (failures, counts)


def test_dump_and_load_take_little_memory(start_server, tmp_path):
    """300 MB through servers that have not much more."""
    limit = 420 * MB
    first = start_server("--max-memory", str(limit))
    block = "".join('{"n":%d,"t":"%s"}\n' % (n, "x" * 960) for n in range(8000))
    with first.connect() as connection:
        for _ in range(38):
            call(connection, "POST", "/v1/logs/big/records", block, LINES)
    before = first.resident_bytes()
    peak = [0]
    done = threading.Event()

    def watch(server):
        while not done.wait(0.01):
            peak[0] = max(peak[0], server.resident_bytes())

    def watched(server, *command):
        peak[0] = 0
        done.clear()
        watcher = threading.Thread(target=watch, args=(server,))
        watcher.start()
        started = time.monotonic()
        subprocess.run([str(binary()), *command], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "PYRALOG_URL": server.url})
        seconds = time.monotonic() - started
        done.set()
        watcher.join()
        return seconds

    file = tmp_path / "big.dump"
    seconds = watched(first, "dump", str(file))
    size = file.stat().st_size
    print(f"dump {size / MB / seconds:.0f} MB/s")
    assert size > 300 * MB and peak[0] - before < 24 * MB, (size, peak[0] - before)
    second = start_server("--max-memory", str(limit))
    seconds = watched(second, "load", str(file))
    print(f"load {size / MB / seconds:.0f} MB/s")
    assert peak[0] < limit, peak
    with first.connect() as one, second.connect() as other:
        for offset in range(0, 304_000, 50_000):
            path = f"/v1/logs/big/records?offset={offset}&limit=100"
            assert one.call("GET", path).body == other.call("GET", path).body
    # More than memory holds goes to the disk while it comes.
    third = start_server("--max-memory", "96MB", "--data-dir", str(tmp_path / "third"))
    watched(third, "load", str(file), "--mode", "persistent")
    memory = third.call("GET", "/v1/memory").json()
    assert memory["used_bytes"] <= memory["limit_bytes"]
    tail = third.call("GET", "/v1/logs/big/records?last=100").json()["records"]
    assert tail == first.call("GET", "/v1/logs/big/records?last=100").json()["records"]
    once_more = tmp_path / "once_more.dump"
    watched(third, "dump", str(once_more))
    assert once_more.stat().st_size == pytest.approx(size, abs=1000)


def test_a_log_that_gives_way_is_loaded_as_far_as_it_may_be(start_server):
    """What filled its own limit to the watermark fits when it comes back."""
    first = start_server()
    with first.connect() as connection:
        call(connection, "PUT", "/v1/logs/fifo", {"memory": {"max_bytes": "16MB", "eviction": "fifo"}})
        lines = "".join('{"n":%d,"t":"%s"}\n' % (n, "x" * 500) for n in range(12_000))
        for _ in range(5):
            call(connection, "POST", "/v1/logs/fifo/records", lines, LINES)
    text = dump(first)
    second = start_server()
    answer = load(second, text)
    assert answer.status == 200, answer
    ours = pages(second.connect(), "fifo", 0)
    theirs = pages(first.connect(), "fifo", 0)
    assert ours and theirs[-len(ours):] == ours and len(ours) > 0.8 * len(theirs)


@pytest.fixture
def pyralog(fresh_server):
    def run(*arguments, input=b"", exit_code=0):
        ended = subprocess.run([str(binary()), *arguments], input=input, capture_output=True, timeout=60,
                               env={**os.environ, "PYRALOG_URL": fresh_server.url})
        assert ended.returncode == exit_code, ended
        return ended.stdout if exit_code == 0 else ended.stderr
    return run


def test_the_command_line(pyralog, fresh_server, tmp_path):
    for number in range(5):
        pyralog("put", "a", f"k{number}", str(number))
    pyralog("append", "b", input=b"1\n2\n")
    file = tmp_path / "state.dump"
    assert pyralog("dump", str(file)) == f"7 records of 2 logs dumped to {file}\n".encode()
    assert os.listdir(tmp_path) == ["state.dump"]
    piped = pyralog("dump", "--logs", "b")
    assert len(piped.splitlines()) == 5 and b'"log":"a"' not in piped
    before = state(fresh_server)
    assert b"log a exists" in pyralog("load", str(file), exit_code=1)
    pyralog("put", "a", "k0", "changed")
    assert pyralog("load", str(file), "--replace") == b"7 records of 2 logs loaded\n"
    assert state(fresh_server) == before
    assert pyralog("load", "-", "--append", "--logs", "b", "--mode", "memory", input=piped) == b"2 records of 1 log loaded\n"
    assert [json.loads(line)["value"] for line in pages(fresh_server.connect(), "b", 0)] == [1, 2, 1, 2]
    document = tmp_path / "state.json"
    document.write_bytes(dump(fresh_server, accept="application/json"))
    assert pyralog("load", str(document), "--replace") == b"9 records of 2 logs loaded\n"
    (tmp_path / "half.dump").write_bytes(file.read_bytes()[:-20])
    assert b"line 11" in pyralog("load", str(tmp_path / "half.dump"), "--replace", exit_code=1)
    pyralog("load", str(file), "--replace", "--append", exit_code=64)
    pyralog("load", str(file), "--mode", "cloud", exit_code=64)
    pyralog("load", str(tmp_path / "none"), exit_code=1)
    assert b"none" in pyralog("dump", str(tmp_path / "x"), "--logs", "none", exit_code=1)
    assert not (tmp_path / "x").exists() and not (tmp_path / "x.partial").exists()


def test_half_a_dump_never_has_the_name_of_one(tmp_path):
    """A server that breaks off, or ends a body that has no last line."""
    whole = lines_of(HEADER, {"log": "a", "config": {}}, {"offset": 0, "timestamp": 1, "value": 1})
    for framing in (b"Content-Length: %d" % (len(whole) + 10), b"Content-Length: %d" % len(whole)):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (framing, whole))
                connection.close()
            threading.Thread(target=serve).start()
            file = tmp_path / "state.dump"
            file.write_text("the old one")
            ended = subprocess.run([str(binary()), "dump", str(file), "--url", f"http://127.0.0.1:{listener.getsockname()[1]}"],
                                   capture_output=True, timeout=30)
            assert ended.returncode == 1 and b"ended early" in ended.stderr, ended
            assert file.read_text() == "the old one" and os.listdir(tmp_path) == ["state.dump"]
