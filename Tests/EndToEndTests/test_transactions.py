"""POST /v1/transactions: all or nothing, seen by nobody in part, and every mistake refused before anything is done."""

import base64
import itertools
import json
import random
import threading

import pytest

from support import modes
from support.crowd import together

pytestmark = pytest.mark.modes(*modes.ALL)

PATH = "/v1/transactions"


@pytest.fixture
def transact(server):
    def call(body=None, headers=None, query="", **branches):
        return server.call("POST", PATH + query, body if body is not None else branches, headers)
    return call


@pytest.fixture
def names(log):
    """Names of logs that no other test uses."""
    name = log.rpartition("/")[2]
    return [f"{name}_{letter}" for letter in "abc"]


def put(log, key, value, **more):
    return {"put": {"log": log, "key": key, "value": value, **more}}


def get(log, key):
    return {"get": {"log": log, "key": key}}


def logs_of(server, names):
    """What there is of these logs: their records, or None."""
    answers = {name: server.call("GET", f"/v1/logs/{name}/records?limit=10000") for name in names}
    return {name: answer.json()["records"] if answer.status == 200 else None for name, answer in answers.items()}


# What it does

def test_the_documented_example(server, transact, names, storage_mode):
    accounts, counters, events = names
    first = server.call("PUT", f"/v1/logs/{accounts}/keys/a", b'{"balance":100}')
    server.call("PUT", f"/v1/logs/{accounts}/keys/b", b'{"balance": 10.50}')
    body = {
        "if": [{"log": accounts, "key": "a", "revision": first.json()["revision"]},
               {"log": accounts, "key": "b", "exists": True}],
        "then": [put(accounts, "a", {"balance": 90}, ttl_ms=None, priority=0),
                 {"increment": {"log": counters, "key": "transfers", "by": 1}},
                 {"append": {"log": events, "value": {"kind": "transfer"}}},
                 {"delete": {"log": "nosuchlog", "key": "y"}},
                 get(accounts, "b")],
        "else": [get(accounts, "a")]}
    done = transact(body)
    assert done.status == 200 and done.headers["pyralog-ack"] == storage_mode.ack, done
    answer = done.json()
    assert (answer["committed"], answer["branch"]) == (True, "then")
    assert answer["ack"] == {"requested": storage_mode.ack, "achieved": storage_mode.ack}
    written, counted, appended, deleted, found = answer["results"]
    assert set(written) == set(appended) == {"partition", "offset", "revision"}
    assert counted["value"] == 1 and set(counted) == {"value", "partition", "offset", "revision"}
    assert deleted == {"found": False}
    assert found["found"] is True and found["value"] == {"balance": 10.5} and '{"balance": 10.50}' in done.body.decode()
    head = server.call("HEAD", f"/v1/logs/{accounts}/keys/a")
    assert head.headers["etag"] == f'"{written["revision"]}"'
    assert server.call("GET", "/v1/logs/nosuchlog").status == 404
    # The revision has moved on: the same again does the other branch, and nothing else.
    again = transact(body).json()
    assert (again["committed"], again["branch"]) == (False, "else")
    assert again["results"] == [{"found": True, "value": {"balance": 90}, **written}]
    assert server.call("GET", f"/v1/logs/{counters}/keys/transfers").body == b"1"


def test_each_operation_sees_those_before_it(transact, names):
    log = names[0]
    results = transact(then=[
        get(log, "k"), put(log, "k", 41), {"increment": {"log": log, "key": "k"}}, get(log, "k"),
        {"delete": {"log": log, "key": "k"}}, get(log, "k"), {"delete": {"log": log, "key": "k"}},
        {"append": {"log": log, "key": "k", "value": "new"}}, get(log, "k"),
        {"append": {"log": log, "key": "k"}}, get(log, "k")]).json()["results"]
    assert results[0] == {"found": False} and results[2]["value"] == 42
    assert (results[3]["found"], results[3]["value"]) == (True, 42) and results[3]["revision"] == results[2]["revision"]
    assert results[5] == results[6] == {"found": False}
    assert results[8]["value"] == "new" and results[10] == {"found": False}


