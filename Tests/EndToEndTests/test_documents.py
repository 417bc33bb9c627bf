"""The examples in the documents are run, in order, and answer what the document shows.

A block marked `sh` in which the server's default address stands is run against a fresh server, one a document. A
block that follows directly (`text`, `json`, `http`) is what it must print. `…` in a line stands for anything, a line
of its own `…` for any lines; blank lines at the end do not count. Blocks marked `shell` are shown and not run.
A block marked `sh alone` begins with no server: it is run by `/bin/sh` in a test and a directory of its own, with a free
port in the place of the default one, and what it leaves running is ended.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from support.server import REPOSITORY, Server, binary, clean_environment

ADDRESS = "127.0.0.1:7070"
BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = ("text", "json", "http")


def documents():
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def examples(text, mark=""):
    """Yields (line number, commands, expected output or None) of the blocks with this mark behind `sh`."""
    blocks = list(BLOCK.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block[1] != "sh" or block[2].strip() != mark or ADDRESS not in block[3]:
            continue
        expected = None
        if following and following[1] in OUTPUT and not text[block.end():following.start()].strip():
            expected = following[3]
        yield text[:block.start()].count("\n") + 1, block[3], expected


def pattern(expected):
    """A regular expression for an output with its wildcards."""
    parts = []
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append("[^\n]*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ \t]*\n")
    return re.compile("".join(parts))


def environment_of_examples(address):
    # Examples that start a server of their own get nothing of ours, which it would refuse.
    return {**clean_environment(), "PYRALOG_URL": f"http://{address}", "LC_ALL": "C.UTF-8",
            "PATH": f"{binary().parent}:{os.environ['PATH']}"}


def check(place, commands, expected, code, output, errors, address):
    output = output.decode(errors="replace").replace("\r\n", "\n").replace(address, ADDRESS)
    assert code == 0, f"{place} exits with {code}\n{commands}\n{output}\n{errors.decode()}"
    if expected is not None:
        output = output.rstrip("\n") + "\n"
        assert pattern(expected).fullmatch(output), f"{place}\n{commands}\nshows\n{expected}\nbut prints\n{output}"


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_examples_answer_what_the_document_shows(document, tmp_path):
    found = list(examples(document.read_text()))
    if not found:
        return
    (tmp_path / "scripts").symlink_to(REPOSITORY / "scripts")
    with Server() as server:
        address = f"{server.host}:{server.port}"
        for line, commands, expected in found:
            ended = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", commands.replace(ADDRESS, address)], cwd=tmp_path,
                capture_output=True, timeout=120, env=environment_of_examples(address), stdin=subprocess.DEVNULL)
            check(f"{document.name}:{line}", commands, expected, ended.returncode, ended.stdout, ended.stderr, address)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def examples_alone():
    return [(document.name, *example) for document in documents() for example in examples(document.read_text(), "alone")]


@pytest.mark.parametrize("document,line,commands,expected", examples_alone(), ids=lambda value: str(value)[:40])
def test_examples_that_begin_with_nothing_answer_what_the_document_shows(document, line, commands, expected, tmp_path):
    port = free_port()
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        ["/bin/sh", "-eu", "-c", commands.replace(ADDRESS, address)], cwd=tmp_path, start_new_session=True,
        env={**environment_of_examples(address), "PYRALOG_PORT": str(port)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=60)
    finally:
        # The servers that it leaves running are in its session, and so in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    check(f"{document}:{line}", commands, expected, process.returncode, output, errors, address)


def test_the_readme_recovers_from_a_disaster_in_six_commands():
    document = (REPOSITORY / "README.md").read_text()
    (_, commands, expected), = examples(document.split("## Disaster recovery in six commands\n")[1].split("\n## ")[0], "alone")
    lines = commands.splitlines()
    assert len(lines) == 6
    assert any("kill -9" in line for line in lines), "nothing is lost"
    assert expected


def test_the_readme_has_a_tour():
    assert len(list(examples((REPOSITORY / "README.md").read_text()))) >= 8


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_and_named_files_are_there(document):
    text = document.read_text()
    targets = [target for target in LINK.findall(text) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    sources = re.findall(r"`((?:Sources|Tests|scripts|openapi|docs)/[\w./+-]+)`", text)
    missing += [source for source in sources if not (REPOSITORY / source).exists()]
    assert not missing, f"{document.name} names what is not there: {missing}"


def test_the_wildcards_of_examples_match_what_they_should():
    assert pattern("a…c\n").fullmatch("abbc\n")
    assert not pattern("a…c\n").fullmatch("ab\nc\n")
    assert pattern("a\n…\nc\n").fullmatch("a\nb\nb\nc\n")
    assert pattern("a\n…\nc\n").fullmatch("a\nc\n")
    assert not pattern("a\n").fullmatch("a\nb\n")
