"""Logs that have a disk and more data than memory: nothing is refused or given up, everything reads back, memory is bounded."""

import time

import pytest

from support import modes

pytestmark = pytest.mark.modes(*(mode for mode in modes.ALL if mode.needs_directory))

MiB = 1 << 20
LIMIT = 32 * MiB
KEYS = 24_000


def value(number, turn) -> str:
    return f"{number} {turn} " + "x" * 4000


def write(connection, turn, numbers):
    for start in range(0, len(numbers), 200):
        answer = connection.call("POST", "/v1/logs/log/records:batch", {"records": [
            {"key": f"k{number:05}", "value_text": value(number, turn)} for number in numbers[start:start + 200]]})
        assert answer.status == 201, answer


def check(server, turns):
    """Every key has its newest value, by key and in order of offsets."""
    with server.connect() as connection:
        for number in range(0, KEYS, 37):
            assert connection.call("GET", f"/v1/logs/log/keys/k{number:05}").body == value(number, turns[number]).encode()
        keys, after = 0, ""
        while True:
            page = connection.call("GET", f"/v1/logs/log/keys?limit=1000&values=true{after}").json()
            for entry in page["keys"]:
                number = int(entry["key"][1:])
                assert entry["value_text"] == value(number, turns[number])
            keys += len(page["keys"])
            if not page["has_more"]:
                break
            after = f"&start_after={page['keys'][-1]['key']}"
    assert keys == KEYS


def test_what_memory_has_no_room_for_goes_to_disk_and_reads_back(start_server, storage_mode):
    server = start_server("--max-memory", "32MiB")
    turns = [0] * KEYS
    with server.connect() as connection:
        connection.call("PUT", "/v1/logs/log", {"compaction": "keys", "partitions": 2})
        write(connection, 0, range(KEYS))
        memory = connection.call("GET", "/v1/memory").json()
        assert memory["used_bytes"] <= memory["limit_bytes"] == LIMIT and memory["eviction_count"] == 0, memory
        stats = connection.call("GET", "/v1/logs/log").json()["stats"]["partitions"]
        assert sum(partition["bytes"]["disk"] for partition in stats) > 2 * LIMIT
        write(connection, 1, range(0, KEYS, 3))
        turns[::3] = [1] * len(turns[::3])
    check(server, turns)
    assert server.call("GET", "/v1/memory").json()["eviction_count"] == 0
    # Long enough for what runs in the background to have finished, then once more.
    time.sleep(1)
    check(server, turns)
    if storage_mode is modes.PERSISTENT:
        server.kill()
        server = start_server("--max-memory", "32MiB", data=server.data)
        check(server, turns)