def test_values_of_every_kind_come_back_as_they_were_sent(server, transact, names):
    log = names[0]
    raw = b'{ "n" : 1.50, "n" : 1e2 }'
    body = (b'{"then": [{"put": {"log": "%(l)s", "key": "json", "value": ' + raw + b'}},'
            b'{"put": {"log": "%(l)s", "key": "text", "value_text": "gr\\u00fcn", "headers": {"trace": "7"}}},'
            b'{"put": {"log": "%(l)s", "key_base64": "AP8=", "value_base64": "AAEC", "content_type": "image/png"}},'
            b'{"get": {"log": "%(l)s", "key": "json"}}, {"get": {"log": "%(l)s", "key": "text"}},'
            b'{"get": {"log": "%(l)s", "key_base64": "AP8="}}]}') % {b"l": log.encode()}
    answer = transact(body, {"Content-Type": "application/json"})
    assert answer.status == 200 and raw in answer.body, answer
    text, image = answer.json()["results"][4:]
    assert text["value_text"] == "grün" and text["content_type"].startswith("text/plain")
    assert image["value_base64"] == "AAEC" and image["content_type"] == "image/png"
    stored = server.call("GET", f"/v1/logs/{log}/keys/%00%FF")
    assert stored.body == b"\0\1\2" and stored.headers["content-type"] == "image/png"
    assert server.call("GET", f"/v1/logs/{log}/keys/json").body == raw
    assert [record["headers"] for record in logs_of(server, [log])[log] if record.get("key") == "text"] == [{"trace": "7"}]


def test_deadlines_priorities_times_and_partitions_are_kept(server, transact, names):
    keyed, plain, _ = names
    server.call("PUT", f"/v1/logs/{keyed}", {"ttl_ms": "1h", "compaction": "keys"})
    server.call("PUT", f"/v1/logs/{plain}", {"partitions": 4})
    date = 4070908800000
    answer = transact(then=[
        put(keyed, "default", 1, ttl_ms=None), put(keyed, "own", 1, ttl_ms=60000, priority=9),
        put(keyed, "date", 1, expires_at="2099-01-01T00:00:00Z"), put(keyed, "never", 1, ttl="none"),
        put(keyed, "date", 2, ttl="keep"),
        {"append": {"log": plain, "value": 1, "partition": 3, "timestamp": 5, "priority": 2, "expires_at": date}}])
    assert answer.status == 200, answer
    records = {record["key"]: record for record in logs_of(server, [keyed])[keyed]}
    now = records["own"]["timestamp"]
    assert abs(records["default"]["expires_at"] - now - 3_600_000) < 1000 and abs(records["own"]["expires_at"] - now - 60_000) < 1000
    assert records["own"]["priority"] == 9 and records["date"]["expires_at"] == date and records["date"]["value"] == 2
    assert "expires_at" not in records["never"]
    assert answer.json()["results"][5]["partition"] == 3
    record, = server.call("GET", f"/v1/logs/{plain}/records?partition=3").json()["records"]
    assert (record["timestamp"], record["priority"], record["expires_at"]) == (5, 2, date)


