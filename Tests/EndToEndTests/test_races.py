"""Many clients at the same place at the same time."""

import json
import random

import pytest

from support import modes
from support.crowd import Waiting, together

pytestmark = pytest.mark.modes(*modes.ALL)

CLIENTS = 64
READERS = 1000


def request(method, path, *fields):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def test_one_of_64_clients_wins_each_revision(server, log):
    rounds = 20
    revision = server.call("PUT", f"{log}/keys/k", b"0").headers["etag"]
    connections = [server.connect() for _ in range(CLIENTS)]
    for number in range(rounds):
        answers = together(CLIENTS, lambda n: connections[n].call(
            "PUT", f"{log}/keys/k", f"[{number},{n}]", {"If-Match": revision}))
        winners = [answer for answer in answers if answer.status == 200]
        losers = [answer for answer in answers if answer.status == 412]
        assert (len(winners), len(losers)) == (1, CLIENTS - 1)
        revision = winners[0].headers["etag"]
        assert all(f'"{loser.json()["current_revision"]}"' == revision for loser in losers)
    for connection in connections:
        connection.close()
    assert server.call("GET", f"{log}/keys/k").json()[0] == rounds - 1


def test_a_counter_kept_by_compare_and_set_is_exact(server, log):
    additions = 10
    server.call("PUT", f"{log}/keys/k", b"0")

    def add(n):
        with server.connect() as connection:
            for _ in range(additions):
                while True:
                    current = connection.call("GET", f"{log}/keys/k")
                    answer = connection.call("PUT", f"{log}/keys/k", str(int(current.body) + 1),
                                             {"If-Match": current.headers["etag"]})
                    if answer.status == 200:
                        break
                    assert answer.status == 412, answer

    together(CLIENTS, add)
    assert server.call("GET", f"{log}/keys/k").body == b"%d" % (CLIENTS * additions)


def test_one_of_64_clients_creates(server, log):
    for key in range(10):
        answers = together(CLIENTS, lambda n: server.call(
            "PUT", f"{log}/keys/{key}", str(n), {"If-None-Match": "*"}))
        winners = [n for n, answer in enumerate(answers) if answer.status == 201]
        assert len(winners) == 1 and all(answer.status in (201, 412) for answer in answers)
        assert server.call("GET", f"{log}/keys/{key}").body == b"%d" % winners[0]


def test_increments_are_never_lost_and_each_sees_another_value(server, log):
    additions = 50

    def add(n):
        with server.connect() as connection:
            return [connection.call("POST", f"{log}/keys/n:increment").json()["value"] for _ in range(additions)]

    values = [value for own in together(CLIENTS, add) for value in own]
    assert sorted(values) == list(range(1, CLIENTS * additions + 1))


def test_appends_of_many_clients_are_each_there_once_and_in_their_order(server, log):
    appends = 50

    def append(n):
        with server.connect() as connection:
            return [connection.call("POST", f"{log}/records", [[n, i], [n, i + 0.5]]).json()["ranges"][0]
                    for i in range(appends)]

    ranges = [own for client in together(CLIENTS, append) for own in client]
    offsets = sorted(offset for own in ranges for offset in range(own["start"], own["end"]))
    assert offsets == list(range(CLIENTS * appends * 2))
    records = server.call("GET", f"{log}/records?limit=10000").json()["records"]
    for n in range(CLIENTS):
        own = [record["value"][1] for record in records if record["value"][0] == n]
        assert own == [i / 2 for i in range(appends * 2)]


def test_creating_a_log_at_once_creates_one(server, log):
    answers = together(CLIENTS, lambda n: server.call("PUT", log, {"partitions": 3}))
    assert sorted(answer.status for answer in answers) == [200] * (CLIENTS - 1) + [201]
    assert len({answer.json()["epoch"] for answer in answers}) == 1


