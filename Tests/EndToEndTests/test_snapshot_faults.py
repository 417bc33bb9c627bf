"""Snapshots and restores through a store that fails in every way, full or dying: what is called complete is whole."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time

import pytest

from support import everything, modes, snapshots
from support.client import Connection
from support.objects import Fault, FaultProxy, S3Server
from support.server import binary, clean_environment
from support.sql import SQLServer
from test_crash import SEED, tell

ROUNDS = int(os.environ.get("PYRALOG_SNAPSHOT_ROUNDS", "10"))
# Cases run beside each other, as many as a server allows: most of their time are pauses before something is tried again.
SERVERS = 3
# Of the long form: a store that does not answer for longer than a transfer may be silent.
IS_LONG = ROUNDS > 50
LONG_STALL_SECONDS = 40
PATIENCE_SECONDS = max(280, ROUNDS * 40)
pytestmark = pytest.mark.timeout(PATIENCE_SECONDS + 20)
SIDE_BY_SIDE = 4 * SERVERS
LIST = "list-type"
UPLOADS = ("status", "reset-request", "reset-response", "lose", "flip-upload", "flip-stored", "stall", "stall-response",
           "drop", "error-200", "duplicate")
DOWNLOADS = ("status", "reset-request", "reset-response", "lose", "truncate", "shorten", "flip-download", "stall",
             "stall-response", "error-200")
# A flipped bit of a list is a wrong list, which nothing can tell where there is no TLS.
LISTS = tuple(kind for kind in DOWNLOADS if kind != "flip-download")
DELETES = ("status", "reset-request", "reset-response", "lose", "stall", "error-200", "drop", "duplicate")


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    method: str
    path: str
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 0.7

    def fault(self, prefix) -> Fault:
        """Only for requests below a prefix, which stands in the path, or in the query of a list."""
        path = f"{LIST}=2&prefix={prefix}%2F{self.path}" if self.method == "LIST" else f"/{prefix}/{self.path}"
        return Fault(self.kind, method="GET" if self.method == "LIST" else self.method, path=path, nth=self.nth,
                     times=self.times, probability=self.probability, seconds=self.seconds)


class Bench:
    """Servers behind a proxy, what their snapshots must have, and a check of that by a server without the proxy."""

    def __init__(self, s3, proxy, servers):
        self.s3, self.proxy, self.servers, self.server = s3, proxy, servers, servers[0]
        # By location: what every snapshot that was begun must have if it is there, and those that were called complete.
        self.images = {}
        self.complete = {}
        self.failures = []
        self.lock = threading.Lock()

    def new(self, prefix, server=None):
        """Two logs for snapshots below a prefix."""
        for name in (f"{prefix}.a", f"{prefix}.b"):
            (server or self.server).append(name, [{"n": n, "pad": "x" * 50} for n in range(200)])

    def take(self, prefix, server=None) -> dict:
        server = server or self.server
        location = f"{self.s3.location}/{prefix}"
        names = [f"{prefix}.a", f"{prefix}.b"]
        for name in names:
            server.append(name, [{"n": everything.fresh_name("mark")}])
        image = snapshots.look(server, names)
        where = snapshots.begin(server, location=location, logs=names)
        with self.lock:
            self.images.setdefault(location, {})[where.rpartition("/")[2]] = image
        job = snapshots.ended(server, where)
        with self.lock:
            if job["state"] == "complete":
                self.complete.setdefault(location, set()).add(job["name"])
            else:
                assert job["error"]["detail"], job
                self.failures.append(job)
        return job

    def check(self, gone=()):
        """By a server that knows nothing and meets no faults: what is there is whole, and what was complete is there."""
        checked = 0
        with SQLServer(environment=self.s3.environment()) as other:
            for location, images in self.images.items():
                names = snapshots.complete_names(other, location)
                missing = self.complete.get(location, set()) - set(names) - set(gone)
                assert not missing, f"complete and gone from {location}: {missing}"
                for name in names:
                    job = snapshots.ended(other, snapshots.begin(
                        other, "/v1/restores", location=location, snapshot=name, replace=True))
                    told = "complete" if name in self.complete.get(location, ()) else "failed"
                    assert job["state"] == "complete", f"{name}, told to be {told}: {job.get('error')}"
                    snapshots.same(snapshots.look(other, images[name]), images[name])
                    checked += 1
        return checked


@pytest.fixture(scope="module")
def s3():
    with S3Server() as running:
        yield running


@pytest.fixture
def bench(s3):
    with FaultProxy(s3) as proxy, contextlib.ExitStack() as stack:
        servers = [stack.enter_context(SQLServer(environment=s3.environment(proxy.url))) for _ in range(SERVERS)]
        stack.enter_context(Alive(servers[0]))
        yield Bench(s3, proxy, servers)


class Alive:
    """Others are answered all along."""

    def __init__(self, server):
        self.server, self.stopping, self.problems = server, threading.Event(), []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            with Connection(self.server.host, self.server.port, timeout=15) as connection:
                while not self.stopping.wait(0.05):
                    for method, path, body in (("GET", "/livez", None), ("GET", "/readyz", None), ("GET", "/metrics", None),
                                               ("POST", "/v1/logs/alive/records", [1]),
                                               ("GET", "/v1/logs/alive/records?last=1", None)):
                        answer = connection.call(method, path, body)
                        assert answer.status in (200, 201), answer
        except BaseException as problem:  # noqa: BLE001 - raised at the end
            self.problems.append(problem)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.thread.join(60)
        if self.problems and kind is None:
            raise self.problems[0]


def side_by_side(cases, run):
    """Runs `run(number, case)` of all cases, so that no server has more than four at once."""
    def some(first):
        for number in range(first, len(cases), SIDE_BY_SIDE):
            run(number, cases[number])

    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for future in [pool.submit(some, first) for first in range(SIDE_BY_SIDE)]:
            future.result(timeout=PATIENCE_SECONDS)


def chosen(cases, when):
    """The short form has half of them, by chance; what waits is left out where six attempts would."""
    if when == "always":
        cases = [case for case in cases if case.kind not in ("stall", "stall-response", "reset-request", "truncate")]
    return cases if IS_LONG else random.Random(f"{SEED} {when}").sample(cases, len(cases) // 2)


# Taking

@pytest.mark.parametrize("when", ["first", "second", "always"])
def test_a_fault_while_a_snapshot_is_taken(bench, when):
    nth, times = {"first": (1, 1), "second": (2, 2), "always": (1, None)}[when]
    cases = [Case(kind, "PUT", part, nth, times) for kind in UPLOADS for part in ("packs", "snapshots")]
    cases += [Case(kind, "GET", part, nth, times) for kind in DOWNLOADS for part in ("packs", "snapshots")]
    cases += [Case(kind, "LIST", part, nth, times) for kind in LISTS for part in ("packs", "snapshots")]
    cases += [Case("status", "HEAD", part, nth, times) for part in ("packs", "snapshots")]
    cases = chosen(cases, when)

    def run(number, case):
        prefix, server = f"{when}{number}", bench.servers[number % SERVERS]
        bench.new(prefix, server)
        assert bench.take(prefix, server)["state"] == "complete"
        fault = bench.proxy.add(case.fault(prefix))
        job = bench.take(prefix, server)
        # What happens once or twice is overcome.
        if when != "always" and case.kind != "flip-stored":
            assert job["state"] == "complete", (case, job)
        if when == "always" and job["state"] == "complete":
            assert case.kind in ("duplicate", "flip-download", "error-200", "shorten", "reset-response") or not fault.done, \
                (case, job)
        fault.times = 0
        assert bench.take(prefix, server)["state"] == "complete", case

    side_by_side(cases, run)
    checked = bench.check()
    assert checked >= 2 * len(cases)
    failed = sum(server.metrics().sum("pyralog_jobs_total", {"kind": "snapshot", "result": "failed"})
                 for server in bench.servers)
    assert failed == len(bench.failures) and (when != "always" or failed > 0)
    reasons = {job["error"]["code"] for job in bench.failures}
    assert reasons <= {"store_unavailable", "store_refused", "snapshot_damaged"}, reasons
    tell(f"faults of uploads, {when}", cases=len(cases), failed=int(failed),
         restored=checked)


def test_faults_by_chance_while_snapshots_are_taken_and_deleted(bench):
    gone = set()

    def run(number, seed):
        dice = random.Random(seed)
        prefix, server = f"chance{number}", bench.servers[number % SERVERS]
        bench.new(prefix, server)
        location = f"{bench.s3.location}/{prefix}"
        bench.take(prefix, server)
        seconds = LONG_STALL_SECONDS if IS_LONG and dice.random() < 0.05 else 0.7
        faults = [bench.proxy.add(Case(dice.choice(kinds), method, "", times=None, seconds=seconds,
                                       probability=dice.choice((0.05, 0.1, 0.6 if IS_LONG else 0.3))).fault(prefix))
                  for method, kinds in (("PUT", UPLOADS), ("GET", DOWNLOADS), ("LIST", LISTS), ("DELETE", DELETES),
                                        ("HEAD", ("status", "lose")))]
        for _ in range(4):
            bench.take(prefix, server)
            if dice.random() < 0.4 and bench.complete.get(location):
                name = dice.choice(sorted(bench.complete[location] - gone or bench.complete[location]))
                gone.add(name)
                # Of a list or a manifest that was damaged on its way it is said that it is.
                assert snapshots.delete(server, name, location).status in (204, 404, 409, 502, 503)
        for fault in faults:
            fault.times = 0
        assert bench.take(prefix, server)["state"] == "complete"

    side_by_side([f"{SEED}-{n}" for n in range(ROUNDS)], run)
    checked = bench.check(gone)
    tell("faults by chance", rounds=ROUNDS, snapshots=sum(map(len, bench.images.values())), failed=len(bench.failures),
         restored=checked)


def test_a_manifest_of_which_nobody_knows_whether_it_was_stored_never_stands_without_its_batches(bench):
    """It is stored and the answer is lost, again and again; then its removal is lost as well."""
    def run(number, removal):
        prefix = f"unknown{number}"
        bench.new(prefix)
        lost = bench.proxy.add(Case("lose", "PUT", "snapshots", times=None).fault(prefix))
        removal = bench.proxy.add(Case(removal or "status", "DELETE", "", times=None if removal else 0).fault(prefix))
        assert bench.take(prefix)["state"] == "failed" and lost.done > 1
        lost.times = removal.times = 0

    side_by_side([None, "status", "lose"], run)
    bench.check()


def test_what_is_damaged_after_it_was_proved_is_named_by_a_restore(bench):
    bench.new("later")
    job = bench.take("later")
    pack, = [key for key in bench.s3.keys() if key.startswith("later/packs/")]
    data = bench.s3.path(pack).read_bytes()
    bench.s3.path(pack).write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with SQLServer(environment=bench.s3.environment()) as other:
        error = snapshots.failed(other, snapshots.begin(other, "/v1/restores", location=job["location"]), "snapshot_damaged")
        assert f"s3://bucket/{pack}" in error["detail"] and snapshots.log_names(other) == []
    bench.s3.path(pack).write_bytes(data)
    bench.check()


# Deleting

@pytest.mark.parametrize("kind", DELETES)
def test_a_fault_while_a_snapshot_is_deleted_leaves_the_others(bench, kind):
    prefix = f"delete-{kind}"
    location = f"{bench.s3.location}/{prefix}"
    bench.new(prefix)
    first, second, third = (bench.take(prefix)["name"] for _ in range(3))
    fault = bench.proxy.add(Case(kind, "DELETE", "", times=None, probability=0.5).fault(prefix))
    answer = snapshots.delete(bench.server, first, location)
    assert answer.status in (204, 502, 503), answer
    fault.times = 0
    assert snapshots.delete(bench.server, second, location).status == 204
    listed = snapshots.complete_names(bench.server, location)
    assert third in listed and second not in listed
    if answer.status == 204 and kind != "drop":
        assert first not in listed
    bench.check({first, second})


def test_a_deletion_that_cannot_see_what_others_use_removes_nothing_of_theirs(bench):
    deleted = set()

    def run(number, part):
        prefix = f"blind-{part.lower()}"
        location = f"{bench.s3.location}/{prefix}"
        bench.new(prefix)
        names = [bench.take(prefix)["name"] for _ in range(3)]
        deleted.add(names[0])
        # From the second on: the first tells that it is there.
        fault = bench.proxy.add(Case("status", part, "snapshots", nth=2, times=None).fault(prefix))
        answer = snapshots.delete(bench.server, names[0], location)
        assert answer.status == 503 and answer.code == "store_unavailable", answer
        fault.times = 0
        there = snapshots.complete_names(bench.server, location)
        with SQLServer(environment=bench.s3.environment()) as other:
            assert there == snapshots.complete_names(other, location), "what is gone is listed as complete"
        assert set(names[1:]) <= set(there)

    side_by_side(["LIST", "GET"], run)
    bench.check(deleted)


# Restoring

@pytest.mark.parametrize("when", ["first", "second", "always"])
def test_a_fault_while_a_snapshot_is_restored(bench, when):
    nth, times = {"first": (1, 1), "second": (2, 2), "always": (1, None)}[when]
    images = []
    for server in bench.servers:
        bench.new("source", server)
        images.append(snapshots.look(server, ["source.a", "source.b"]))
    cases = [Case(kind, "GET", part, nth, times) for kind in DOWNLOADS for part in ("packs", "snapshots")]
    cases += [Case(kind, "LIST", "snapshots", nth, times) for kind in LISTS]
    cases = chosen(cases, when)
    outcomes = []

    def run(number, case):
        # Each has its own logs, which are there before under the names that are wanted.
        server, image = bench.servers[number % SERVERS], images[number % SERVERS]
        names = {"source.a": f"{when}{number}.a", "source.b": f"{when}{number}.b"}
        for name in names.values():
            server.append(name, ["before"])
        before = snapshots.look(server, names.values())
        prefix = f"copy-{when}{number}"
        snapshots.take(server, f"{bench.s3.location}/{prefix}", logs=list(image))
        fault = bench.proxy.add(case.fault(prefix))
        answer = server.call("POST", "/v1/restores", {
            "location": f"{bench.s3.location}/{prefix}", "rename": names, "replace": True}, timeout=120)
        if answer.status == 202:
            problem = snapshots.ended(server, answer.headers["location"]).get("error")
        else:
            problem = answer.json()
        now = snapshots.look(server, names.values())
        if problem is None:
            snapshots.same(now, {names[name]: image[name] for name in image})
        else:
            assert problem["code"] in ("store_unavailable", "store_refused", "snapshot_damaged"), (case, problem)
            assert now == before, case
            if when != "always":
                # A 200 where a part was asked for is taken at its word: the store does not give parts.
                assert case.kind in ("flip-download", "shorten", "error-200"), (case, problem)
        outcomes.append(problem is None)
        fault.times = 0
        snapshots.restore(server, f"{bench.s3.location}/{prefix}", rename=names, replace=True)
        snapshots.same(snapshots.look(server, names.values()), {names[name]: image[name] for name in image})

    side_by_side(cases, run)
    tell(f"faults of downloads, {when}", cases=len(cases), restored=sum(outcomes), failed=len(outcomes) - sum(outcomes))


# Somebody who does not answer

def test_a_store_that_does_not_answer_holds_nobody_else_up(bench, tmp_path):
    bench.new("stalled")
    stall = bench.proxy.add(Fault("stall", path="stalled", times=None, seconds=60))
    where = snapshots.begin(bench.server, location=f"{bench.s3.location}/stalled", logs=["stalled.a"])
    # More requests than there are threads for them.
    waiting = [bench.server.raw() for _ in range(3)]
    for connection in waiting:
        connection.send(b"GET /v1/snapshots?location=s3://bucket/stalled HTTP/1.1\r\nHost: localhost\r\n\r\n")
    deadline = time.monotonic() + 30
    while stall.done < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert snapshots.take(bench.server, tmp_path)["state"] == "complete"
    assert snapshots.seen(bench.server, where)["state"] == "running"
    assert bench.server.value("SELECT count(*) FROM \"stalled.a\"") == 200
    assert bench.server.call("DELETE", where).status == 204
    snapshots.failed(bench.server, where, "job_cancelled")
    bench.proxy.stop()
    for connection in waiting:
        connection.close()


# kill -9

@pytest.mark.parametrize("where", ["directory", "s3"])
def test_killed_at_any_moment_every_snapshot_that_is_listed_is_whole(s3, tmp_path, where):
    """Lives of a memory server that begins with its newest snapshot, and is killed while others are taken."""
    dice = random.Random(SEED)
    location = str(tmp_path / "there") if where == "directory" else f"{s3.location}/killed"
    environment = s3.environment()
    complete, lives, last = set(), 0, -1
    for life in range(ROUNDS):
        with SQLServer("--snapshots-location", location, "--snapshots-restore", environment=environment) as server:
            if life == 0:
                for account in range(everything.ACCOUNTS):
                    server.put(everything.bank(account), f"account{account}", {"balance": everything.BALANCE})
                server.append("count", [0])
                snapshots.take(server)
            assert server.value("SELECT max(_value::BIGINT) FROM count") >= last, "a complete snapshot is gone"
            with everything.Teller(server, seed=life):
                taker = Taker(server)
                time.sleep(dice.uniform(0.02, 0.35))
                server.kill()
                taker.join(60)
            complete |= taker.complete.keys()
            last = max([last, *taker.complete.values()])
            lives += 1
    with SQLServer(environment=environment) as other:
        names = snapshots.complete_names(other, location)
        assert complete <= set(names), complete - set(names)
        for name in names:
            snapshots.restore(other, location, snapshot=name, replace=True)
            assert sum(everything.balances(other)) == everything.ACCOUNTS * everything.BALANCE, name
            rows = other.rows("SELECT _value::BIGINT FROM count ORDER BY _offset")
            assert rows == [(n,) for n in range(len(rows))], name
        # What dying servers left does no harm to those who delete.
        for name in names[:-1]:
            assert snapshots.delete(other, name, location).status == 204
        snapshots.restore(other, location, replace=True)
    tell(f"kill -9 during snapshots, {where}", lives=lives, complete=len(complete), restored=len(names))


def test_killed_while_it_restores_onto_disk_a_server_has_all_of_it_or_nothing(tmp_path):
    dice = random.Random(SEED)
    with SQLServer() as server:
        for name in ("one", "two", "three"):
            for _ in range(4):
                server.append(name, [{"n": n, "pad": "x" * 300} for n in range(5000)])
        snapshots.take(server, tmp_path / "there")
        image = snapshots.look(server)
    outcomes = {"all": 0, "nothing": 0}
    lives = max(5, ROUNDS // 2)
    for life in range(lives):
        data = tmp_path / f"data{life}"
        with SQLServer(mode=modes.PERSISTENT, data=data) as server:
            server.append("mine", [1])
            with contextlib.suppress(OSError, http.client.HTTPException):
                where = snapshots.begin(server, "/v1/restores", location=str(tmp_path / "there"), mode="persistent")
                time.sleep(dice.uniform(0, 0.4))
                server.kill()
        with SQLServer(mode=modes.PERSISTENT, data=data) as server:
            names = snapshots.log_names(server)
            assert names in (["mine"], ["mine", "one", "three", "two"]), (where, names)
            outcomes["nothing" if len(names) == 1 else "all"] += 1
            if len(names) > 1:
                snapshots.same(snapshots.look(server, sorted(image)), image, in_mode="persistent")
            else:
                snapshots.restore(server, tmp_path / "there", mode="persistent")
                assert server.value("SELECT count(*) FROM three") == 20_000
        shutil.rmtree(data)
    tell("kill -9 during restores", lives=lives, **outcomes)


class Taker(threading.Thread):
    """Appends numbers and takes snapshots, one after the other, until the server is gone."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        # What was told to be complete, with the last number that was written before.
        self.complete = {}
        self.next = server.value("SELECT count(*) FROM count")
        self.start()

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                for _ in range(20):
                    answer = self.server.call("POST", "/v1/logs/count/records", str(self.next))
                    assert answer.status == 201, answer
                    self.next += 1
                where = snapshots.begin(self.server)
                job = snapshots.ended(self.server, where)
                assert job["state"] == "complete", job
                self.complete[job["name"]] = self.next - 1


