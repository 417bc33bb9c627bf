"""The first ten minutes of somebody with curl: everything they try works, or says what to do."""

import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

from support import modes

pytestmark = pytest.mark.modes(*modes.ALL)


class CurlAnswer:
    def __init__(self, completed):
        assert completed.returncode == 0, completed.stderr.decode()
        head, _, self.body = completed.stdout.rpartition(b"\n--status--")[0].partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        self.status = int(completed.stdout.rpartition(b"\n--status--")[2])
        self.headers = {name.lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in head.decode().split("\r\n")[1:])}

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


@pytest.fixture
def curl(server, log):
    """curl against a path; `LOG` in it stands for a log of the test's own."""
    def run(*arguments, path):
        address = server.url + path.replace("LOG", log)
        return CurlAnswer(subprocess.run(
            ["curl", "-sS", "-i", "-w", "\n--status--%{http_code}", *arguments, address],
            capture_output=True, timeout=120))
    return run


def test_hello_to_a_key(curl):
    answer = curl("-X", "PUT", "-d", "hello", path="LOG/keys/greeting")
    assert answer.status == 201, answer
    answer = curl(path="LOG/keys/greeting")
    assert (answer.status, answer.body, answer.headers["content-type"].split(";")[0]) == (200, b"hello", "text/plain")


def test_json_to_a_key(curl):
    assert curl("-X", "PUT", "-d", '{"a": 1}', path="LOG/keys/k").status == 201
    answer = curl(path="LOG/keys/k")
    assert (answer.body, answer.headers["content-type"]) == (b'{"a": 1}', "application/json")


def test_posting_to_a_key_says_which_methods_there_are(curl):
    answer = curl("-d", "hello", path="LOG/keys/greeting")
    assert answer.status == 405 and "PUT" in answer.headers["allow"]


def test_a_photo_by_upload(curl, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(3_000_000))
    assert curl("-T", str(photo), path="LOG/keys/photo.jpg").status == 201
    answer = curl(path="LOG/keys/photo.jpg")
    assert answer.body == photo.read_bytes() and answer.headers["content-type"] == "application/octet-stream"
    assert curl("-T", str(photo), "-H", "Content-Type: image/jpeg", path="LOG/keys/photo.jpg").status == 200
    assert curl(path="LOG/keys/photo.jpg").headers["content-type"] == "image/jpeg"


def test_a_photo_uploaded_to_a_directory(curl, tmp_path):
    # curl appends the file's name when the address ends in a slash.
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0")
    assert curl("-T", str(photo), path="LOG/keys/").status == 201
    assert curl(path="LOG/keys/photo.jpg").body == photo.read_bytes()


def test_lines_sent_as_a_form_are_told_how_to_be_sent(curl, tmp_path):
    file = tmp_path / "file.ndjson"
    file.write_text('{"n":1}\n{"n":2}\n')
    answer = curl("-d", f"@{file}", path="LOG/records")
    assert answer.status == 400 and answer.headers["content-type"] == "application/problem+json"
    assert "--data-binary" in answer.json()["detail"] and "application/x-ndjson" in answer.json()["detail"]
    answer = curl("--data-binary", f"@{file}", "-H", "Content-Type: application/x-ndjson", path="LOG/records")
    assert answer.status == 201 and answer.json()["count"] == 2


def test_words_that_are_no_json_are_told_so(curl):
    answer = curl("-d", "hello", path="LOG/records")
    assert answer.status == 400 and "--data-binary" in answer.json()["detail"], answer


def test_one_json_value_is_one_record(curl):
    assert curl("-d", '{"n":1}', path="LOG/records").json()["count"] == 1
    assert curl("-d", "[1,2,3]", path="LOG/records").json()["ranges"] == [{"partition": 0, "start": 1, "end": 4}]
    assert curl("-d", "[]", path="LOG/records").status == 400
    records = curl(path="LOG/records").json()["records"]
    assert [record["value"] for record in records] == [{"n": 1}, 1, 2, 3]