# name: (a condition on the key k, whose value is {"n": 1.0}; whether it holds)
CONDITIONS = {
    "it exists": ({"exists": True}, True),
    "it does not": ({"exists": False}, False),
    "the same JSON": ({"value": {"n": 1.0}}, True),
    "another number": ({"value": {"n": 2.0}}, False),
    "the same number written differently": ({"value": {"n": 1}}, False),
    "its text": ({"value_text": '{"n":  1.0}'}, True),
    "its text but for blanks": ({"value_text": '{"n": 1.0}'}, False),
    "its bytes": ({"value_base64": base64.b64encode(b'{"n":  1.0}').decode()}, True),
    "null": ({"value": None}, False),
    "a revision of another epoch": ({"revision": "0-0-00000000"}, False),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_decides_the_branch(server, transact, names, name):
    log = names[0]
    server.call("PUT", f"/v1/logs/{log}/keys/k", b'{"n":  1.0}')
    condition, holds = CONDITIONS[name]
    answer = transact({"if": [{"log": log, "key": "k", **condition}], "then": [put(log, "out", "then")],
                       "else": [put(log, "out", "else")]})
    assert answer.status == 200 and answer.json()["committed"] is holds, answer
    assert server.call("GET", f"/v1/logs/{log}/keys/out").json() == ("then" if holds else "else")


def test_a_key_or_log_that_is_not_there_only_does_not_exist(transact, names):
    log = names[0]
    for condition, holds in (({"exists": False}, True), ({"exists": True}, False), ({"value": None}, False),
                             ({"value_text": ""}, False), ({"revision": "0-0-00000000"}, False)):
        answer = transact({"if": [{"log": log, "key": "k", **condition}], "then": [get(log, "k")], "else": [get(log, "k")]})
        assert answer.json()["committed"] is holds, (condition, answer)


def test_a_branch_without_operations_has_no_results(transact, names):
    log = names[0]
    answer = transact({"if": [{"log": log, "key": "k", "exists": True}], "then": [put(log, "k", 1)]})
    assert answer.json() == {"committed": False, "branch": "else", "results": [],
                             "ack": {"requested": "memory", "achieved": "memory"}}


def test_a_thousand_operations_are_one_transaction(server, transact, names):
    log = names[0]
    answer = transact(then=[{"append": {"log": log, "value": n}} for n in range(1000)])
    assert answer.status == 200 and [result["offset"] for result in answer.json()["results"]] == list(range(1000))
    assert [record["value"] for record in logs_of(server, [log])[log]] == list(range(1000))


# What it refuses

def deep(levels):
    return b"[" * levels + b"]" * levels


FAILURES = {
    "an increment of a text": ({"increment": {"log": "$b", "key": "text"}}, "not_an_integer"),
    "an overflow": ({"increment": {"log": "$b", "key": "most"}}, "integer_overflow"),
    "a partition that there is not": ({"append": {"log": "$b", "value": 1, "partition": 1}}, "invalid_argument"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_operation_that_cannot_be_done_undoes_all(server, transact, names, name):
    operation, reason = FAILURES[name]
    operation = json.loads(json.dumps(operation).replace("$b", names[1]))
    server.call("PUT", f"/v1/logs/{names[1]}/keys/text", b"hello")
    server.call("PUT", f"/v1/logs/{names[1]}/keys/most", str(2**63 - 1).encode())
    before = logs_of(server, names)
    answer = transact(then=[put(names[0], "a", 1), {"append": {"log": names[2], "value": 1}}, operation,
                            put(names[1], "b", 1)])
    assert answer.status == 409 and answer.code == "transaction_failed", answer
    problem = answer.json()
    assert (problem["index"], problem["reason"], problem["applied"], problem["retryable"]) == (2, reason, "no", False)
    assert logs_of(server, names) == before and before[names[0]] is None


# name: (status, code, the body; $log is a log's name, and stands before the mistake with a write that must not be done)
GOOD = '{"put":{"log":"$log","key":"good","value":1}}'


def after_good(operation):
    return f'{{"then":[{GOOD},{operation}]}}'


def on_condition(condition):
    return f'{{"if":[{condition}],"then":[{GOOD}],"else":[{GOOD}]}}'


REFUSED = {
    "nothing": (400, "invalid_json", ""),
    "garbage": (400, "invalid_json", "\x00\xff\xfe{"),
    "a half": (400, "invalid_json", '{"then":[' + GOOD),
    "two texts": (400, "invalid_json", f'{{"then":[{GOOD}]}} {{}}'),
    "null": (400, "invalid_argument", "null"),
    "an array": (400, "invalid_argument", f"[{GOOD}]"),
    "an empty object": (400, "invalid_argument", "{}"),
    "no operations": (400, "invalid_argument", '{"then":[],"else":[]}'),
    "only conditions": (400, "invalid_argument", '{"if":[{"log":"$log","key":"k","exists":true}]}'),
    "operations that are an object": (400, "invalid_argument", f'{{"then":{GOOD}}}'),
    "operations that are null": (400, "invalid_argument", f'{{"then":[{GOOD}],"else":null}}'),
    "1001 operations": (400, "invalid_argument", '{"then":[' + ",".join([GOOD] * 1001) + "]}"),
    "1001 in the other branch": (400, "invalid_argument", f'{{"then":[{GOOD}],"else":[' + ",".join([GOOD] * 1001) + "]}"),
    "1001 conditions": (400, "invalid_argument", '{"if":[' + ",".join(['{"log":"$log","key":"k","exists":false}'] * 1001)
                        + f'],"then":[{GOOD}]}}'),
    "an unknown field": (400, "unknown_field", f'{{"then":[{GOOD}],"finally":[]}}'),
    "a field in other letters": (400, "unknown_field", f'{{"then":[{GOOD}],"Else":[]}}'),
    "then twice": (400, "invalid_json", f'{{"then":[{GOOD}],"then":[{GOOD}]}}'),
    "a key twice in a put": (400, "invalid_json", after_good('{"put":{"log":"$log","key":"a","key":"b","value":1}}')),
    "a value twice": (400, "invalid_json", after_good('{"put":{"log":"$log","key":"a","value":1,"value":2}}')),
    "an escaped name twice": (400, "invalid_json", after_good('{"put":{"log":"$log","key":"a","value":1,"v\\u0061lue":2}}')),
    "an unknown operation": (400, "unknown_field", after_good('{"move":{"log":"$log","key":"a"}}')),
    "two operations in one": (400, "invalid_argument",
                              after_good('{"get":{"log":"$log","key":"a"},"delete":{"log":"$log","key":"a"}}')),
    "an operation that is empty": (400, "invalid_argument", after_good("{}")),
    "an operation that is a text": (400, "invalid_argument", after_good('"get"')),
    "an operation that is null": (400, "invalid_argument", after_good('{"get":null}')),
    "a get of a value": (400, "unknown_field", after_good('{"get":{"log":"$log","key":"a","value":1}}')),
    "a put of both values": (400, "invalid_argument",
                             after_good('{"put":{"log":"$log","key":"a","value":1,"value_text":"1"}}')),
    "a put without a value": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a"}}')),
    "a put without a key": (400, "invalid_argument", after_good('{"put":{"log":"$log","value":1}}')),
    "a put with both keys": (400, "invalid_argument",
                             after_good('{"put":{"log":"$log","key":"a","key_base64":"YQ==","value":1}}')),
    "a put without a log": (400, "invalid_argument", after_good('{"put":{"key":"a","value":1}}')),
    "an append of nothing": (400, "invalid_argument", after_good('{"append":{"log":"$log"}}')),
    "a key and a partition": (400, "invalid_argument",
                              after_good('{"append":{"log":"$log","key":"a","value":1,"partition":0}}')),
    "a partition beyond all": (400, "invalid_argument", after_good('{"append":{"log":"$log","value":1,"partition":256}}')),
    "a name that is a path": (400, "invalid_argument", after_good('{"put":{"log":"../$log","key":"a","value":1}}')),
    "a name with a slash": (400, "invalid_argument", after_good('{"put":{"log":"a/b","key":"a","value":1}}')),
    "a name with a null": (400, "*", after_good('{"put":{"log":"a\\u0000","key":"a","value":1}}')),
    "a name that is too long": (400, "invalid_argument", after_good('{"get":{"log":"' + "l" * 129 + '","key":"a"}}')),
    "a log that is a number": (400, "invalid_argument", after_good('{"get":{"log":7,"key":"a"}}')),
    "an empty key": (400, "invalid_argument", after_good('{"get":{"log":"$log","key":""}}')),
    "a key that is too long": (400, "invalid_argument", after_good('{"get":{"log":"$log","key":"' + "k" * 1025 + '"}}')),
    "a key that is a number": (400, "invalid_argument", after_good('{"get":{"log":"$log","key":1}}')),
    "base64 that is none": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a","value_base64":"AA"}}')),
    "a text that is a number": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a","value_text":1}}')),
    "JSON that is said to be an image": (400, "invalid_argument",
                                         after_good('{"put":{"log":"$log","key":"a","value":1,"content_type":"image/png"}}')),
    "a text that is said to be JSON": (400, "invalid_argument", after_good(
        '{"put":{"log":"$log","key":"a","value_text":"{","content_type":"application/json"}}')),
    "headers that are a list": (400, "invalid_argument",
                                after_good('{"put":{"log":"$log","key":"a","value":1,"headers":["a"]}}')),
    "two lifetimes": (400, "invalid_argument",
                      after_good('{"put":{"log":"$log","key":"a","value":1,"ttl_ms":5,"ttl":"keep"}}')),
    "a lifetime of 0": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a","value":1,"ttl_ms":0}}')),
    "a lifetime that is a text": (400, "invalid_argument",
                                  after_good('{"put":{"log":"$log","key":"a","value":1,"ttl_ms":"5"}}')),
    "another ttl": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a","value":1,"ttl":"ever"}}')),
    "a priority of 256": (400, "invalid_argument", after_good('{"put":{"log":"$log","key":"a","value":1,"priority":256}}')),
    "a date that is none": (400, "invalid_argument",
                            after_good('{"put":{"log":"$log","key":"a","value":1,"expires_at":"tomorrow"}}')),
    "a step that is a fraction": (400, "invalid_argument", after_good('{"increment":{"log":"$log","key":"a","by":0.5}}')),
    "a step beyond 64 bits": (400, "*", after_good('{"increment":{"log":"$log","key":"a","by":9223372036854775808}}')),
    "65 levels": (400, "invalid_json", after_good('{"put":{"log":"$log","key":"a","value":' + deep(65).decode() + "}}")),
    "a hundred thousand levels": (400, "invalid_json", after_good(
        '{"put":{"log":"$log","key":"a","value":' + deep(100_000).decode() + "}}")),
    "a condition without a test": (400, "invalid_argument", on_condition('{"log":"$log","key":"k"}')),
    "a condition with two tests": (400, "invalid_argument",
                                   on_condition('{"log":"$log","key":"k","exists":true,"value":1}')),
    "a condition with two values": (400, "invalid_argument",
                                    on_condition('{"log":"$log","key":"k","value":1,"value_text":"1"}')),
    "a revision that is none": (400, "invalid_argument", on_condition('{"log":"$log","key":"k","revision":"newest"}')),
    "exists that is a number": (400, "invalid_argument", on_condition('{"log":"$log","key":"k","exists":1}')),
    "an unknown test": (400, "unknown_field", on_condition('{"log":"$log","key":"k","exists":true,"or":1}')),
    "a condition on a path": (400, "invalid_argument", on_condition('{"log":"..","key":"k","exists":false}')),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_is_named_and_nothing_is_done(server, transact, names, name):
    status, code, body = REFUSED[name]
    answer = transact(body.replace("$log", names[0]).encode("latin-1"), {"Content-Type": "application/json"})
    assert answer.status == status and answer.json()["applied"] == "no", answer
    assert answer.code == code or code == "*" and answer.code in ("invalid_json", "invalid_argument"), answer
    assert server.call("GET", f"/v1/logs/{names[0]}").status == 404


def test_a_mistake_is_named_by_its_place(transact, names):
    log = names[0]
    for body, place in (({"then": [put(log, "a", 1), put(log, "a", 1, priority=-1)]}, "then[1].put.priority"),
                        ({"then": [get(log, "a")], "else": [{"get": {"log": log}}]}, "else[0].get.key"),
                        ({"if": [{"log": log, "key": "a", "exists": 0}], "then": [get(log, "a")]}, "if[0].exists")):
        answer = transact(body)
        assert answer.status == 400 and place in answer.detail, answer


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-ndjson", "image/png", "application/json; charset=latin1"])
def test_another_type_is_415(transact, names, content_type):
    answer = transact(json.dumps({"then": [get(names[0], "k")]}), {"Content-Type": content_type})
    assert answer.status == 415 and answer.code == "unsupported_media_type", answer


def test_a_missing_type_and_that_of_curl_are_json(transact, names):
    body = json.dumps({"then": [get(names[0], "k")]}).encode()
    assert transact(body).status == 200
    assert transact(body, {"Content-Type": "application/x-www-form-urlencoded"}).status == 200
    assert transact(body, {"Content-Type": "application/vnd.transaction+json"}).status == 200


def test_the_query_is_checked(transact, names, storage_mode):
    disk = (200, None) if "disk" in storage_mode.acks else (400, "ack_unavailable")
    for query, status, code in (("?ack=memory", 200, None), ("?ack=disk", *disk),
                                ("?ack=quorum", 400, "ack_unavailable"), ("?ack=paper", 400, "invalid_argument"),
                                ("?wait=1", 400, "unknown_field")):
        answer = transact({"then": [put(names[0], "k", 1)]}, query=query)
        assert answer.status == status and (code is None or answer.code == code), answer


def test_other_methods_are_405(server):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = server.call(method, PATH)
        assert answer.status == 405 and "POST" in answer.headers["allow"], answer


def test_a_body_over_the_limit_is_413_and_nothing_is_done(server, transact, names):
    answer = transact(json.dumps({"then": [put(names[0], "k", "x" * (9 << 20))]}), {"Content-Type": "application/json"})
    assert answer.status == 413 and answer.code == "payload_too_large" and answer.json()["limit"] == 8 << 20, answer
    assert server.call("GET", f"/v1/logs/{names[0]}").status == 404


def test_without_auto_create_a_log_must_be_there(start_server):
    server = start_server(config={"auto_create": False})
    server.call("PUT", "/v1/logs/there")
    for operation in (put("away", "k", 1), {"increment": {"log": "away", "key": "k"}},
                      {"append": {"log": "away", "value": 1}}):
        answer = server.call("POST", PATH, {"then": [put("there", "k", 1), operation]})
        assert answer.status == 404 and answer.code == "log_not_found" and "away" in answer.detail, answer
    assert server.call("GET", "/v1/logs/there/keys/k").status == 404
    answer = server.call("POST", PATH, {"then": [get("away", "k"), {"delete": {"log": "away", "key": "k"}}]})
    assert answer.status == 200 and answer.json()["results"] == [{"found": False}] * 2


# Retries

def test_a_retry_is_answered_alike_and_done_once(server, transact, names):
    log = names[0]
    fields = {"Idempotency-Key": f"{log}-1"}
    body = {"then": [{"increment": {"log": log, "key": "n"}}, {"append": {"log": log, "value": 1}}]}
    answers = together(8, lambda n: transact(body, fields))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert server.call("GET", f"/v1/logs/{log}/keys/n").body == b"1"
    other = transact({"then": [{"increment": {"log": log, "key": "n", "by": 2}}]}, fields)
    assert other.status == 409 and other.code == "idempotency_mismatch"
    assert server.call("GET", f"/v1/logs/{log}/keys/n").body == b"1"


def test_a_retry_of_a_failure_is_answered_alike(server, transact, names):
    log = names[0]
    server.call("PUT", f"/v1/logs/{log}/keys/n", b"no number")
    fields = {"Idempotency-Key": f"{log}-2"}
    body = {"then": [{"increment": {"log": log, "key": "n"}}]}
    first = transact(body, fields)
    assert first.status == 409 and first.code == "transaction_failed"
    server.call("PUT", f"/v1/logs/{log}/keys/n", b"1")
    again = transact(body, fields)
    assert (again.status, again.body) == (409, first.body)


# Races

CLIENTS = 16


def test_transfers_between_logs_keep_the_sum_for_everybody(server, names):
    """Sixteen clients move money between accounts in three logs; one that sums all in one transaction never sees any on
    its way. A client writes what it has computed on the condition that what it has read still holds."""
    accounts = [(name, f"account{n}") for name, n in itertools.product(names, range(4))]
    for name in names:
        server.call("PUT", f"/v1/logs/{name}", {"compaction": "keys", "partitions": 2})
    server.call("POST", PATH, {"then": [put(*account, 100) for account in accounts]})
    total, is_over = 100 * len(accounts), threading.Event()
    reads = [get(*account) for account in accounts]

    def transfer(seed):
        generator, done, conflicts = random.Random(seed), 0, 0
        with server.connect() as connection:
            while done < 20:
                source, target = generator.sample(accounts, 2)
                read = connection.call("POST", PATH, {"then": [get(*source), get(*target)]}).json()["results"]
                amount = min(generator.randint(1, 30), read[0]["value"])
                answer = connection.call("POST", PATH, {
                    "if": [{"log": name, "key": key, "revision": seen["revision"]}
                           for (name, key), seen in zip((source, target), read)],
                    "then": [put(*source, read[0]["value"] - amount), put(*target, read[1]["value"] + amount),
                             {"append": {"log": f"{names[0]}_journal", "value": [seed, amount]}}]})
                assert answer.status == 200, answer
                if answer.json()["committed"]:
                    done += 1
                else:
                    conflicts += 1
        return conflicts

    def audit(_):
        sums = 0
        with server.connect() as connection:
            while not is_over.is_set() or sums < 10:
                balances = [result["value"] for result in connection.call("POST", PATH, {"then": reads}).json()["results"]]
                assert sum(balances) == total and min(balances) >= 0, balances
                sums += 1
        return sums

    auditor = []
    thread = threading.Thread(target=lambda: auditor.append(audit(0)))
    thread.start()
    try:
        together(CLIENTS, transfer)
    finally:
        is_over.set()
        thread.join(60)
    assert auditor, "the reader saw money appear or vanish"
    journal = server.call("GET", f"/v1/logs/{names[0]}_journal/records?limit=10000").json()["records"]
    assert sorted(record["value"][0] for record in journal) == sorted(list(range(CLIENTS)) * 20)


def test_of_those_who_create_a_key_one_succeeds(server, names):
    log = names[0]
    answers = together(CLIENTS, lambda n: server.call("POST", PATH, {
        "if": [{"log": log, "key": "leader", "exists": False}], "then": [put(log, "leader", n)],
        "else": [get(log, "leader")]}).json())
    winners = [n for n, answer in enumerate(answers) if answer["committed"]]
    assert len(winners) == 1 and server.call("GET", f"/v1/logs/{log}/keys/leader").json() == winners[0]
    assert all(answer["results"][0]["value"] == winners[0] for answer in answers if not answer["committed"])


def test_transactions_mixed_with_single_writes_lose_nothing(server, names):
    def run(n):
        with server.connect() as connection:
            for _ in range(25):
                if n % 2:
                    answer = connection.call("POST", f"/v1/logs/{names[0]}/keys/n:increment")
                else:
                    answer = connection.call("POST", PATH, {"then": [
                        {"increment": {"log": name, "key": "n"}} for name in names]})
                assert answer.status == 200, answer

    together(CLIENTS, run)
    values = [int(server.call("GET", f"/v1/logs/{name}/keys/n").body) for name in names]
    assert values == [CLIENTS * 25, CLIENTS // 2 * 25, CLIENTS // 2 * 25]


def test_a_reader_by_offset_sees_all_of_a_transaction_or_nothing(server, names):
    """Records of one transaction in one log are committed together: a page ends before them or behind them."""
    log = names[0]
    server.call("PUT", f"/v1/logs/{log}")
    is_over = threading.Event()

    def write(n):
        if n == 0:
            with server.connect() as connection:
                while not is_over.is_set():
                    records = connection.call("GET", f"/v1/logs/{log}/records?limit=10000").json()["records"]
                    assert len(records) % 5 == 0, len(records)
                    for first in range(0, len(records), 5):
                        assert len({record["value"] for record in records[first:first + 5]}) == 1
            return
        try:
            with server.connect() as connection:
                for turn in range(40):
                    connection.call("POST", PATH, {"then": [{"append": {"log": log, "value": f"{n}-{turn}"}}] * 5})
        finally:
            finished.append(n)
            if len(finished) == 4:
                is_over.set()

    finished = []
    together(5, write)
    assert len(logs_of(server, [log])[log]) == 4 * 40 * 5