# S3 as such

def test_buckets_in_hosts_names(tmp_path):
    with S3Server(virtual_host=True) as s3:
        with SQLServer("--s3-path-style", "false", "--s3-endpoint", s3.url, environment={
                **s3.environment(), "AWS_ENDPOINT_URL_S3": "http://localhost:1"}) as server:
            server.append("log", [1, 2, 3])
            snapshots.take(server, f"{s3.location}/a/b")
            assert all(key.startswith("a/b/") for key in s3.keys()) and s3.keys()
            snapshots.restore(server, f"{s3.location}/a/b", rename={"log": "other"})
            assert server.value("SELECT count(*) FROM other") == 3


def test_https_with_an_authority_of_ones_own():
    with S3Server(https=True) as s3:
        environment = s3.environment()
        with SQLServer(environment=environment) as server:
            server.append("log", [1, 2, 3])
            snapshots.take(server, s3.location)
            snapshots.restore(server, s3.location, rename={"log": "other"})
        del environment["AWS_CA_BUNDLE"]
        with SQLServer(environment=environment) as server:
            server.append("log", [1])
            error = snapshots.failed(server, snapshots.begin(server, location=s3.location), "store_refused")
            assert "AWS_CA_BUNDLE" in error["detail"], error


def test_a_bucket_that_is_not_there_is_named():
    with S3Server() as s3, SQLServer(environment=s3.environment()) as server:
        server.append("log", [1])
        error = snapshots.failed(server, snapshots.begin(server, location="s3://nobody/x"), "store_refused")
        assert "s3://nobody" in error["detail"] and "bucket" in error["detail"], error