def test_spaces_in_an_address(curl):
    assert curl("-X", "PUT", "-d", "1", path="LOG/keys/two%20words").status == 201
    assert curl(path="LOG/keys/two%20words").body == b"1"
    assert curl("-G", "--data-urlencode", "prefix=two words", path="LOG/keys").json()["keys"][0]["key"] == "two words"
    assert curl("-G", "-d", "prefix=two+words", path="LOG/keys").json()["keys"][0]["key"] == "two words"


def test_a_raw_space_in_an_address_is_refused(server):
    # curl refuses it by itself; a careless program does not.
    with server.raw() as connection:
        connection.send(b"GET /v1/logs/a b HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.socket.shutdown(1)
        answers = connection.read_to_end()
    assert len(answers) <= 1 and all(answer.status == 400 for answer in answers), answers


def test_the_root_shows_the_way(curl):
    answer = curl(path="/")
    assert answer.status == 200 and b"/v1/logs" in answer.body and b"/metrics" in answer.body
    assert answer.body.endswith(b"\n")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/info", "/v1/config", "/v1/logs", "/nowhere"])
def test_every_json_answer_ends_in_a_newline(curl, path):
    assert curl(path=path).body.endswith(b"}\n")


def test_a_plain_read_of_records(curl):
    answer = curl(path="LOG/records")
    assert answer.status == 404 and answer.json()["code"] == "log_not_found"
    curl("-d", '[{"a":1},{"a":2}]', path="LOG/records")
    answer = curl(path="LOG/records")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    page = answer.json()
    assert [record["offset"] for record in page["records"]] == [0, 1]
    assert (page["next_offset"], page["tail"], page["up_to_date"]) == (2, 2, True)


def test_a_read_as_lines_and_as_raw_bytes(curl):
    curl("-d", '[{"a": 1.50},{"a":2}]', path="LOG/records")
    answer = curl("-H", "Accept: application/x-ndjson", path="LOG/records")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["offset"] for line in answer.body.splitlines()] == [0, 1]
    answer = curl("-H", "Accept: application/octet-stream", path="LOG/records?limit=1")
    assert answer.body == b'{"a": 1.50}'


@pytest.mark.parametrize("way", ["lines", "envelopes"])
def test_one_key_a_million_times(curl, server, log, tmp_path, way):
    server.call("PUT", log, {"compaction": "keys"})
    count, piece = 1_000_000, 50_000
    before = server.resident_bytes()
    for start in range(0, count, piece):
        file = tmp_path / "body"
        if way == "lines":
            file.write_text("".join('{"id":"k","n":%d}\n' % n for n in range(start, start + piece)))
            answer = curl("--data-binary", f"@{file}", "-H", "Content-Type: application/x-ndjson",
                          path="LOG/records?key_field=id")
        else:
            records = ",".join('{"key":"k","value":{"n":%d}}' % n for n in range(start, start + piece))
            file.write_text('{"records":[' + records + "]}")
            answer = curl("--data-binary", f"@{file}", "-H", "Content-Type: application/json", path="LOG/records:batch")
        assert answer.status == 201 and answer.json()["count"] == piece, answer
    assert curl(path="LOG/keys/k").json()["n"] == count - 1
    assert len(curl(path="LOG/keys").json()["keys"]) == 1
    partition, = curl(path="LOG").json()["stats"]["partitions"]
    assert partition["tail"] == count and partition["live_records"] == 1
    assert server.resident_bytes() < before + (1 << 30)


def test_head_says_what_get_would(curl):
    curl("-X", "PUT", "-d", "hello", path="LOG/keys/k?ttl_ms=60000")
    answer = curl("-I", path="LOG/keys/k")
    assert answer.status == 200 and answer.body == b"" and answer.headers["content-length"] == "5"
    assert re.fullmatch(r'"0-0-[0-9a-f]+"', answer.headers["etag"])
    assert int(answer.headers["pyralog-expires-at"]) > 0 and "last-modified" in answer.headers
    assert curl("-I", path="LOG/keys/none").status == 404
    assert curl("-I", path="LOG").status == 200


