"""Starting, stopping, being killed, and being refused by the system."""

import json
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import report
from support.client import RawConnection
from support.crowd import Waiting
from support.server import REPOSITORY, Server, binary


def run(*arguments, seconds=30, environment=None):
    """Runs the executable to its end."""
    return subprocess.run([str(binary()), *arguments], capture_output=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, env=environment)


def load(server, stop, statuses):
    """Writes until told to stop or cut off."""
    n = 0
    try:
        with server.connect(timeout=10) as connection:
            while not stop.is_set():
                statuses.append(connection.call("PUT", f"/v1/logs/loaded/keys/k{n % 100}", str(n)).status)
                connection.call("POST", "/v1/logs/appended/records", [{"n": n}] * 10)
                n += 1
    except OSError:
        pass
    except Exception as problem:  # http.client's own way to say that the peer has gone
        assert "Remote end closed" in str(problem) or "IncompleteRead" in str(problem) or not str(problem), problem


def start_load(server, count=8):
    stop, statuses = threading.Event(), []
    threads = [threading.Thread(target=load, args=(server, stop, statuses)) for _ in range(count)]
    for thread in threads:
        thread.start()
    server.call("GET", "/livez")
    while len(statuses) < 100:
        time.sleep(0.01)
    return stop, statuses, threads


def test_ready_on_the_first_line_and_nothing_else(fresh_server):
    assert fresh_server.ready_line.decode() == f"pyralog ready on http://127.0.0.1:{fresh_server.port}"
    assert fresh_server.call("GET", "/readyz").status == 200


def test_the_log_is_json_lines_when_it_is_no_terminal(start_server):
    server = start_server("--log-level", "debug")
    server.call("PUT", "/v1/logs/a/keys/k", b"1")
    for line in server.log_text().splitlines():
        assert isinstance(json.loads(line), dict), line


def test_killed_under_load_it_starts_clean_with_new_epochs():
    epochs = set()
    port = None
    for _ in range(3):
        with Server(*(["--port", str(port)] if port else [])) as server:
            port = server.port
            assert server.call("GET", "/v1/logs").json()["logs"] == []
            answer = server.call("PUT", "/v1/logs/loaded/keys/k", b"1")
            assert answer.status == 201
            epochs.add(server.call("GET", "/v1/logs/loaded").json()["epoch"])
            stop, statuses, threads = start_load(server)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join(30)
            assert set(statuses) <= {200, 201}
    assert len(epochs) == 3


def test_a_revision_and_a_cursor_of_before_never_match_after_a_restart():
    with Server() as server:
        old = server.call("PUT", "/v1/logs/a/keys/k", b"1")
        server.kill()
    with Server() as server:
        new = server.call("PUT", "/v1/logs/a/keys/k", b"1")
        assert old.headers["etag"] != new.headers["etag"]
        answer = server.call("PUT", "/v1/logs/a/keys/k", b"2", {"If-Match": old.headers["etag"]})
        assert answer.status == 412 and answer.code == "precondition_failed"
        assert server.call("GET", "/v1/logs/a/keys/k", headers={"If-None-Match": old.headers["etag"]}).status == 200
        answer = server.call("GET", "/v1/logs/a/records", headers={
            "Accept": "text/event-stream", "Last-Event-ID": old.headers["etag"].strip('"')})
        assert answer.status == 409 and answer.code == "epoch_changed"
        answer = server.call("GET", f"/v1/logs/a/keys/k?after={old.json()['revision']}")
        assert answer.status == 409 and answer.code == "epoch_changed"


def test_a_deleted_log_comes_back_with_another_epoch(fresh_server):
    old = fresh_server.call("PUT", "/v1/logs/a/keys/k", b"1").headers["etag"]
    fresh_server.call("DELETE", "/v1/logs/a")
    new = fresh_server.call("PUT", "/v1/logs/a/keys/k", b"1").headers["etag"]
    assert old != new
    assert fresh_server.call("PUT", "/v1/logs/a/keys/k", b"1", {"If-Match": old}).status == 412