def test_a_region_and_an_endpoint_from_the_configuration():
    with S3Server() as s3:
        names = {name: value for name, value in s3.environment().items() if "KEY" in name}
        with SQLServer(config={"s3": {"endpoint": s3.url, "region": "eu-north-1", "path_style": True}},
                       environment=names) as server:
            server.append("log", [1])
            snapshots.take(server, s3.location)


# Secrets

SECRET = "secret/that+nobody=may0see"
TOKEN = "token.that.nobody.may.see/0123456789=="


class Echo:
    """A server that answers every request with an error, in which it repeats everything that it was sent."""

    def __init__(self, status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                said = f"{self.command} {self.path} {dict(self.headers)} {SECRET}"
                body = f"<Error><Code>Odd</Code><Message>{said.replace('<', '')}</Message></Error>".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def secret_environment(url):
    return {"AWS_ACCESS_KEY_ID": "TESTKEYID", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN,
            "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": url}


def nothing_secret(text):
    text = text if isinstance(text, str) else text.decode(errors="replace")
    for secret in (SECRET, TOKEN, json.dumps(SECRET)[1:-1], json.dumps(TOKEN)[1:-1].replace("/", "\\/"),
                   SECRET.replace("/", "\\/"), SECRET.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")):
        assert secret not in text, text[:2000]


def test_secrets_are_said_nowhere():
    kinds = ["wrong", "good", "echo-403", "echo-400", "echo-500", "gone", "faults"]
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        for future in [pool.submit(nothing_is_said, which) for which in kinds]:
            future.result(timeout=280)


def nothing_is_said(which):
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(S3Server(secret_key=SECRET if which in ("good", "faults") else "another"))
        proxy = stack.enter_context(FaultProxy(s3))
        url = stack.enter_context(Echo(int(which[5:]))).url if which.startswith("echo") else \
            "http://localhost:9" if which == "gone" else proxy.url
        server = stack.enter_context(SQLServer(
            "--log-level", "trace", "--snapshots-location", "s3://bucket/own", "--snapshots-interval", "1s",
            environment=secret_environment(url)))
        server.append("log", [1, 2, 3])
        said = []

        def call(*request):
            answer = server.call(*request, timeout=120)
            said.append(answer.body + repr(answer.headers).encode())
            return answer

        if which == "faults":
            for kind in ("error-200", "truncate", "status", "lose"):
                proxy.add(Fault(kind, path="/here", times=None, probability=0.3))
        first = call("POST", "/v1/snapshots", {"location": "s3://bucket/here"})
        if first.status == 202:
            job = snapshots.ended(server, first.headers["location"])
            said.append(json.dumps(job))
            if which == "wrong":
                assert job["error"]["code"] == "store_refused" and "AWS_ACCESS_KEY_ID" in job["error"]["detail"], job
            assert (job["state"] == "complete") == (which == "good") or which == "faults", job
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(call, *request) for request in (
                    ("POST", "/v1/restores", {"location": "s3://bucket/here"}),
                    ("POST", "/v1/replays", {"source": "s3://bucket/here"}),
                    ("GET", "/v1/snapshots?location=s3://bucket/here"))]:
                future.result()
        for path in ("/v1/restores", "/v1/replays", "/v1/config", "/v1/info",
                     "/metrics", "/v1/memory", "/"):
            answer = call("GET", path)
            assert answer.status == 200, answer
        wanted = {"kind": "snapshot", "result": "complete" if which in ("good", "faults") else "failed"}
        deadline = time.monotonic() + 60
        while server.metrics().sum("pyralog_jobs_total", wanted) < 2 - (which == "faults"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        command = subprocess.run([str(binary()), "snapshot", "s3://bucket/here", "--url", server.url], capture_output=True)
        said += [command.stdout, command.stderr, pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes(),
                 server.log_text()]
        for path in ("/metrics", "/v1/config"):
            call("GET", path)
        for text in said:
            nothing_secret(text)
        if which not in ("good", "faults"):
            assert "periodic snapshot" in server.log_text()


@pytest.mark.parametrize("variable, value", [
    ("AWS_SECRET_ACCESS_KEY", SECRET + "\n"), ("AWS_SESSION_TOKEN", TOKEN + " x"), ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_ENDPOINT_URL_S3", "no url"), ("AWS_REGION", "a/b")])
def test_a_server_whose_credentials_are_none_does_not_start_and_says_why(variable, value, tmp_path):
    environment = {**secret_environment("http://localhost:9"), variable: value}
    ended = subprocess.run(["timeout", "20", str(binary()), "serve", "--port", "0", "--snapshots-location", "s3://bucket/x"],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**clean_environment(), **environment})
    assert ended.returncode == 64 and ended.stdout == "", ended
    assert "s3" in ended.stderr.lower(), ended
    nothing_secret(ended.stderr)


def test_what_failed_at_a_place_that_cannot_be_reached_is_listed_with_its_reason(tmp_path):
    with S3Server(secret_key="another") as s3, SQLServer(
            environment={**s3.environment(), "AWS_SECRET_ACCESS_KEY": SECRET}) as server:
        server.append("log", [1])
        snapshots.take(server, tmp_path)
        snapshots.failed(server, snapshots.begin(server, location=s3.location), "store_refused")
        listed = snapshots.listed(server)
        assert [one["state"] for one in listed] == ["complete", "failed"] and listed[1]["error"]["code"] == "store_refused"
        answer = server.call("GET", snapshots.at("/v1/snapshots", s3.location))
        assert (answer.status, answer.code) == (502, "store_refused"), answer