def test_conditional_requests(curl):
    assert curl("-X", "PUT", "-d", "1", "-H", "If-None-Match: *", path="LOG/keys/k").status == 201
    answer = curl("-X", "PUT", "-d", "2", "-H", "If-None-Match: *", path="LOG/keys/k")
    assert answer.status == 412 and answer.json()["code"] == "precondition_failed"
    revision = answer.json()["current_revision"]
    answer = curl("-H", f'If-None-Match: "{revision}"', path="LOG/keys/k")
    assert answer.status == 304 and answer.body == b"" and answer.headers["etag"] == f'"{revision}"'
    answer = curl("-X", "PUT", "-d", "2", "-H", f'If-Match: "{revision}"', path="LOG/keys/k")
    assert answer.status == 200
    newer = answer.json()["revision"]
    assert answer.headers["etag"] == f'"{newer}"' and answer.headers["pyralog-revision"] == newer
    answer = curl("-X", "PUT", "-d", "3", "-H", f'If-Match: "{revision}"', path="LOG/keys/k")
    assert answer.status == 412 and answer.json()["current_revision"] == newer
    assert curl("-X", "DELETE", "-H", f'If-Match: "{revision}"', path="LOG/keys/k").status == 412
    assert curl("-X", "DELETE", "-H", f'If-Match: "{newer}"', path="LOG/keys/k").status == 204
    assert curl("-X", "PUT", "-d", "3", "-H", "If-Match: *", path="LOG/keys/k").status == 412
    assert curl("-X", "DELETE", path="LOG/keys/k").status == 404


def test_a_date_conditional_request_of_curl(curl):
    curl("-X", "PUT", "-d", "1", path="LOG/keys/k")
    modified = curl(path="LOG/keys/k").headers["last-modified"]
    assert curl("-H", f"If-Modified-Since: {modified}", path="LOG/keys/k").status in (200, 304)


def test_increment(curl):
    for expected in (1, 2, 3):
        assert curl("-X", "POST", path="LOG/keys/n:increment").json()["value"] == expected
    assert curl("-d", '{"by": -10}', path="LOG/keys/n:increment").json()["value"] == -7
    assert curl(path="LOG/keys/n").body == b"-7"
    curl("-X", "PUT", "-d", "9223372036854775807", path="LOG/keys/n")
    answer = curl("-X", "POST", path="LOG/keys/n:increment")
    assert answer.status == 409 and answer.json()["code"] == "integer_overflow"
    curl("-X", "PUT", "-d", "hello", path="LOG/keys/n")
    answer = curl("-X", "POST", path="LOG/keys/n:increment")
    assert answer.status == 409 and answer.json()["code"] == "not_an_integer"


def test_touch_and_a_deadline_that_passes(curl, server, log):
    assert curl("-X", "PUT", "-d", "1", path="LOG/keys/k?ttl_ms=60000").status == 201
    answer = curl("-d", '{"ttl_ms": 600000}', path="LOG/keys/k:touch")
    deadline = answer.json()["expires_at"]
    assert answer.status == 200
    assert curl("-I", path="LOG/keys/k").headers["pyralog-expires-at"] == str(deadline)
    assert curl("-X", "PUT", "-d", "1", path="LOG/keys/gone?ttl_ms=1").status == 201
    waited = threading.Event()
    while curl(path="LOG/keys/gone").status == 200:
        assert not waited.wait(0.05)
    assert curl(path="LOG/keys/gone").json()["code"] == "key_not_found"
    assert curl("-d", '{"ttl_ms": 1000}', path="LOG/keys/gone:touch").status == 404
    assert curl(path="LOG/keys/k").status == 200
    assert [entry["key"] for entry in curl(path="LOG/keys").json()["keys"]] == ["k"]


def test_ttl_keep_and_none(curl):
    curl("-X", "PUT", "-d", "1", path="LOG/keys/k?ttl_ms=600000")
    before = curl("-I", path="LOG/keys/k").headers["pyralog-expires-at"]
    curl("-X", "PUT", "-d", "2", path="LOG/keys/k?ttl=keep")
    assert curl("-I", path="LOG/keys/k").headers["pyralog-expires-at"] == before
    curl("-X", "PUT", "-d", "3", path="LOG/keys/k?ttl=none")
    assert "pyralog-expires-at" not in curl("-I", path="LOG/keys/k").headers
    assert curl("-X", "PUT", "-d", "4", path="LOG/keys/k?ttl=none&ttl_ms=5").status == 400


