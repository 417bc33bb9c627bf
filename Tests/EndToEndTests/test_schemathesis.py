"""The OpenAPI file and the server agree, on thousands of generated requests: valid ones and broken ones."""

import os
import pathlib
import subprocess
import sys

import pytest

from support.server import REPOSITORY

HERE = pathlib.Path(__file__).parent / "schemathesis"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
          "missing_required_header", "unsupported_method", "allow_header_conformance", "use_after_free")


# A reset in the middle of a chain of calls would cut it short: what was created is gone. The other phases send it.
LEFT_OUT = {"stateful": ["--exclude-path", "/v1/test/reset"]}


# Generated texts are queries, too: none may take long, or much.
SERVER = ("--test-mode", "--sql-timeout", "2s", "--sql-memory", "64MiB", "--sql-max-rows", "100000")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("phase", ["examples,coverage", "fuzzing", "stateful"])
def test_the_server_does_what_the_openapi_file_says(start_server, tmp_path, phase):
    # Nor may one write anywhere but here.
    place = tmp_path / "snapshots"
    server = start_server(*SERVER, "--snapshots-location", str(place), "--allowed-locations", str(place))
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(HERE / "schemathesis.toml"), "run", str(REPOSITORY / "openapi" / "pyralog.yaml"),
        "--url", server.url, "--phases", phase, "--checks", ",".join(CHECKS),
        *LEFT_OUT.get(phase, [])]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(HERE), "NO_COLOR": "1"})
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    server.assert_alive()