def test_deleting_and_writing_at_once_never_fails_otherwise(server, log):
    def work(n):
        with server.connect() as connection:
            statuses = set()
            for i in range(50):
                if n % 8 == 0:
                    statuses.add(connection.call("DELETE", log).status)
                else:
                    statuses.add(connection.call("PUT", f"{log}/keys/{n}", str(i)).status)
            return statuses

    for n, statuses in enumerate(together(32, work)):
        assert statuses <= ({204, 404} if n % 8 == 0 else {200, 201, 404}), statuses


# Waiting readers

@pytest.mark.parametrize("way", ["long poll", "event stream"])
def test_a_thousand_waiting_readers_are_woken_by_one_append(start_server, way):
    server = start_server()
    server.call("PUT", "/v1/logs/watched")
    poll = request("GET", "/v1/logs/watched/records?wait_ms=60000")
    stream = request("GET", "/v1/logs/watched/records?last=0", "Accept: text/event-stream")
    with Waiting(server, READERS, poll if way == "long poll" else stream) as readers:
        server.wait_for_metric("pyralog_http_suspended_requests", READERS)
        assert server.call("POST", "/v1/logs/watched/records", {"news": True}).status == 201
        if way == "long poll":
            for answer in readers.answers():
                assert answer.status == 200 and answer.json()["records"][0]["value"] == {"news": True}
        else:
            for data in readers.collect(lambda received: b'"news"' in received and received.endswith(b"\n\r\n")):
                assert data.count(b"event: record") == 1 or data.count(b"event:record") == 1, data
    server.wait_for_metric("pyralog_http_suspended_requests", 0)


@pytest.mark.parametrize("way", ["long poll", "event stream"])
def test_the_hang_up_of_a_waiting_reader_frees_it(start_server, way):
    server = start_server()
    server.call("PUT", "/v1/logs/watched")
    server.wait_for_metric("pyralog_http_connections", 1)
    files = server.open_files()
    path = "/v1/logs/watched/records?last=0"
    with Waiting(server, 200, request("GET", path + "&wait_ms=60000") if way == "long poll"
                 else request("GET", path, "Accept: text/event-stream")):
        server.wait_for_metric("pyralog_http_suspended_requests", 200)
        assert server.open_files() >= 200
    server.wait_for_metric("pyralog_http_suspended_requests", 0)
    if way == "event stream":
        server.wait_for_metric("pyralog_tails", 0)
    server.wait_for_metric("pyralog_http_connections", 1)
    assert server.open_files() <= files + 20
    assert server.call("POST", "/v1/logs/watched/records", [1]).status == 201


def test_readers_that_come_and_go_while_records_come_miss_none(server, log):
    """Each tail is cut off again and again and resumes where it was; together they saw every record once."""
    server.call("PUT", log)
    total = 2000

    def writer():
        with server.connect() as connection:
            for n in range(0, total, 10):
                connection.call("POST", f"{log}/records", list(range(n, n + 10)))

    def tail(seed):
        generator = random.Random(seed)
        seen, last_id = [], None
        while len(seen) < total:
            fields = ["Accept: text/event-stream"] + ([f"Last-Event-ID: {last_id}"] if last_id else [])
            with server.raw(timeout=60) as connection:
                connection.send(request("GET", f"{log}/records", *fields))
                file = connection.socket.makefile("rb")
                event = {}
                for _ in range(generator.randint(40, 4000)):
                    line = file.readline().decode().rstrip("\r\n")
                    name, _, value = line.partition(":")
                    if line and name in ("event", "id", "data"):
                        event[name] = value.removeprefix(" ")
                    elif event.get("event") == "record" and "data" in event:
                        seen.append(json.loads(event["data"])["value"])
                        last_id, event = event["id"], {}
                    if len(seen) == total:
                        break
        return seen

    results = together(9, lambda n: writer() if n == 0 else tail(n))
    assert all(seen == list(range(total)) for seen in results[1:])


# Retries