def test_merge_patch_keeps_what_it_does_not_name(curl):
    curl("-X", "PUT", "-d", '{"price": 1.50, "name": "a", "old": {"x" :1}}', path="LOG/keys/k")
    answer = curl("-X", "PATCH", "-d", '{"name":"b","old":null}', "-H", "Content-Type: application/merge-patch+json",
                  path="LOG/keys/k")
    assert answer.status == 200, answer
    body = curl(path="LOG/keys/k").body
    assert b"1.50" in body and json.loads(body) == {"price": 1.5, "name": "b"}
    answer = curl("-X", "PATCH", "-d", "x", "-H", "Content-Type: text/plain", path="LOG/keys/k")
    assert answer.status == 415 and "application/merge-patch+json" in answer.headers["accept-patch"]
    assert curl("-X", "PATCH", "-d", "{}", "-H", "Content-Type: application/json", path="LOG/keys/none").status == 404


def test_values_come_back_byte_for_byte(curl):
    value = '{"a" : 1.0e0,\t"b":[ ],"ü":"\\u00fc", "a":2}'
    curl("-X", "PUT", "--data-binary", value, "-H", "Content-Type: application/json", path="LOG/keys/k")
    assert curl(path="LOG/keys/k").body == value.encode()
    curl("--data-binary", value, "-H", "Content-Type: application/json", path="LOG/records")
    assert value.encode() in curl(path="LOG/records?last=1").body


class Tail:
    """`curl -N` on an event stream, read event by event."""

    def __init__(self, url, *arguments):
        self.process = subprocess.Popen(["curl", "-sSN", "-H", "Accept: text/event-stream", *arguments, url],
                                        stdout=subprocess.PIPE)

    def event(self):
        """The next event that is no ping, as a dictionary; None at the end."""
        event = {}
        for line in self.process.stdout:
            line = line.decode().rstrip("\n").rstrip("\r")
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
            elif not line and event:
                if event.get("event") != "ping":
                    return event
                event = {}
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_a_tail_sees_what_is_there_and_what_comes_and_resumes(curl, server, log):
    curl("-d", "[1,2]", path="LOG/records")
    with Tail(f"{server.url}{log}/records") as tail:
        first, second = tail.event(), tail.event()
        assert [json.loads(event["data"])["value"] for event in (first, second)] == [1, 2]
        assert first["event"] == "record" and re.fullmatch(r"0-0-[0-9a-f]+", first["id"])
        curl("-d", "3", path="LOG/records")
        assert json.loads(tail.event()["data"])["offset"] == 2
    with Tail(f"{server.url}{log}/records", "-H", f"Last-Event-ID: {second['id']}") as tail:
        assert json.loads(tail.event()["data"])["value"] == 3
    # The tails before this one have to be seen to be gone, or one of them is taken for it.
    server.wait_for_metric("pyralog_tails", 0, seconds=20)
    with Tail(f"{server.url}{log}/records?last=0&limit=1") as tail:
        server.wait_for_metric("pyralog_tails", 1, seconds=20)
        curl("-d", "4", path="LOG/records")
        assert json.loads(tail.event()["data"])["value"] == 4
        assert tail.event()["event"] == "done"
        assert tail.event() is None


def test_a_tail_of_a_log_that_is_deleted_is_done(curl, server, log):
    curl("-d", "1", path="LOG/records")
    with Tail(f"{server.url}{log}/records") as tail:
        assert json.loads(tail.event()["data"])["value"] == 1
        assert curl("-X", "DELETE", path="LOG").status == 204
        assert tail.event()["event"] == "done"
        assert tail.event() is None


