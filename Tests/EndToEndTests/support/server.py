"""The real executable, started on a free port and held to its word.

A server may write one line to standard output, may not crash, and ends with exit code 0 when it is asked to stop.
`Server.stop` checks all three, so every test that uses one checks them too.
"""

import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

import yaml

from . import client, modes

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
READY_PREFIX = b"pyralog ready on http://"
READY_SECONDS = 30
STOP_SECONDS = 30
SIGNS_OF_A_CRASH = (b"Fatal error", b"Program crashed", b"Segmentation fault", b"*** Signal", b"core dumped")


def binary() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("PYRALOG_BINARY", REPOSITORY / ".build" / "release" / "pyralog"))
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: build it, or name it in PYRALOG_BINARY")
    return path.resolve()


def clean_environment() -> dict[str, str]:
    """Without what configures the tests, or a server by chance."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYRALOG_")}


class ServerDied(AssertionError):
    pass


class Server:
    """One running server. `config` becomes a YAML file for `--config`; `wrapper` is put before the command.

    Modes that keep data keep it in a directory of this server's own, which goes with it, or in `data`, which stays.
    One that is not awaited has no address; it is for killing.
    """

    def __init__(self, *arguments, config=None, wrapper=(), environment=None, mode=modes.MEMORY, data=None,
                 is_awaited=True):
        self._directory = tempfile.TemporaryDirectory(prefix="pyralog-test-")
        self.directory = pathlib.Path(self._directory.name)
        self.log_path = self.directory / "server.log"
        self._stdout = b""
        self._expected_exit = 0
        self.port = None
        if config is not None:
            file = self.directory / "pyralog.yaml"
            file.write_text(yaml.safe_dump(config))
            arguments = (*arguments, "--config", str(file))
        self.mode = mode
        self.data = pathlib.Path(data) if data else self.directory / "data"
        arguments = (*arguments, *mode.flags(self.data))
        if "--port" not in arguments:
            arguments = (*arguments, "--port", "0")
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [*wrapper, str(binary()), "serve", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log,
            env={**clean_environment(), **(environment or {})}, cwd=self.directory)
        if not is_awaited:
            return
        self.ready_line = self._read_ready_line()
        address = self.ready_line[len(READY_PREFIX):].decode()
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.url = f"http://{address}"

    def _read_ready_line(self) -> bytes:
        deadline = time.monotonic() + READY_SECONDS
        while b"\n" not in self._stdout:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                self.process.kill()
                raise ServerDied(f"no ready line; exit {self.process.wait()}; log:\n{self.log_text()}")
            self._stdout += piece
        line, _, rest = self._stdout.partition(b"\n")
        assert line.startswith(READY_PREFIX), f"the first line of standard output is {line!r}"
        self._stdout = rest
        return line

    # The story of a request

    def call(self, method, path, body=None, headers=None, timeout=60) -> client.Answer:
        """One request on a connection of its own."""
        with self.connect(timeout) as connection:
            return connection.call(method, path, body, headers)

    def connect(self, timeout=60) -> client.Connection:
        return client.Connection(self.host, self.port, timeout)

    def raw(self, timeout=20) -> client.RawConnection:
        return client.RawConnection(self.host, self.port, timeout)

    def metrics(self) -> "client.Metrics":
        answer = self.call("GET", "/metrics")
        assert answer.status == 200, answer
        return client.Metrics(answer.body.decode())

    def wait_for_metric(self, name, expected, labels=None, seconds=30):
        """Waits until a metric has a value; a deadline that passes is a failure, not a measurement."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.metrics().sum(name, labels)
            if value == expected:
                return
            assert time.monotonic() < deadline, f"{name}{labels or ''} is {value}, not {expected}"
            time.sleep(0.02)

    # Its end

    def log_text(self) -> str:
        return self.log_path.read_text(errors="replace")

    def assert_alive(self):
        if self.process.poll() is not None:
            raise ServerDied(f"the server ended with {self.process.returncode}; log:\n{self.log_text()}")
        assert self.call("GET", "/livez").status == 200

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9; the end of the process is then as expected."""
        self._expected_exit = -signal.SIGKILL
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def end(self, code, seconds=10):
        """Waits until it ends by itself, with this exit code."""
        self._expected_exit = code
        assert self.process.wait(seconds) == code, self.log_text()

    def is_killed(self, seconds) -> bool:
        """Whether somebody kills it within this time; its end is as expected then."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        assert code == -signal.SIGKILL, f"exit code {code}; log:\n{self.log_text()}"
        self._expected_exit = code
        return True

    def stop(self):
        try:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise ServerDied(f"SIGTERM did not end the server; log:\n{self.log_text()}") from None
            rest = self._stdout + self.process.stdout.read()
            log = self.log_path.read_bytes()
            for sign in SIGNS_OF_A_CRASH:
                assert sign not in log, f"the log shows a crash:\n{self.log_text()}"
            assert code == self._expected_exit, f"exit code {code}; log:\n{self.log_text()}"
            assert rest == b"" or self.port is None, f"standard output has more than the ready line: {rest!r}"
        finally:
            self.process.stdout.close()
            self._log.close()
            self._directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
