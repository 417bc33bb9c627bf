"""The executable as its own client."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time

import pytest

from support.server import binary


@pytest.fixture
def pyralog(server):
    """Runs one command against the module's server."""
    def run(*arguments, input=None, exit_code=0, by_flag=False):
        environment = {**os.environ, "PYRALOG_URL": server.url}
        if by_flag:
            arguments = (*arguments, "--url", server.url)
            del environment["PYRALOG_URL"]
        ended = subprocess.run([str(binary()), *arguments], input=input or b"", capture_output=True, timeout=120,
                               env=environment)
        assert ended.returncode == exit_code, ended
        return ended.stdout if exit_code == 0 else ended.stderr
    return run


@pytest.fixture
def name(log):
    return log.rpartition("/")[2]


@pytest.mark.parametrize("by_flag", [False, True])
def test_put_get_and_delete(pyralog, server, log, name, by_flag):
    revision = pyralog("put", name, "greeting", "hello", by_flag=by_flag).decode().strip()
    assert f'"{revision}"' == server.call("HEAD", f"{log}/keys/greeting").headers["etag"]
    assert pyralog("get", name, "greeting", by_flag=by_flag) == b"hello"
    assert pyralog("delete", name, "greeting", by_flag=by_flag) == b""
    assert b"key_not_found" in pyralog("get", name, "greeting", exit_code=1) or \
        b"no such key" in pyralog("get", name, "greeting", exit_code=1)


def test_a_key_is_given_as_it_is(pyralog, server, log, name):
    for key, path in (("a/b", "a%2Fb"), ("100%", "100%25"), ("..", "%2E%2E"), ("🔥", "%F0%9F%94%A5"), ("a:increment", "a%3Aincrement")):
        pyralog("put", name, key, "1")
        assert server.call("GET", f"{log}/keys/{path}").body == b"1", key
        assert pyralog("get", name, key) == b"1"


def test_put_of_a_file_and_of_standard_input(pyralog, server, log, name, tmp_path):
    data = os.urandom(5_000_000)
    (tmp_path / "photo").write_bytes(data)
    pyralog("put", name, "file", f"@{tmp_path / 'photo'}")
    pyralog("put", name, "pipe", "-", "--content-type", "image/png", input=data)
    assert pyralog("get", name, "file") == pyralog("get", name, "pipe") == data
    assert server.call("HEAD", f"{log}/keys/pipe").headers["content-type"] == "image/png"


def test_a_lifetime(pyralog, server, log, name):
    pyralog("put", name, "k", "1", "--ttl", "10m")
    left = int(server.call("HEAD", f"{log}/keys/k").headers["pyralog-expires-at"]) / 1000 - time.time()
    assert 0 < left <= 600


def test_append_a_file_and_a_pipe(pyralog, server, log, name, tmp_path):
    file = tmp_path / "lines"
    file.write_text("".join('{"id":"k%d","n":%d}\n' % (n, n) for n in range(200_000)))
    assert b"200000" in pyralog("append", name, str(file), "--key-field", "id")
    assert b"1 record" in pyralog("append", name, input=b'{"id":"last"}\n')
    assert server.call("GET", f"{log}/keys/k199999").json() == {"id": "k199999", "n": 199999}
    partition, = server.call("GET", log).json()["stats"]["partitions"]
    assert partition["tail"] == 200_001


def test_a_bad_line_is_counted_from_the_start_of_the_file(pyralog, name, tmp_path):
    file = tmp_path / "lines"
    file.write_text('{"n":1}\n' * 2_000_000 + '{"n":\n')
    assert b"2000001" in pyralog("append", name, str(file), exit_code=1)


def test_logs_are_listed(pyralog, server, name, log):
    server.call("PUT", log)
    assert name in pyralog("logs").decode().split()
    assert pyralog("logs", "--prefix", "none-of-them") == b""


def test_a_tail_prints_what_comes(server, log, name):
    server.call("POST", f"{log}/records", [1, 2, 3])
    tail = subprocess.Popen([str(binary()), "tail", name, "--last", "2", "--url", server.url], stdout=subprocess.PIPE,
                            # A job in the background of a shell is born with it ignored.
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        values = [json.loads(tail.stdout.readline())["value"] for _ in range(2)]
        server.call("POST", f"{log}/records", [4])
        values.append(json.loads(tail.stdout.readline())["value"])
        assert values == [2, 3, 4]
    finally:
        tail.send_signal(signal.SIGINT)
        tail.wait(30)
        tail.stdout.close()


def test_a_tail_that_does_not_follow_ends(pyralog, server, log, name):
    server.call("POST", f"{log}/records", [1, 2, 3])
    lines = pyralog("tail", name, "--no-follow").splitlines()
    assert [json.loads(line)["value"] for line in lines] == [1, 2, 3]


def on_a_terminal(server, columns, *arguments):
    """What a command shows on a terminal of this width, as lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(binary()), *arguments, "--url", server.url], stdout=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode().replace("\r\n", "\n").splitlines()


def test_rows_are_a_table_on_a_terminal_and_csv_in_a_pipe(pyralog, server, log, name):
    server.call("POST", f"{log}/records", [{"text": "long " * 100, "n": 1234567890, "none": None}, {"text": "short", "n": 7}])
    query = f"SELECT text, none, n FROM {name} ORDER BY n"
    assert pyralog("sql", query) == b"text,none,n\nshort,,7\n" + b"long " * 100 + b",,1234567890\n"
    head, rule, first, second, footer = on_a_terminal(server, 50, "sql", query)
    assert head.split() == ["text", "|", "none", "|", "n"]
    assert set(rule) == set("-+") and len(rule) == 50
    assert first.startswith("short ") and first.endswith("         7") and "\x1b[2mNULL\x1b[0m" in first
    assert second.startswith("long long ") and "… |" in second and second.endswith(" 1234567890")
    assert footer.startswith("(2 rows, ") and footer.endswith(" ms)")


def test_rows_in_parquet_and_arrow(pyralog, server, log, name, tmp_path):
    server.call("POST", f"{log}/records", [{"n": n} for n in range(5000)])
    for format, beginning in (("parquet", b"PAR1"), ("arrow", b"\xff\xff\xff\xff")):
        data = pyralog("sql", f"SELECT n FROM {name}", "--format", format)
        assert data.startswith(beginning)
        pyralog("sql", f"SELECT n FROM {name}", "--output", str(tmp_path / f"rows.{format}"))
        assert len((tmp_path / f"rows.{format}").read_bytes()) == len(data)


def test_a_long_result_is_not_kept_in_memory(server):
    command = [str(binary()), "sql", "SELECT i, repeat('x', 1000) AS x FROM range(300000) t(i)", "--format", "ndjson", "--url", server.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    total = 0
    most = 0
    while piece := process.stdout.read(1 << 20):
        total += len(piece)
        with open(f"/proc/{process.pid}/statm") as file:
            fields = file.read().split()
        most = max(most, int(fields[1] if len(fields) > 1 else 0) * os.sysconf("SC_PAGE_SIZE"))
    process.stdout.close()
    assert process.wait(60) == 0
    assert total > 300_000_000 and most < 100_000_000


def test_without_a_server_it_says_so(name):
    ended = subprocess.run([str(binary()), "get", name, "k", "--url", "http://127.0.0.1:1"], capture_output=True, timeout=60)
    assert ended.returncode == 1 and b"127.0.0.1" in ended.stderr and ended.stdout == b""


def test_a_refusal_of_the_server_is_shown(pyralog):
    assert b"name" in pyralog("put", "..", "k", "1", exit_code=1)