def test_a_tail_of_all_partitions(curl, server, log):
    server.call("PUT", log, {"partitions": 4})
    with Tail(f"{server.url}{log}/records?partition=*") as tail:
        for n in range(20):
            server.call("POST", f"{log}/records?key=k{n}", str(n))
        values, last = [], None
        while len(values) < 20:
            last = tail.event()
            values.append(json.loads(last["data"])["value"])
    assert sorted(values) == list(range(20))
    with Tail(f"{server.url}{log}/records?partition=*", "-H", f"Last-Event-ID: {last['id']}") as tail:
        server.call("POST", f"{log}/records?key=new", "99")
        assert json.loads(tail.event()["data"])["value"] == 99


def test_an_event_of_a_value_with_line_breaks_is_one_event(curl, server, log):
    server.call("POST", f"{log}/records", b'{"a":\r\n\n1}', {"Content-Type": "application/json"})
    server.call("POST", f"{log}/records", b"one\r\ntwo\n", {"Content-Type": "text/plain"})
    with Tail(f"{server.url}{log}/records") as tail:
        assert json.loads(tail.event()["data"])["value"] == {"a": 1}
        assert json.loads(tail.event()["data"])["value_text"] == "one\r\ntwo\n"
    answer = curl("-H", "Accept: application/x-ndjson", path="LOG/records")
    assert len(answer.body.splitlines()) == 2


def test_a_long_poll_is_woken(curl, server, log):
    server.call("PUT", log)
    answers = []
    reader = threading.Thread(target=lambda: answers.append(curl(path="LOG/records?wait_ms=60000")))
    reader.start()
    server.wait_for_metric("pyralog_http_suspended_requests", 1)
    curl("-d", "7", path="LOG/records")
    reader.join(30)
    assert answers[0].json()["records"][0]["value"] == 7


def test_positions_outside_what_is_kept(curl):
    curl("-d", "[0,1,2,3]", path="LOG/records")
    answer = curl(path="LOG/records?offset=5")
    assert answer.status == 416 and answer.json()["tail"] == 4 and answer.json()["code"] == "offset_out_of_range"
    assert curl("-X", "DELETE", path="LOG/records?before_offset=2").status == 204
    answer = curl(path="LOG/records?offset=1")
    assert answer.status == 410 and answer.json()["first"] == 2 and answer.json()["code"] == "offset_trimmed"
    assert curl(path="LOG/records?offset=1&clamp=true").json()["records"][0]["offset"] == 2
    assert curl(path="LOG/records?offset=9&clamp=true").json()["next_offset"] == 4
    assert curl(path="LOG/records?last=1").json()["records"][0]["value"] == 3
    assert curl(path="LOG/records?last=0").json()["records"] == []
    assert curl(path="LOG/records?offset=0&last=1").status == 400


def test_a_log_with_settings(curl):
    answer = curl("-X", "PUT", "-d", '{"ttl_ms": "10m", "partitions": 2}', path="LOG")
    assert answer.status == 201 and answer.headers["location"].startswith("/v1/logs/")
    assert answer.json()["config"]["ttl_ms"] == 600_000
    assert curl("-X", "PUT", "-d", '{"ttl_ms": 600000}', path="LOG").status == 200
    answer = curl("-X", "PUT", "-d", '{"partitions": 3}', path="LOG")
    assert answer.status == 409 and "partitions" in json.dumps(answer.json()["differences"])
    answer = curl("-X", "PATCH", "-d", '{"ttl_ms": null}', "-H", "Content-Type: application/json", path="LOG")
    assert answer.status == 200 and answer.json()["config"]["ttl_ms"] is None
    answer = curl("-X", "PUT", "-d", '{"partition": 3}', path="LOG")
    assert answer.status == 400 and answer.json()["code"] == "unknown_field" and "partition" in answer.json()["detail"]
    answer = curl("-X", "PUT", "-d", '{"partitions": 257}', path="LOG")
    assert answer.status == 400 and "256" in answer.json()["detail"]
    assert curl("-X", "DELETE", path="LOG").status == 204
    assert curl("-X", "DELETE", path="LOG").status == 404


