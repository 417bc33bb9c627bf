"""The power is cut, or the disk fails, under load: ext4 in a file, whose unsynchronised writes are gone afterwards."""

import random
import time

import pytest

from support import disks, modes
from support.server import Server
from support.world import World, after
from test_crash import CYCLES, SEED, tell

MEGABYTES = 2500


@pytest.fixture
def disk(tmp_path):
    with disks.own(disks.LoopDisk, tmp_path, MEGABYTES) as made:
        yield made


@pytest.mark.timeout(max(300, CYCLES * 60))
def test_after_a_power_cut_all_that_was_acknowledged_is_there(disk):
    generator = random.Random(SEED)
    world = World(SEED)
    cuts = max(3, CYCLES // 10)
    for life in range(cuts + 1):
        with Server(mode=modes.PERSISTENT, data=disk.place / "data") as server:
            world.prepare(server) if life == 0 else world.check(server)
            if life < cuts:
                world.live(server, after(generator.uniform(0.1, 1.5), disk.cut_power))
                server.kill()
        disk.mount_again()
    tell("power cuts", cuts=cuts, **world.figures())


def test_a_power_cut_at_the_start_leaves_a_directory_that_can_be_used(disk):
    generator = random.Random(SEED)
    world = World(SEED)
    with Server(mode=modes.PERSISTENT, data=disk.place / "data") as server:
        world.prepare(server)
        world.live(server, after(0.5, disk.cut_power))
        server.kill()
    disk.mount_again()
    for _ in range(3):
        server = Server(mode=modes.PERSISTENT, data=disk.place / "data", is_awaited=False)
        time.sleep(generator.uniform(0, 0.5))
        disk.cut_power()
        server.kill()
        server.stop()
        disk.mount_again()
    with Server(mode=modes.PERSISTENT, data=disk.place / "data") as server:
        world.check(server)


def test_a_disk_that_fails_makes_logs_read_only_and_loses_nothing(disk):
    world = World(SEED)
    with Server(mode=modes.PERSISTENT, data=disk.place / "data") as server:
        world.prepare(server)
        server.call("PUT", "/v1/logs/fleeting", {"mode": "memory"})
        before = server.call("PUT", "/v1/logs/a/keys/k", b"1")
        world.live(server, after(0.5, disk.fail))
        answer = server.call("PUT", "/v1/logs/a/keys/k", b"2")
        assert answer.status == 503 and answer.code == "log_read_only", answer
        answer = server.call("GET", "/readyz")
        assert answer.status == 503, answer
        answer = server.call("GET", "/v1/logs/a/keys/k")
        assert (answer.body, answer.headers["etag"]) == (b"1", before.headers["etag"])
        assert server.call("PUT", "/v1/logs/fleeting/keys/k", b"1").status == 201
        assert server.call("GET", "/livez").status == 200
    disk.repair()
    with Server(mode=modes.PERSISTENT, data=disk.place / "data") as server:
        world.check(server)
        assert server.call("GET", "/readyz").status == 200
        assert server.call("PUT", "/v1/logs/a/keys/k", b"2", {"If-Match": before.headers["etag"]}).status == 200
    tell("a failed disk", **world.figures())
