"""A real server that speaks S3 and checks signatures, and a proxy before it that makes trouble on demand.

    with S3Server() as server, FaultProxy(server) as proxy:
        proxy.add(Fault("status", method="PUT", status=503, times=2))
        Server("--…", environment=server.environment(proxy.url))

Run as a program (`python -m support.objects`) it starts both, prints where they are, and takes orders from its standard
input, a line of JSON each: that is how the tests in Swift use it.
"""

import contextlib
import dataclasses
import http.client
import json
import pathlib
import random
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

READY_SECONDS = 20
STOP_SECONDS = 10


class S3Server:
    """`rclone serve s3` over a directory of its own, with one bucket; it is gone, with its data, when it is stopped."""

    def __init__(self, bucket="bucket", access_key="TESTKEYID", secret_key="test/secret+key", https=False,
                 virtual_host=False):
        self.bucket, self.access_key, self.secret_key, self.https = bucket, access_key, secret_key, https
        self.virtual_host = virtual_host
        self._directory = tempfile.TemporaryDirectory(prefix="pyralog-s3-")
        self.directory = pathlib.Path(self._directory.name)
        self.data = self.directory / "data"
        (self.data / bucket).mkdir(parents=True)
        self.authority_file = None
        arguments = ["--force-path-style=false"] if virtual_host else []
        if https:
            self.authority_file, certificate, key = make_certificates(self.directory, bucket)
            arguments += ["--cert", str(certificate), "--key", str(key)]
        self._log_path = self.directory / "rclone.log"
        with open(self._log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).parent / "rclone"), "serve", "s3", "--addr", "127.0.0.1:0",
                 "--auth-key", f"{access_key},{secret_key}", "--config", str(self.directory / "none.conf"),
                 *arguments, str(self.data)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.port = self._read_port()
        except BaseException:
            self.stop()
            raise

    def _read_port(self) -> int:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"Starting s3 server on \[https?://127\.0\.0\.1:(\d+)/", self.log)
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"rclone did not start:\n{self.log}")

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    @property
    def url(self) -> str:
        return f"{'https' if self.https else 'http'}://localhost:{self.port}"

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}"

    def environment(self, endpoint=None) -> dict[str, str]:
        """The variables that make a server of ours use this one, or a proxy before it."""
        names = {
            "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": endpoint or self.url,
        }
        return names | ({"AWS_CA_BUNDLE": str(self.authority_file)} if self.https else {})

    def path(self, key: str) -> pathlib.Path:
        """The file that holds an object: to look at it, or to damage it, behind the server's back."""
        return self.data / self.bucket / key

    def keys(self) -> list[str]:
        top = self.data / self.bucket
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def make_certificates(directory: pathlib.Path, bucket: str):
    """An authority, and a certificate of it for localhost. Returns the authority's file, the certificate, its key."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=directory)

    (directory / "names").write_text(f"subjectAltName=DNS:localhost,DNS:{bucket}.localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Authority of a test", "-keyout", "authority.key", "-out", "authority.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-keyout", "server.key", "-out", "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem")
    return directory / "authority.pem", directory / "server.pem", directory / "server.key"


@dataclasses.dataclass
class Fault:
    """What happens to requests, and to which.

    Kinds: `status` (answers so and passes nothing on), `reset-request` (hangs up before the body has all come),
    `reset-response` (in the middle of the answer), `lose` (passes on, and hangs up instead of answering), `truncate` (half
    of the answer's body, then the end), `shorten` (half of it, and a length that agrees), `flip-upload`, `flip-download`
    (one byte of the body), `flip-stored` (one byte of what the server has stored, after it has answered), `stall` (no
    answer for `seconds`), `stall-response` (half of one), `drop` (200, and nothing is passed on), `error-200` (200 with an
    error in its body, nothing passed on), `duplicate` (passed on twice; the second answer counts).
    """

    kind: str
    method: str | None = None
    # A regular expression that is looked for in the path with its query.
    path: str = ""
    # From the nth matching request on, so many times; None: always.
    nth: int = 1
    times: int | None = 1
    # Each of those only so often.
    probability: float = 1.0
    status: int = 503
    retry_after: int | None = None
    seconds: float = 30.0
    seen: int = 0
    done: int = 0

    def strikes(self, method: str, path: str, dice: random.Random) -> bool:
        if (self.method and method != self.method) or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.done >= self.times):
            return False
        if dice.random() >= self.probability:
            return False
        self.done += 1
        return True


ERROR = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>made up</Message></Error>'


class FaultProxy:
    """An HTTP proxy in front of an `S3Server`; it passes `Host` through, which signatures cover."""

    def __init__(self, server: S3Server, seed: int = 1):
        self.server = server
        self.dice = random.Random(seed)
        self.faults: list[Fault] = []
        # Method and path of every request, and the kind of fault that it met, or None.
        self.requests: list[tuple[str, str, str | None]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError, TimeoutError):
                    while proxy._exchange(self):
                        pass

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request, client_address):
                print(f"proxy: {sys.exc_info()[1]!r}", file=sys.stderr)

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self._listener.server_address[1]
        self.url = f"http://localhost:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear(self):
        with self._lock:
            self.faults.clear()
            self.requests.clear()

    def count(self, method: str, path: str = "") -> int:
        with self._lock:
            return sum(seen == method and re.search(path, where) is not None for seen, where, _ in self.requests)

    def stop(self):
        self._stopping.set()
        self._listener.shutdown()
        self._listener.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # One request and its answer; true: another may follow on the same connection.
    def _exchange(self, handler) -> bool:
        line = handler.rfile.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        method, path, _ = line.split(" ", 2)
        fields = []
        while text := handler.rfile.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = text.partition(":")
            fields.append((name, value.strip()))
        names = {name.lower(): value for name, value in fields}
        with self._lock:
            fault = next((fault for fault in self.faults if fault.strikes(method, path, self.dice)), None)
            self.requests.append((method, path, fault and fault.kind))
        kind = fault.kind if fault else None
        length = int(names.get("content-length", 0))
        if kind == "reset-request":
            if "expect" in names:
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            handler.rfile.read(length // 2)
            return self._reset(handler)
        if "expect" in names:
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = handler.rfile.read(length)
        if len(body) < length:
            return False
        if kind == "status":
            extra = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
            return self._answer(handler, method, fault.status, extra, b"")
        if kind == "drop":
            return self._answer(handler, method, 200, [("ETag", '"0123456789abcdef0123456789abcdef"')], b"")
        if kind == "error-200":
            return self._answer(handler, method, 200, [("Content-Type", "application/xml")], ERROR)
        if kind == "stall":
            self._stopping.wait(fault.seconds)
            return False
        if kind == "flip-upload":
            body = flipped(body)
        for _ in range(2 if kind == "duplicate" else 1):
            status, answer_fields, answer, announced = self._pass_on(method, path, fields, body)
        if kind == "lose":
            return self._reset(handler)
        if kind == "flip-stored":
            self._damage(path)
        if kind == "flip-download":
            answer = flipped(answer)
        if kind == "shorten":
            answer, announced = answer[:len(answer) // 2], None
        if kind in ("truncate", "reset-response", "stall-response"):
            half = answer[:len(answer) // 2]
            self._answer(handler, method, status, answer_fields, half, announced=len(answer))
            if kind == "stall-response":
                self._stopping.wait(fault.seconds)
            return self._reset(handler) if kind == "reset-response" else False
        return self._answer(handler, method, status, answer_fields, answer, announced)

    def _pass_on(self, method, path, fields, body):
        if self.server.https:
            context = ssl.create_default_context(cafile=str(self.server.authority_file))
            upstream = http.client.HTTPSConnection("localhost", self.server.port, context=context)
        else:
            upstream = http.client.HTTPConnection("127.0.0.1", self.server.port)
        with contextlib.closing(upstream):
            upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in fields:
                if name.lower() not in ("expect", "connection"):
                    upstream.putheader(name, value)
            # A server that refuses a body may hang up before it has read it all, and its answer is there all the same.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                upstream.endheaders(body or None)
            response = upstream.getresponse()
            answer = response.read()
            hop = ("connection", "content-length", "transfer-encoding")
            answer_fields = [(name, value) for name, value in response.getheaders() if name.lower() not in hop]
            announced = response.getheader("Content-Length") if method == "HEAD" else None
            return response.status, answer_fields, answer, announced

    def _answer(self, handler, method, status, fields, body, announced=None) -> bool:
        head = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Status')}"]
        head += [f"{name}: {value}" for name, value in fields]
        if status != 204:
            head.append(f"Content-Length: {len(body) if announced is None else announced}")
        text = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        handler.wfile.write(text + (b"" if method == "HEAD" else body))
        return True

    def _reset(self, handler) -> bool:
        # Nothing is lingered for: the peer gets a reset instead of an end.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return False

    def _damage(self, path: str):
        file = self.server.data / urllib.parse.unquote(path.partition("?")[0]).lstrip("/")
        file.write_bytes(flipped(file.read_bytes()))


def flipped(body: bytes) -> bytes:
    if not body:
        return body
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0x10]) + body[middle + 1:]


def main():
    options = set(sys.argv[1:])
    with S3Server(https="--https" in options, virtual_host="--virtual-host" in options) as server, \
            FaultProxy(server) as proxy:
        def say(value):
            print(json.dumps(value), flush=True)

        say({"port": server.port, "proxyPort": proxy.port, "accessKey": server.access_key,
             "secretKey": server.secret_key, "data": str(server.data / server.bucket),
             "authorityFile": str(server.authority_file or "")})
        for line in sys.stdin:
            order = json.loads(line)
            if "fault" in order:
                proxy.add(Fault(**order["fault"]))
                say(0)
            elif "count" in order:
                say(proxy.count(*order["count"]))
            elif "struck" in order:
                say(sum(fault.done for fault in proxy.faults))
            else:
                proxy.clear()
                say(0)


if __name__ == "__main__":
    main()
