"""Many clients at once: threads that start together, and a thousand sockets in one."""

import concurrent.futures
import selectors
import socket
import threading

from .client import parse_answer


def together(count, work):
    """Runs `work(n)` in `count` threads that begin at the same moment; returns the results in order."""
    barrier = threading.Barrier(count)

    def begin(n):
        barrier.wait(60)
        return work(n)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [future.result(timeout=240) for future in [pool.submit(begin, n) for n in range(count)]]


class Waiting:
    """Sockets that have each sent one request and wait for the answer."""

    def __init__(self, server, count, request):
        self.selector = selectors.DefaultSelector()
        self.received = {}
        for _ in range(count):
            connection = socket.create_connection((server.host, server.port), timeout=60)
            connection.sendall(request)
            connection.setblocking(False)
            self.received[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)

    def collect(self, is_complete, seconds=60):
        """Reads until `is_complete(bytes)` of every connection; returns the bytes of each."""
        open_connections = set(self.received)
        while open_connections:
            ready = self.selector.select(seconds)
            assert ready, f"{len(open_connections)} connections wait for ever"
            for key, _ in ready:
                connection = key.fileobj
                piece = connection.recv(1 << 20)
                self.received[connection] += piece
                if not piece or is_complete(self.received[connection]):
                    open_connections.discard(connection)
                    self.selector.unregister(connection)
        return list(self.received.values())

    def answers(self):
        """One whole answer of every connection."""
        data = self.collect(lambda received: parse_answer(received)[0] is not None)
        answers = [parse_answer(received)[0] for received in data]
        assert all(answers), "a connection was closed without an answer"
        return answers

    def close(self):
        for connection in self.received:
            connection.close()
        self.selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
