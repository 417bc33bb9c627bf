"""The compose file says what a server and its object store understand, though no container is started here.

The server is run with the environment that the file gives it, beside a store that is run as the file runs its own.
"""

import os
import re
import shutil
import subprocess
import time

import pytest
import yaml

from support.objects import S3Server
from support.server import REPOSITORY, Server

SECONDS = 30


@pytest.fixture(scope="module")
def services():
    text = (REPOSITORY / "docker-compose.yml").read_text()
    # As compose replaces variables that are not set; a dollar that is meant is written twice.
    text = re.sub(r"(?<!\$)\$\{\w+:-([^}]*)\}", r"\1", text)
    assert not re.search(r"(?<!\$)\$[{\w]", text.replace("$$", "")), "a variable without a default"
    return yaml.safe_load(text.replace("$$", "$"))


def test_parts_of_the_file_agree(services):
    for name, service in services["services"].items():
        assert "build" in service or re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?", service["image"]), f"{name} is not pinned"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is published on {port}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (REPOSITORY / source).is_file() if source.startswith("./") else source in services["volumes"]
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services["services"][other] or "build" in services["services"][other]
    assert "ports" not in services["services"]["objects"], "its credentials are known to everybody"


def test_prometheus_understands_its_files():
    promtool = shutil.which("promtool", path=f"{REPOSITORY}/.deps/bin:{os.environ['PATH']}")
    assert promtool, "promtool is missing: scripts/bootstrap --tests unpacks it"
    checked = subprocess.run([promtool, "check", "config", REPOSITORY / "docs" / "prometheus.yml"], capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alarms_name_metrics_that_are_there():
    rules = yaml.safe_load((REPOSITORY / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]
    with Server() as server:
        text = server.call("GET", "/metrics").body.decode()
    there = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    # Of logs on disk only.
    there |= {"pyralog_wal_failed", "pyralog_wal_full"}
    named = {name for rule in rules for name in re.findall(r"\b(?:pyralog|process)_\w+", rule["expr"])}
    assert named <= there


@pytest.fixture()
def store(services):
    environment = services["services"]["objects"]["environment"]
    with S3Server(environment["S3_BUCKET"], environment["AWS_ACCESS_KEY_ID"],
                  environment["AWS_SECRET_ACCESS_KEY"]) as store:
        yield store


def test_the_store_is_healthy_once_it_has_the_bucket_and_the_user(services, store):
    objects = services["services"]["objects"]
    kind, command = objects["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    command = command.replace("http://127.0.0.1:8333", store.url)

    def exit_code(command, environment):
        return subprocess.run(["/bin/sh", "-c", command], env={"PATH": os.environ["PATH"], **environment}).returncode

    assert exit_code(command, objects["environment"]) == 0
    assert exit_code(command, {**objects["environment"], "AWS_SECRET_ACCESS_KEY": "other"}) != 0
    assert exit_code(command.replace(f"/{store.bucket}", "/none-such"), objects["environment"]) != 0


def test_a_server_that_lost_its_volume_begins_with_what_the_store_has(services, store, tmp_path):
    environment = dict(services["services"]["pyralog"]["environment"])
    host = environment["PYRALOG_S3_ENDPOINT"].removeprefix("http://").split(":")[0]
    assert host in services["services"]
    environment["PYRALOG_S3_ENDPOINT"] = store.url
    environment["PYRALOG_SNAPSHOTS_INTERVAL"] = "1s"
    environment = {name: str(value) for name, value in environment.items()}

    def start(data):
        return Server(environment={**environment, "PYRALOG_DATA_DIR": str(tmp_path / data)})

    with start("first") as server:
        assert server.call("POST", "/v1/logs/orders/records", [{"order": 17}, {"order": 18}]).status == 201
        deadline = time.monotonic() + SECONDS
        while not any(snapshot["state"] == "complete" and snapshot["records"] == 2 for snapshot in
                      server.call("GET", "/v1/snapshots").json()["snapshots"]):
            assert time.monotonic() < deadline, server.log_text()
            time.sleep(0.05)
        refused = server.call("POST", "/v1/snapshots", {"location": str(tmp_path)})
        assert refused.status == 400 and "allowed_locations" in refused.json()["detail"]
        server.kill()
    with start("second") as server:
        records = server.call("GET", "/v1/logs/orders/records").json()["records"]
        assert [record["value"] for record in records] == [{"order": 17}, {"order": 18}]
        assert server.call("GET", "/v1/logs/orders").json()["config"]["mode"] == "persistent"
