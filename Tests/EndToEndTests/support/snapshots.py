"""Snapshots as clients see them, and everything that can be read from a server, so that two servers can be compared."""

import dataclasses
import json
import os
import time
import urllib.parse

from .client import Answer, quoted

# In the long form of the tests a store fails more often than not, and each call is tried for three minutes.
DEADLINE_SECONDS = 120 if int(os.environ.get("PYRALOG_SNAPSHOT_ROUNDS", "0")) <= 50 else 1800
PAGE = 10_000


# Snapshots, restores, replays

def begin(server, path="/v1/snapshots", **body) -> str:
    """Begins a job; returns where it is seen."""
    answer = server.call("POST", path, {name: value for name, value in body.items() if value is not None})
    assert answer.status == 202, answer
    assert answer.headers["location"].startswith("/v1/"), answer
    return answer.headers["location"]


def ended(server, where, seconds=DEADLINE_SECONDS) -> dict:
    """How a job has ended."""
    deadline = time.monotonic() + seconds
    while (job := seen(server, where))["state"] == "running":
        assert time.monotonic() < deadline, job
        time.sleep(0.01)
    assert ("error" in job) == (job["state"] == "failed") and job["finished_at"] is not None, job
    return job


def seen(server, where) -> dict:
    answer = server.call("GET", where)
    assert answer.status == 200, answer
    return answer.json()


def completed(server, where) -> dict:
    job = ended(server, where)
    assert job["state"] == "complete", job
    assert job["bytes"] == job["bytes_total"] and job["digest"].startswith("sha256:") and job["time"], job
    return job


def failed(server, where, *codes) -> dict:
    """A job that must fail for one of these reasons. Returns the reason."""
    job = ended(server, where)
    assert job["state"] == "failed" and job["error"]["code"] in codes, job
    return job["error"]


def take(server, location=None, **options) -> dict:
    return completed(server, begin(server, location=location and str(location), **options))


def restore(server, location=None, **options) -> dict:
    return completed(server, begin(server, "/v1/restores", location=location and str(location), **options))


def replay(server, source=None, **options) -> dict:
    return completed(server, begin(server, "/v1/replays", source=source and str(source), **options))


def at(path, location) -> str:
    return path if location is None else f"{path}?location={urllib.parse.quote(str(location), safe='')}"


def listed(server, location=None) -> list[dict]:
    answer = server.call("GET", at("/v1/snapshots", location))
    assert answer.status == 200, answer
    snapshots = answer.json()["snapshots"]
    assert [one["name"] for one in snapshots] == sorted(one["name"] for one in snapshots)
    return snapshots


def complete_names(server, location=None) -> list[str]:
    return [one["name"] for one in listed(server, location) if one["state"] == "complete"]


def delete(server, name, location=None) -> Answer:
    return server.call("DELETE", at(f"/v1/snapshots/{name}", location))


# Everything that can be read

# What a restore may change: memory instead of a disk that is not there.
OF_THE_MODE = ("mode", "durability")


@dataclasses.dataclass
class LogImage:
    config: dict
    # Of each partition: where what is readable begins, and the tail.
    bounds: list[tuple[int, int]]
    # Lines of NDJSON by partition and offset: the bytes that clients see.
    records: dict[tuple[int, int], bytes]
    # What keys have: value, place and deadline.
    keys: dict[str, tuple]
    epoch: str

    @property
    def live_places(self) -> set[tuple[int, int]]:
        return {(place[0], place[1]) for place in self.keys.values()}


def log_names(server) -> list[str]:
    names, after = [], ""
    while True:
        answer = server.call("GET", "/v1/logs?limit=1000" + (f"&start_after={after}" if after else ""))
        assert answer.status == 200, answer
        names += [log["name"] for log in answer.json()["logs"]]
        if not answer.json()["has_more"]:
            return names
        after = names[-1]


