"""Two clients: one for well-formed requests, one that sends exactly the bytes it is given."""

import http.client
import json
import re
import socket
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.header_list = headers
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The `code` of a problem document."""
        assert self.headers.get("content-type", "").startswith("application/problem+json"), repr(self)
        return self.json()["code"]

    @property
    def detail(self):
        return self.json()["detail"]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:600]!r}>"


class Connection:
    """A kept-alive connection."""

    def __init__(self, host, port, timeout=60):
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout)

    def call(self, method, path, body=None, headers=None) -> Answer:
        """A `dict` or `list` is sent as JSON; other bodies as they are."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        elif isinstance(body, str):
            body = body.encode()
        if self._connection.sock is None:
            self._connection.connect()
        try:
            self._connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # A refusal may come before the body is sent; whether there is one, reading tells.
            pass
        response = self._connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def quoted(key) -> str:
    """A key as it stands in a path."""
    return urllib.parse.quote(key, safe="").replace(".", "%2E")


class NotClosed(AssertionError):
    pass


class RawConnection:
    """Sends bytes and reads what comes back, with its framing checked to the last byte."""

    def __init__(self, host, port, timeout=20):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def send(self, data):
        """Sends all; a server that has closed already is no error here."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read_answer(self, to_head=False) -> Answer:
        """The next answer, on a connection that stays open."""
        while True:
            answer, rest = parse_answer(self._received, to_head)
            if answer is not None:
                self._received = rest
                return answer
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"closed in the middle of an answer: {self._received!r}")
            self._received += piece

    def read_to_end(self, by_the_parser=False) -> list[Answer]:
        """All answers until the server closes; bytes that are no answer fail, and so does a server that waits.

        With `by_the_parser`, a refusal that libmicrohttpd makes up by itself may have its head twice: 0.9.75 does so for
        a malformed Content-Length, before it asks us anything, and closes.
        """
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                break
            except TimeoutError:
                raise NotClosed(f"not closed after {self._received!r}") from None
            if not piece:
                break
            self._received += piece
        answers = []
        data = self._received
        head = data[:data.find(b"\r\n\r\n") + 4]
        if by_the_parser and head and b"Connection: close\r\n" in head and data.startswith(head * 2):
            data = data[len(head):]
        while data:
            answer, rest = parse_answer(data)
            assert answer is not None, f"left over after {answers}: {data!r}"
            if answer.status != 100:
                answers.append(answer)
            data = rest
        return answers

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parse_answer(data, to_head=False):
    """The first whole answer in `data` and what follows it, or (None, data)."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None, data
    lines = head.split(b"\r\n")
    match = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*", lines[0])
    assert match, f"not a status line: {lines[0]!r}"
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        assert colon, f"not a header line: {line!r}"
        headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))
    answer = Answer(int(match[1]), headers, b"")
    if answer.status < 200 or answer.status in (204, 304) or to_head:
        return answer, rest
    if answer.headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            size, separator, after = rest.partition(b"\r\n")
            if not separator:
                return None, data
            length = int(size.split(b";")[0], 16)
            if len(after) < length + 2:
                return None, data
            assert after[length:length + 2] == b"\r\n", "a chunk does not end where it says"
            answer.body += after[:length]
            rest = after[length + 2:]
            if length == 0:
                return answer, rest
    if "content-length" not in answer.headers:
        raise AssertionError(f"an answer without a length: {head!r}")
    length = int(answer.headers["content-length"])
    if len(rest) < length:
        return None, data
    answer.body = rest[:length]
    return answer, rest[length:]


class Metrics:
    """One scrape in Prometheus' text format."""

    _sample = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$')
    _label = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = self._sample.match(line)
            assert match, f"not a sample: {line!r}"
            self.samples.append((match[1], dict(self._label.findall(match[2] or "")), float(match[3])))

    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}

    def sum(self, name, labels=None) -> float:
        """The sum over all samples that have these labels; an unknown name is an error."""
        assert name in self.names() or f"# TYPE {name} " in self.text, f"no metric {name}"
        wanted = (labels or {}).items()
        return sum(value for n, own, value in self.samples if n == name and wanted <= own.items())
