"""/metrics is well-formed in both formats, and says what really happened."""

import os
import shutil
import subprocess

import pytest
import yaml

from support.server import REPOSITORY

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def promtool():
    path = shutil.which("promtool", path=f"{REPOSITORY}/.deps/bin:{os.environ['PATH']}")
    assert path, "promtool is missing: scripts/bootstrap --tests unpacks it"
    return path


@pytest.fixture(scope="module")
def busy(server):
    """The module's server after a little of everything."""
    server.call("PUT", "/v1/logs/sessions", {"compaction": "keys", "partitions": 2})
    server.call("PUT", "/v1/logs/quoted.name-1/keys/k", b'"')
    for n in range(20):
        server.call("PUT", f"/v1/logs/sessions/keys/k{n}", b"x" * 100)
    server.call("POST", "/v1/logs/events/records", [{"n": n} for n in range(50)])
    server.call("GET", "/v1/logs/events/records?limit=10")
    server.call("GET", "/v1/logs/events/keys/none")
    server.call("GET", "/nowhere/at/all")
    server.call("DELETE", "/v1/logs/sessions/keys/k0")
    server.call("DELETE", "/v1/logs/events/records?before_offset=5")
    return server


@pytest.mark.parametrize("accept", [{}, {"Accept": "text/plain"}, OPENMETRICS])
def test_the_format_is_well_formed(busy, accept):
    answer = busy.call("GET", "/metrics", headers=accept)
    assert answer.status == 200
    text = answer.body.decode()
    if accept is OPENMETRICS:
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert text.endswith("# EOF\n")
        # The tool reads the older format; what differs is the end and the names of counters' families.
        counters = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE") and line.endswith(" counter")}
        lines = []
        for line in text.removesuffix("# EOF\n").splitlines():
            words = line.split(" ", 3)
            if words[:2] in (["#", "HELP"], ["#", "TYPE"]) and words[2] in counters:
                words[2] += "_total"
                line = " ".join(words)
            if not line.startswith("# UNIT"):
                lines.append(line)
        text = "\n".join(lines) + "\n"
    else:
        assert answer.headers["content-type"].startswith("text/plain")
    checked = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stderr.strip(), f"{checked.stderr}\n{text}"


def test_both_formats_have_the_same_families(busy):
    plain = busy.call("GET", "/metrics").body.decode()
    opened = busy.call("GET", "/metrics", headers=OPENMETRICS).body.decode()

    def families(text):
        return {line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE")}

    assert families(plain) == families(opened)


def test_every_family_is_documented(busy):
    documented = (REPOSITORY / "docs" / "operations.md").read_text()
    text = busy.call("GET", "/metrics").body.decode()
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    missing = [name for name in families if f"`{name}`" not in documented]
    assert not missing, f"docs/operations.md does not name {missing}"


def test_every_error_code_is_documented():
    documented = (REPOSITORY / "docs" / "operations.md").read_text()
    codes = yaml.safe_load((REPOSITORY / "openapi" / "pyralog.yaml").read_text())["components"]["schemas"]["ErrorCode"]["enum"]
    missing = [code for code in codes if f"`{code}`" not in documented]
    assert not missing, f"docs/operations.md does not name {missing}"


def grown(server, name, labels, work):
    """How much a metric grows while `work` is done."""
    before = server.metrics().sum(name, labels)
    work()
    return server.metrics().sum(name, labels) - before


def test_records_appended_and_read_are_counted(server, log):
    name = {"log": log.rpartition("/")[2]}
    server.call("PUT", log)
    assert grown(server, "pyralog_records_appended_total", name,
                 lambda: server.call("POST", f"{log}/records", [1, 2, 3])) == 3
    assert grown(server, "pyralog_records_appended_total", name,
                 lambda: server.call("POST", f"{log}/records", b'{"a":1}\n{"a":2}\n',
                                     {"Content-Type": "application/x-ndjson"})) == 2
    assert grown(server, "pyralog_records_appended_total", name,
                 lambda: server.call("PUT", f"{log}/keys/k", b"1")) == 1
    assert grown(server, "pyralog_records_appended_total", name,
                 lambda: server.call("POST", f"{log}/records", b"{")) == 0
    assert grown(server, "pyralog_records_read_total", name,
                 lambda: server.call("GET", f"{log}/records?limit=2")) == 2
    assert grown(server, "pyralog_bytes_appended_total", name,
                 lambda: server.call("POST", f"{log}/records?key=abc", b"1234567890",
                                     {"Content-Type": "text/plain"})) >= 10


def test_requests_are_counted_by_route_and_status(server, log):
    labels = {"method": "PUT", "route": "/v1/logs/{log}/keys/{key}", "status": "201"}

    def put():
        for n in range(7):
            server.call("PUT", f"{log}/keys/k{n}", b"1")

    assert grown(server, "pyralog_http_requests_total", labels, put) == 7
    labels = {"route": "/v1/logs/{log}/keys/{key}", "status": "404"}
    assert grown(server, "pyralog_http_requests_total", labels, lambda: server.call("GET", f"{log}/keys/none")) == 1


def test_labels_never_hold_what_a_client_made_up(server):
    for n in range(50):
        server.call("GET", f"/made/up/{n}")
        server.call("GET", f"/v1/logs/madeup{n}/records")
    text = server.call("GET", "/metrics").body.decode()
    assert "made/up" not in text and "madeup" not in text


def test_a_deleted_log_leaves_the_metrics(server, log):
    name = log.rpartition("/")[2]
    server.call("POST", f"{log}/records", [1])
    assert f'log="{name}"' in server.metrics().text
    server.call("DELETE", log)
    assert f'log="{name}"' not in server.metrics().text


def test_the_number_of_log_labels_is_bounded(start_server):
    server = start_server()
    with server.connect() as connection:
        for n in range(1500):
            connection.call("PUT", f"/v1/logs/log{n}")
    logs = {labels["log"] for _, labels, _ in server.metrics().samples if "log" in labels}
    assert len(logs) <= 1100


def test_expired_and_trimmed_records_are_counted(server, log):
    name = {"log": log.rpartition("/")[2]}
    server.call("POST", f"{log}/records", [1, 2, 3, 4])
    assert grown(server, "pyralog_records_trimmed_total", name,
                 lambda: server.call("DELETE", f"{log}/records?before_offset=3")) == 3
    before = server.metrics().sum("pyralog_records_expired_total", name)
    server.call("PUT", f"{log}/keys/k?ttl_ms=1", b"1")
    server.wait_for_metric("pyralog_records_expired_total", before + 1, name)