def test_idempotent_twins_are_done_once_and_answered_alike(server, log):
    fields = {"Idempotency-Key": "twin", "Content-Type": "application/json"}
    answers = together(CLIENTS, lambda n: server.call("POST", f"{log}/records", b'{"once":1}', fields))
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    assert len(server.call("GET", f"{log}/records").json()["records"]) == 1
    answer = server.call("POST", f"{log}/records", b'{"once":2}', fields)
    assert answer.status == 409 and answer.code == "idempotency_mismatch"
    answers = together(CLIENTS, lambda n: server.call("POST", f"{log}/keys/n:increment", b"{}", {"Idempotency-Key": "add"}))
    assert {answer.json()["value"] for answer in answers} == {1}
    assert server.call("GET", f"{log}/keys/n").body == b"1"


def test_a_retry_of_a_refusal_is_answered_alike(server, log):
    fields = {"Idempotency-Key": "bad", "Content-Type": "application/json"}
    first = server.call("POST", f"{log}/records:batch", b'{"record":[]}', fields)
    again = server.call("POST", f"{log}/records:batch", b'{"record":[]}', fields)
    assert first.status == again.status == 400 and first.json() == again.json()


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "é"])
def test_a_bad_idempotency_key_is_400(server, log, key):
    with server.raw() as connection:
        connection.send(f"POST {log}/records HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIdempotency-Key: {key}\r\n"
                        "Content-Length: 1\r\n\r\n1".encode())
        answers = connection.read_to_end()
    assert [answer.status for answer in answers] == [400], answers


def produce(server, log, producer, epoch, sequence, body=b"[1,2]", path="records"):
    return server.call("POST", f"{log}/{path}", body, {
        "Content-Type": "application/json", "Producer-Id": producer, "Producer-Epoch": str(epoch),
        "Producer-Seq": str(sequence)})


def test_a_producer_sends_each_call_once(server, log):
    first = produce(server, log, "p", 0, 0)
    assert first.status == 201
    second = produce(server, log, "p", 0, 1)
    for answer, original in ((produce(server, log, "p", 0, 0), first), (produce(server, log, "p", 0, 1), second)):
        assert answer.status == 200 and answer.json()["ranges"] == original.json()["ranges"]
    gap = produce(server, log, "p", 0, 5)
    assert gap.status == 409 and gap.code == "producer_gap" and gap.json()["expected_seq"] == 2
    assert produce(server, log, "p", 1, 0).status == 201
    fenced = produce(server, log, "p", 0, 2)
    assert fenced.status == 403 and fenced.code == "producer_fenced" and fenced.json()["current_epoch"] == 1
    assert produce(server, log, "q", 7, 0).status == 201
    gap = produce(server, log, "new", 0, 3)
    assert gap.status == 409 and gap.json()["expected_seq"] == 0
    assert len(server.call("GET", f"{log}/records").json()["records"]) == 8


def test_producers_that_retry_wildly_lose_and_double_nothing(server, log):
    calls = 50

    def run(n):
        generator = random.Random(n)
        with server.connect() as connection:
            sequence = 0
            while sequence < calls:
                answer = connection.call("POST", f"{log}/records", [[n, sequence]], {
                    "Producer-Id": f"p{n}", "Producer-Epoch": "0", "Producer-Seq": str(sequence)})
                assert answer.status in (200, 201), answer
                if generator.random() < 0.6:
                    sequence += 1

    together(16, run)
    records = [record["value"] for record in server.call("GET", f"{log}/records?limit=10000").json()["records"]]
    for n in range(16):
        assert [value[1] for value in records if value[0] == n] == list(range(calls))


def test_some_of_the_producer_fields_are_400(server, log):
    for fields in ({"Producer-Id": "p"}, {"Producer-Id": "p", "Producer-Epoch": "0"}, {"Producer-Seq": "0"},
                   {"Producer-Id": "p", "Producer-Epoch": "x", "Producer-Seq": "0"},
                   {"Producer-Id": "p", "Producer-Epoch": "0", "Producer-Seq": "-1"}):
        answer = server.call("POST", f"{log}/records", b"1", fields)
        assert answer.status == 400 and "Producer" in answer.detail, (fields, answer)