def test_sigterm_finishes_what_runs_and_answers_what_waits(start_server):
    server = start_server()
    server.call("PUT", "/v1/logs/a")
    poll = b"GET /v1/logs/a/records?wait_ms=60000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    stream = b"GET /v1/logs/a/records HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    upload = RawConnection(server.host, server.port)
    upload.send(b"PUT /v1/logs/a/keys/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
    with Waiting(server, 20, poll) as polls, Waiting(server, 20, stream) as streams:
        server.wait_for_metric("pyralog_http_suspended_requests", 40)
        server.send_signal(signal.SIGTERM)
        answers = polls.answers()
        assert {answer.status for answer in answers} <= {200, 503}, answers[0]
        assert all(answer.status == 200 or answer.code == "shutting_down" for answer in answers)
        for data in streams.collect(lambda received: b"done" in received and received.endswith(b"0\r\n\r\n")):
            assert b"done" in data
    upload.send(b"67890")
    answer, = upload.read_to_end()
    assert answer.status == 201 and answer.headers.get("connection", "").lower() == "close"
    upload.close()
    with pytest.raises(OSError):
        socket.create_connection((server.host, server.port), timeout=5)
    assert server.process.wait(30) == 0


def test_sigterm_under_load_ends_with_0_and_no_broken_answer(start_server):
    server = start_server()
    stop, statuses, threads = start_load(server)
    server.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    stop.set()
    for thread in threads:
        thread.join(30)
    assert set(statuses) <= {200, 201, 503}


def test_sigint_is_sigterm(start_server):
    server = start_server()
    server.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0


def test_sighup_keeps_it_running(start_server):
    server = start_server()
    server.send_signal(signal.SIGHUP)
    server.assert_alive()


def test_stopped_for_a_while_it_goes_on(start_server):
    server = start_server()
    server.call("PUT", "/v1/logs/a/keys/k", b"1", None)
    server.send_signal(signal.SIGSTOP)
    time.sleep(2)
    server.send_signal(signal.SIGCONT)
    assert server.call("GET", "/v1/logs/a/keys/k").body == b"1"


def test_a_port_that_is_taken_is_exit_69(fresh_server):
    ended = run("serve", "--port", str(fresh_server.port))
    assert ended.returncode == 69 and ended.stdout == b""
    assert str(fresh_server.port).encode() in ended.stderr


BAD_USAGE = {
    "an unknown flag": (["serve", "--nonsense"], b"nonsense"),
    "an unknown command": (["fly"], b"fly"),
    "a port out of range": (["serve", "--port", "70000"], b"port"),
    "a port that is no number": (["serve", "--port", "http"], b"port"),
    "a size that is none": (["serve", "--max-memory", "lots"], b"max"),
    "a negative size": (["serve", "--max-memory=-1"], b"max"),
    "an unknown eviction": (["serve", "--eviction", "random"], b"eviction"),
    "memory only with a directory": (["serve", "--memory-only", "--data-dir", "/tmp/pyralog-none"], b"data-dir"),
    "a configuration that is not there": (["serve", "--config", "/nonexistent.yaml"], b"nonexistent.yaml"),
    "an open address without --insecure": (["serve", "--host", "0.0.0.0", "--port", "0"], b"insecure"),
    "an open IPv6 address without --insecure": (["serve", "--host", "::", "--port", "0"], b"insecure"),
}


@pytest.mark.parametrize("name", BAD_USAGE)
def test_bad_usage_is_exit_64_and_names_it(name):
    arguments, named = BAD_USAGE[name]
    ended = run(*arguments)
    assert ended.returncode == 64, ended
    assert ended.stdout == b"" and named in ended.stderr, ended


@pytest.mark.parametrize("text, named", [
    ("prot: 7070\n", b"prot"),
    ("limits:\n  boddy: 1\n", b"boddy"),
    ("port: seven\n", b"port"),
    ("port: [1, 2]\n", b"port"),
    ("port: 1\nport: 2\n", b""),
    ("{{{", b""),
    ("max_memory: 1 parsec\n", b"max_memory"),
    ("limits:\n  header_timeout: 0\n", b"header_timeout"),
])
def test_a_bad_configuration_file_is_exit_64_and_the_key_is_named(tmp_path, text, named):
    file = tmp_path / "pyralog.yaml"
    file.write_text(text)
    ended = run("serve", "--config", str(file))
    assert ended.returncode == 64 and named in ended.stderr and ended.stdout == b"", ended


def test_a_bad_environment_is_exit_64_and_the_variable_is_named():
    ended = run("serve", "--port", "0", environment={"PYRALOG_MAX_MEMORY": "lots"})
    assert ended.returncode == 64 and b"max_memory" in ended.stderr.lower(), ended


def test_flags_go_before_environment_before_file(start_server):
    server = start_server("--max-memory", "3GB", config={"max_memory": "1GB", "auto_create": False},
                          environment={"PYRALOG_MAX_MEMORY": "2GB", "PYRALOG_LIMITS_BODY": "5MB"})
    text = server.call("GET", "/v1/config").body.decode()
    assert "3000000000" in text and "2000000000" not in text and "5000000" in text
    for source in ("flag", "environment", "file", "default"):
        assert f'"{source}"' in text
    answer = server.call("PUT", "/v1/logs/a/keys/k", b"1")
    assert answer.status == 404 and answer.code == "log_not_found"


def test_every_configuration_key_is_documented(fresh_server):
    documented = (REPOSITORY / "docs" / "operations.md").read_text()
    keys = fresh_server.call("GET", "/v1/config").json()["config"]
    missing = [key for key in keys if f"`{key}`" not in documented]
    assert not missing, f"docs/operations.md does not name {missing}"


def test_logs_of_an_init_file_are_there_at_once(start_server, tmp_path):
    file = tmp_path / "init.yaml"
    file.write_text("logs:\n  sessions:\n    compaction: keys\n    ttl_ms: 30m\n  events: {partitions: 3}\n")
    server = start_server("--init", str(file))
    assert [entry["name"] for entry in server.call("GET", "/v1/logs").json()["logs"]] == ["events", "sessions"]
    assert server.call("GET", "/v1/logs/sessions").json()["config"]["ttl_ms"] == 1_800_000
    assert server.call("GET", "/v1/logs/events").json()["config"]["partitions"] == 3


def test_a_bad_init_file_is_exit_64(tmp_path):
    file = tmp_path / "init.yaml"
    file.write_text("logs:\n  sessions:\n    partitionz: 3\n")
    ended = run("serve", "--port", "0", "--init", str(file))
    assert ended.returncode == 64 and b"partitionz" in ended.stderr, ended


def test_without_descriptors_it_waits_and_then_goes_on(start_server):
    server = start_server(wrapper=["prlimit", "--nofile=100:100"])
    server.call("PUT", "/v1/logs/a/keys/k", b"1")
    connections = []
    for _ in range(300):
        try:
            connections.append(RawConnection(server.host, server.port, timeout=2))
        except OSError:
            break
    for connection in connections:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert server.process.poll() is None
    processor = processor_seconds(server.process.pid)
    time.sleep(2)
    # A server that spins on a listening socket it cannot accept from shows here.
    report.note("two seconds without descriptors", processor_seconds=processor_seconds(server.process.pid) - processor)
    for connection in connections:
        connection.close()
    deadline = time.monotonic() + 30
    while True:
        try:
            answer = server.call("GET", "/v1/logs/a/keys/k", timeout=5)
            if answer.status == 200:
                return
            assert answer.code == "overloaded", answer
        except OSError:
            pass
        assert time.monotonic() < deadline, "it does not come back"
        time.sleep(0.05)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_full_memory_is_507_and_deletes_make_room(start_server):
    server = start_server("--max-memory", "32MB")
    full = None
    for n in range(100):
        answer = server.call("PUT", f"/v1/logs/a/keys/k{n}", b"x" * 1_000_000)
        if answer.status != 201:
            full = answer
            break
    assert full.status == 507 and full.code == "memory_full" and full.json()["limit"] > 0, full
    assert server.call("GET", "/v1/logs/a/keys/k0").status == 200
    assert server.call("GET", "/readyz").status == 200
    assert server.call("DELETE", "/v1/logs/a/keys/k1").status == 204
    assert server.call("DELETE", "/v1/logs/a/records?before_offset=10").status == 204
    deadline = time.monotonic() + 30
    while server.call("PUT", "/v1/logs/a/keys/new", b"x" * 100_000).status != 201:
        assert time.monotonic() < deadline, "room does not come back"
        time.sleep(0.1)


def test_version_and_help():
    ended = run("--version")
    assert ended.returncode == 0 and ended.stdout.strip()
    ended = run("--help")
    assert ended.returncode == 0 and b"serve" in ended.stdout
    ended = run("serve", "--help")
    assert ended.returncode == 0 and b"--max-memory" in ended.stdout
