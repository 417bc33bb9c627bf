"""The examples in the documents are run, in order, and answer what the document shows.

A block marked `sh` in which the server's default address stands is run against a fresh server, one a document. A
block that follows directly (`text`, `json`, `http`) is what it must print. `…` in a line stands for anything, a line
of its own `…` for any lines; blank lines at the end do not count. Blocks marked `shell` are shown and not run.
"""

import os
import pathlib
import re
import subprocess

import pytest

from support.server import REPOSITORY, Server, binary

ADDRESS = "127.0.0.1:7070"
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = ("text", "json", "http")


def documents():
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def examples(text):
    """Yields (line number, commands, expected output or None)."""
    blocks = list(BLOCK.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block[1] != "sh" or ADDRESS not in block[2]:
            continue
        expected = None
        if following and following[1] in OUTPUT and not text[block.end():following.start()].strip():
            expected = following[2]
        yield text[:block.start()].count("\n") + 1, block[2], expected


def pattern(expected):
    """A regular expression for an output with its wildcards."""
    parts = []
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append("[^\n]*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ \t]*\n")
    return re.compile("".join(parts))


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_examples_answer_what_the_document_shows(document, tmp_path):
    found = list(examples(document.read_text()))
    if not found:
        return
    (tmp_path / "scripts").symlink_to(REPOSITORY / "scripts")
    with Server() as server:
        address = f"{server.host}:{server.port}"
        # Examples that start a server of their own get nothing of ours, which it would refuse.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYRALOG_")}
        environment = {**clean, "PYRALOG_URL": server.url, "PATH": f"{binary().parent}:{os.environ['PATH']}",
                       "LC_ALL": "C.UTF-8"}
        for line, commands, expected in found:
            place = f"{document.name}:{line}"
            ended = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", commands.replace(ADDRESS, address)], cwd=tmp_path,
                capture_output=True, timeout=120, env=environment, stdin=subprocess.DEVNULL)
            output = ended.stdout.decode(errors="replace").replace("\r\n", "\n").replace(address, ADDRESS)
            assert ended.returncode == 0, f"{place} exits with {ended.returncode}\n{commands}\n{output}\n{ended.stderr.decode()}"
            if expected is not None:
                output = output.rstrip("\n") + "\n"
                assert pattern(expected).fullmatch(output), f"{place}\n{commands}\nshows\n{expected}\nbut prints\n{output}"


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
