"""Takes snapshots of a server in memory that is written to, to a directory and to S3, and prints what that does to it."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEndTests"))

from support.objects import S3Server  # noqa: E402
from support.server import Server  # noqa: E402

LINES = {"Content-Type": "application/x-ndjson"}
BLOCK = b"".join(b'{"a":%d,"b":"%s"}\n' % (number, b"y" * 470) for number in range(16_000))
CONNECTIONS = 16
LOAD = """
request = function()
  return wrk.format("PUT", "/v1/logs/load/keys/k" .. math.random(1, 100000),
    {["Content-Type"] = "application/octet-stream"}, string.rep("x", 200))
end
"""


def fill(server, size):
    with server.connect(60) as connection:
        for _ in range(size // len(BLOCK) + 1):
            answer = connection.call("POST", "/v1/logs/big/records", BLOCK, LINES)
            assert answer.status == 201, answer


class Load:
    """wrk for so long; what it says of latencies, in milliseconds."""

    def __init__(self, server, script, seconds):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), server.url],
            stdout=subprocess.PIPE, text=True)

    def result(self):
        text, _ = self.process.communicate()
        units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
        latencies = {share: float(value) * units[unit] for share, value, unit in re.findall(
            r"(50|99)%\s+([\d.]+)(us|ms|s)", text)}
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        assert "Non-2xx" not in text, text
        return latencies["50"], latencies["99"], rate


def take(server, location):
    """Returns how the snapshot is shown, its seconds, and by how much the process grew at most."""
    before = peak = server.resident_bytes()
    start = time.monotonic()
    answer = server.call("POST", "/v1/snapshots", {"location": location})
    assert answer.status == 202, answer
    path = answer.headers["location"]
    while True:
        job = server.call("GET", path).json()
        peak = max(peak, server.resident_bytes())
        if job["state"] != "running":
            break
        time.sleep(0.05)
    assert job["state"] == "complete", job
    return job, time.monotonic() - start, peak - before


def disk_speed(directory, size=2 << 30):
    """Of writing and synchronising one file, in MB/s."""
    path = pathlib.Path(directory) / "speed"
    block = os.urandom(4 << 20)
    start = time.monotonic()
    with open(path, "wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    seconds = time.monotonic() - start
    path.unlink()
    return size / seconds / 1e6


def store_speed(s3, directory, size=60 << 20):
    """Of one upload by curl of as much as a pack has, in MB/s."""
    path = pathlib.Path(directory) / "upload"
    path.write_bytes(os.urandom(size))
    start = time.monotonic()
    subprocess.run(
        ["curl", "-sf", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", f"{s3.access_key}:{s3.secret_key}", "-T", str(path),
         f"{s3.url}/{s3.bucket}/speed"], check=True)
    seconds = time.monotonic() - start
    path.unlink()
    return size / seconds / 1e6


def main():
    size = int(float(sys.argv[1]) * (1 << 30))
    with tempfile.TemporaryDirectory(prefix="pyralog-bench-") as directory, S3Server() as s3:
        script = pathlib.Path(directory) / "load.lua"
        script.write_text(LOAD)
        server = Server("--max-memory", str(3 * size + (1 << 30)), environment=s3.environment())
        fill(server, size)
        print(f"{size / (1 << 30):.1f} GiB in memory, {CONNECTIONS} connections that write beside it")
        print(f"the directory's disk writes {disk_speed(directory):.0f} MB/s; one upload to the store has "
              f"{store_speed(s3, directory):.0f} MB/s")
        print(f"{'':28}{'seconds':>8}{'MB/s':>7}{'memory':>9}{'p50':>8}{'p99':>8}{'p99 alone':>11}{'ratio':>7}{'PUT/s':>8}")
        Load(server, script, 5).result()
        for name, location in (("to a directory", f"{directory}/there"), ("again, little is new", f"{directory}/there"),
                               ("to S3 (rclone)", s3.location)):
            alone = Load(server, script, 10).result()
            seconds = 4 if name.startswith("again") else max(8, size // (1 << 30) * (5 if "dir" in name else 12))
            load = Load(server, script, seconds)
            time.sleep(0.5)
            job, taken, grown = take(server, location)
            beside = load.result()
            after = Load(server, script, 10).result()
            p99 = (alone[1] + after[1]) / 2
            print(f"{name:28}{taken:8.1f}{job['sent_bytes'] / taken / 1e6:7.0f}{grown / 1e6:6.0f} MB{beside[0]:8.2f}"
                  f"{beside[1]:8.2f}{p99:11.2f}{beside[1] / p99:7.2f}{beside[2]:8.0f}")
        server.stop()


if __name__ == "__main__":
    main()
