"""What all suites share: servers of the real executable, enough descriptors, names that are not used twice."""

import itertools
import pathlib
import resource
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support import modes  # noqa: E402
from support.server import Server  # noqa: E402
from support.sql import SQLServer  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def enough_descriptors():
    """Suites hold thousands of connections; the hard limit is what we may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pytest_configure(config):
    config.addinivalue_line("markers", "modes(*modes): of storage, those of support.modes; each test runs in each of them")


def pytest_generate_tests(metafunc):
    marker = metafunc.definition.get_closest_marker("modes")
    if marker and "storage_mode" in metafunc.fixturenames:
        metafunc.parametrize("storage_mode", marker.args, indirect=True, ids=str, scope="module")


@pytest.fixture(scope="module")
def storage_mode(request) -> modes.Mode:
    """Of the servers of a test; tests that are not marked run in memory."""
    return getattr(request, "param", modes.MEMORY)


@pytest.fixture(scope="module")
def server(storage_mode):
    """One server a module and mode, with the defaults of `pyralog serve`."""
    with Server(mode=storage_mode) as running:
        yield running


@pytest.fixture
def fresh_server(storage_mode):
    """A server for one test."""
    with Server(mode=storage_mode) as running:
        yield running


@pytest.fixture
def start_server(storage_mode):
    """Starts servers with settings of a test's own; all are stopped, and checked, when it ends."""
    yield from starter(Server, storage_mode)


@pytest.fixture
def start_sql(storage_mode):
    """The same for servers that have DuckDB."""
    yield from starter(SQLServer, storage_mode)


def starter(kind, mode):
    running = []

    def start(*arguments, **options):
        server = kind(*arguments, mode=mode, **options)
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
