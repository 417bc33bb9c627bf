"""What was sent to a server and what it acknowledged, and whether a log still has exactly that.

An oracle lies outside of the data directory: it survives the server. Three promises are held against what is read after
a restart: all that was acknowledged is there, once, at the places that were named; what was neither acknowledged nor
refused is there as a whole or not at all; and nothing else is there.
"""

import collections
import itertools
import threading

PAGE = 10_000


class Unknown(Exception):
    """The server says itself that it does not know what became of a write."""


# Why a write may be refused though nothing is wrong with it.
REFUSALS = ("shutting_down", "not_ready", "overloaded", "disk_full", "log_read_only")


def is_done(answer) -> bool:
    """Whether a write was done. It was not when the server stops, or cannot write, and says so."""
    if 200 <= answer.status < 300:
        return True
    problem = answer.json()
    # A body that came while the server was stopped counts as one that came in slowly.
    assert answer.status == 408 or problem["code"] in REFUSALS, answer
    if problem["applied"] == "unknown":
        raise Unknown(answer)
    assert problem["applied"] == "no", answer
    return False


class Write:
    """Records of one call, which come into a log together or not at all."""

    def __init__(self, log, records):
        self.log = log
        # By identifier, in the order in which they were sent.
        self.records = records
        # (partition, offset), once it is known.
        self.places = None

    def acknowledge(self, answer):
        """With an answer that names ranges or one place."""
        document = answer.json()
        ranges = document.get("ranges") or [
            {"partition": document["partition"], "start": document["offset"], "end": document["offset"] + 1}]
        self.places = {(part["partition"], offset) for part in ranges for offset in range(part["start"], part["end"])}
        assert len(self.places) == len(self.records), (answer, self.records)


class Oracle:
    """Of logs that keep every record; each value is an object whose `id` is (client, call, index)."""

    def __init__(self):
        self._writes: dict[tuple, Write] = {}
        self._undecided: set[Write] = set()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.writes_checked = 0
        self.records_checked = 0
        self.doubts_kept = 0
        self.doubts_gone = 0

    def send(self, log, client, bodies) -> tuple[Write, list[dict]]:
        """Notes a write before it is sent. Returns it, and the values to send."""
        call = next(self._numbers)
        values = [{"id": [client, call, index], **body} for index, body in enumerate(bodies)]
        write = Write(log, {(client, call, index): value for index, value in enumerate(values)})
        with self._lock:
            for identifier in write.records:
                self._writes[identifier] = write
            self._undecided.add(write)
        return write, values

    def acknowledge(self, write, answer):
        write.acknowledge(answer)
        with self._lock:
            self._undecided.discard(write)

    def expect(self, write):
        """It is sent once more, though it was gone."""
        with self._lock:
            for identifier in write.records:
                self._writes[identifier] = write

    def refuse(self, write):
        """It must not be there, now or later."""
        with self._lock:
            self._undecided.discard(write)
            for identifier in write.records:
                del self._writes[identifier]

    @property
    def writes(self) -> set[Write]:
        return set(self._writes.values())

    def check(self, server, logs) -> dict[str, list[tuple[int, int, dict]]]:
        """Reads these logs to the end. Nobody may write meanwhile. Returns their (partition, offset, value)."""
        contents = {log: records_of(server, log) for log in logs}
        found = {}
        for log, records in contents.items():
            last = collections.defaultdict(lambda: (-1, -1))
            for partition, offset, value in records:
                identifier = tuple(value["id"])
                write = self._writes.get(identifier)
                assert write, f"{log} has {value} at {partition}-{offset}: never sent, or refused, or was gone"
                assert write.log == log and write.records[identifier] == value, (log, value, write.records[identifier])
                assert identifier not in found, f"{value} is there twice: {found[identifier]}, {(partition, offset)}"
                found[identifier] = (partition, offset)
                client, call, index = identifier
                assert last[partition, client] < (call, index), f"{value} of {log} is out of order"
                last[partition, client] = (call, index)
        for write in self.writes:
            self._check(write, found)
        return contents

    def _check(self, write, found):
        places = {found[identifier] for identifier in write.records if identifier in found}
        if write.places is not None:
            assert places == write.places, (
                f"acknowledged at {sorted(write.places)}, there at {sorted(places)}: {write.records}")
            self.writes_checked += 1
            self.records_checked += len(places)
            return
        assert len(places) in (0, len(write.records)), f"{len(places)} are there of {write.records}"
        if places:
            # Whoever has read it may rely on it.
            write.places = places
            self._undecided.discard(write)
            self.doubts_kept += 1
        else:
            self.refuse(write)
            self.doubts_gone += 1


def records_of(server, log) -> list[tuple[int, int, dict]]:
    """All records of a log that loses none: (partition, offset, value), in the order of offsets of each partition."""
    records = []
    with server.connect() as connection:
        answer = connection.call("GET", f"/v1/logs/{log}")
        assert answer.status == 200, answer
        for partition, stats in enumerate(answer.json()["stats"]["partitions"]):
            offset = 0
            while offset < stats["tail"]:
                answer = connection.call("GET", f"/v1/logs/{log}/records?partition={partition}&offset={offset}&limit={PAGE}")
                assert answer.status == 200, answer
                for record in answer.json()["records"]:
                    assert record["offset"] == offset, f"{log} has {record['offset']} where {offset} should be"
                    records.append((partition, offset, record["value"]))
                    offset += 1
                assert answer.json()["next_offset"] == offset, (log, partition, offset)
    return records