def look_at(server, name) -> LogImage:
    """A log as anybody can read it."""
    with server.connect() as connection:
        answer = connection.call("GET", f"/v1/logs/{name}")
        assert answer.status == 200, answer
        log = answer.json()
        partitions = log["stats"]["partitions"]
        image = LogImage(log["config"], [(one["first"], one["tail"]) for one in partitions], {}, {}, log["epoch"])
        for partition in range(len(partitions)):
            for line in read_lines(connection, name, partition, partitions[partition]["tail"]):
                image.records[partition, json.loads(line)["offset"]] = line
        image.keys = read_keys(connection, name)
    return image


def read_lines(connection, name, partition, tail):
    """Every record of a partition, as a line each."""
    offset = 0
    while offset < tail:
        answer = connection.call("GET", f"/v1/logs/{name}/records?partition={partition}&offset={offset}&limit={PAGE}"
                                        "&clamp=true", headers={"Accept": "application/x-ndjson"})
        assert answer.status == 200, answer
        lines = answer.body.splitlines()
        yield from lines
        if len(lines) < PAGE and not lines:
            return
        offset = json.loads(lines[-1])["offset"] + 1


def read_keys(connection, name) -> dict[str, tuple]:
    keys, after = {}, ""
    while True:
        answer = connection.call("GET", f"/v1/logs/{name}/keys?values=true&limit=1000{after}")
        assert answer.status == 200, answer
        page = answer.json()
        for entry in page["keys"]:
            key = entry.get("key") or "base64:" + entry["key_base64"]
            value = {field: entry[field] for field in entry if field.startswith("value") or field == "content_type"}
            keys[key] = (entry["partition"], entry["offset"], entry.get("expires_at"), json.dumps(value))
        if not page["has_more"]:
            return keys
        last = page["keys"][-1]
        after = "&start_after=" + quoted(last["key"]) if "key" in last else \
            "&start_after_base64=" + urllib.parse.quote(last["key_base64"], safe="")


def look(server, names=None) -> dict[str, LogImage]:
    return {name: look_at(server, name) for name in names or log_names(server)}


def same(now: dict[str, LogImage], then: dict[str, LogImage], in_mode=None):
    """One server has what the other had.

    In a log that keeps the newest of each key, what is superseded may go at any moment, in either of them.
    """
    assert sorted(now) == sorted(then)
    for name, image in now.items():
        same_log(name, image, then[name], in_mode)


def same_log(name, now, then, in_mode=None):
    skipped = OF_THE_MODE if in_mode else ()
    assert {field: value for field, value in now.config.items() if field not in skipped} == \
        {field: value for field, value in then.config.items() if field not in skipped}, name
    if in_mode:
        assert now.config["mode"] == in_mode, (name, now.config)
    assert [tail for _, tail in now.bounds] == [tail for _, tail in then.bounds], (name, now.bounds, then.bounds)
    assert now.keys == then.keys, (name, difference(now.keys, then.keys))
    if then.config["compaction"] == "keys":
        gone = {place for place in then.records if place not in now.records}
        assert not gone & then.live_places, (name, "is missing", sorted(gone & then.live_places)[:5])
        wanted = {place: line for place, line in then.records.items() if place not in gone}
    else:
        assert now.bounds == then.bounds, name
        wanted = then.records
    assert now.records == wanted, (name, difference(now.records, wanted))
    assert now.epoch != then.epoch, f"{name} has the epoch of another log: old revisions would match"


def difference(one, other):
    """A few of what two dictionaries do not agree on."""
    places = [place for place in {**one, **other} if one.get(place) != other.get(place)]
    return f"{len(places)} differ", [(place, one.get(place), other.get(place)) for place in places[:3]]


def answers(server, names) -> dict[str, list]:
    """What SQL says of these logs."""
    found = {}
    for name in names:
        found[name] = [
            server.rows(f'SELECT column_name, column_type FROM (DESCRIBE "{name}")'),
            server.rows(f'SELECT * FROM "{name}" ORDER BY _partition, _offset'),
            server.rows(f'SELECT count(*), count(_value), sum(_priority), max(_timestamp), min(_expires_at) FROM "{name}"')]
    return found