@pytest.mark.modes(modes.MEMORY)
@pytest.mark.parametrize("mode", ["persistent", "hybrid"])
def test_a_mode_that_needs_a_data_directory_says_so(curl, mode):
    answer = curl("-X", "PUT", "-d", json.dumps({"mode": mode}), path="LOG")
    assert answer.status == 400 and "--data-dir" in answer.json()["detail"], answer


def test_the_list_of_logs(start_server):
    server = start_server()
    for name in ("b", "a2", "a1", "a3"):
        server.call("PUT", f"/v1/logs/{name}")
    page = server.call("GET", "/v1/logs?prefix=a&limit=2").json()
    assert [entry["name"] for entry in page["logs"]] == ["a1", "a2"] and page["has_more"]
    page = server.call("GET", "/v1/logs?prefix=a&start_after=a2").json()
    assert [entry["name"] for entry in page["logs"]] == ["a3"] and not page["has_more"]


def test_many_keys_at_once(curl):
    curl("-X", "PUT", "-d", "1", path="LOG/keys/a")
    curl("-X", "PUT", "-d", "hi", path="LOG/keys/b")
    results = curl("-d", '{"keys": ["b", "none", "a", {"key_base64": "YQ=="}]}', path="LOG/keys:get").json()["results"]
    assert [result["found"] for result in results] == [True, False, True, True]
    assert results[0]["value_text"] == "hi" and results[2]["value"] == 1


def test_reading_what_was_written_waits_for_it(curl, server, log):
    revision = curl("-X", "PUT", "-d", "1", path="LOG/keys/k").json()["revision"]
    assert curl(path=f"LOG/keys/k?after={revision}").status == 200
    name = pathlib.PurePosixPath(log).name
    assert curl(path=f"LOG/records?after={name}/{revision}").status == 200
    assert curl(path="LOG/keys/k?after=nonsense").status == 400


def test_acknowledgements(curl, storage_mode):
    answer = curl("-X", "PUT", "-d", "1", path="LOG/keys/k")
    assert answer.json()["ack"] == {"requested": storage_mode.ack, "achieved": storage_mode.ack}
    for level in ("memory", "disk", "quorum"):
        answer = curl("-X", "PUT", "-d", "1", path=f"LOG/keys/k?ack={level}")
        if level in storage_mode.acks:
            achieved = max(level, storage_mode.ack, key=storage_mode.acks.index)
            assert answer.json()["ack"] == {"requested": level, "achieved": achieved}
            assert answer.headers["pyralog-ack"] == achieved
        else:
            assert answer.status == 400 and answer.json()["code"] == "ack_unavailable"


def test_append_only_at_the_expected_tail(curl):
    assert curl("-d", "1", path="LOG/records?match_offset=0").status == 201
    answer = curl("-d", "1", path="LOG/records?match_offset=0")
    assert answer.status == 412 and answer.json()["tail"] == 1 and answer.json()["code"] == "offset_mismatch"


def test_bad_lines_are_named_and_nothing_is_applied(curl, server, log):
    lines = b'{"a":1}\n\n{"a":2}\n{"a":\n{"a":4}\n'
    answer = server.call("POST", f"{log}/records", lines, {"Content-Type": "application/x-ndjson"})
    assert answer.status == 400 and answer.json()["line"] == 4 and answer.json()["applied"] == "no"
    answer = curl(path="LOG/records")
    assert answer.status == 404 or answer.json()["records"] == []


def test_an_unknown_address_says_so(curl):
    for path in ("/nowhere", "/v1/logz", "/v1/sqlx", "LOG/keys/k/more", "LOG/"):
        answer = curl(path=path)
        assert answer.status == 404 and answer.json()["code"] == "route_not_found", (path, answer)
    answer = curl(path="//v1/logs")
    assert answer.status == 400 and "%2F" in answer.json()["detail"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf8_said_explicitly_is_fine(curl, charset):
    assert curl("-d", "[1]", "-H", f"Content-Type: application/json; charset={charset}", path="LOG/records").status == 201


def test_another_charset_is_415(curl):
    answer = curl("-d", "[1]", "-H", "Content-Type: application/json; charset=latin1", path="LOG/records")
    assert answer.status == 415, answer
