"""What all suites share: servers of the real executable, enough descriptors, names that are not used twice."""

import itertools
import pathlib
import resource
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.server import Server  # noqa: E402
from support.sql import SQLServer  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def enough_descriptors():
    """Suites hold thousands of connections; the hard limit is what we may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="module")
def server():
    """One server a module, with the defaults of `pyralog serve`."""
    with Server() as running:
        yield running


@pytest.fixture
def fresh_server():
    """A server for one test."""
    with Server() as running:
        yield running


@pytest.fixture
def start_server():
    """Starts servers with settings of a test's own; all are stopped, and checked, when it ends."""
    yield from starter(Server)


@pytest.fixture
def start_sql():
    """The same for servers that have DuckDB."""
    yield from starter(SQLServer)


def starter(kind):
    running = []

    def start(*arguments, **options):
        server = kind(*arguments, **options)
        running.append(server)
        return server

    yield start
    problems = []
    for server in running:
        try:
            server.stop()
        except AssertionError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


_numbers = itertools.count(1)


@pytest.fixture
def log(server):
    """The path of a log that no other test of the module uses; it does not exist yet."""
    return f"/v1/logs/test{next(_numbers)}"


@pytest.fixture(autouse=True)
def the_server_survives(request):
    """After each test that used it the module's server still answers."""
    yield
    if "server" in request.fixturenames:
        request.getfixturevalue("server").assert_alive()
