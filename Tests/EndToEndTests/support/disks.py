"""File systems of a test's own: one in memory that can be full, one in a file whose power can be cut. Both need root."""

import contextlib
import fcntl
import functools
import os
import pathlib
import struct
import subprocess
import tempfile
import time

import pytest

MiB = 1 << 20
# _IOR('X', 125, __u32), and: leave the journal as it is on the disk.
EXT4_IOC_SHUTDOWN = 0x8004587D
EXT4_GOING_FLAGS_NOLOGFLUSH = 2


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


@functools.cache
def why_not(kind) -> str | None:
    """Why there can be no such file system on this machine."""
    if os.geteuid() != 0:
        return "NOT RUN: mounting a file system needs root"
    try:
        with tempfile.TemporaryDirectory() as directory, kind(directory, 64):
            return None
    except OSError as problem:
        return f"NOT RUN: no file system of a test's own: {problem}"


@contextlib.contextmanager
def own(kind, directory, megabytes):
    """A file system of a kind below; where there can be none, the test is not run, and the summary says why."""
    if reason := why_not(kind):
        raise pytest.skip.Exception(reason)
    with kind(directory, megabytes) as made:
        yield made


@contextlib.contextmanager
def memory_disk(directory, megabytes):
    """A file system in memory of this size, mounted on a directory that is made."""
    place = pathlib.Path(directory)
    place.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "pyralog-test", place)
    try:
        yield place
    finally:
        unmount(place)


class LoopDisk:
    """ext4 in a file. Errors make it read-only, as they do on most servers."""

    def __init__(self, directory, megabytes):
        directory = pathlib.Path(directory)
        self.place = directory / "mounted"
        self.place.mkdir(parents=True, exist_ok=True)
        self.image = directory / "image"
        with open(self.image, "wb") as file:
            file.truncate(megabytes * MiB)
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", self.image)
        self.mount()

    def mount(self):
        run("mount", "-o", "loop,errors=remount-ro", self.image, self.place)

    def cut_power(self):
        """What was not synchronised is gone; nothing can be written until it is mounted again."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
        finally:
            os.close(descriptor)

    def fail(self):
        """An error of the file system, which makes it read-only under those who write."""
        device = pathlib.Path(run("findmnt", "-n", "-o", "SOURCE", self.place).strip()).name
        pathlib.Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("a test")

    def repair(self):
        unmount(self.place)
        subprocess.run(["e2fsck", "-fy", str(self.image)], capture_output=True)
        self.mount()

    def mount_again(self):
        unmount(self.place)
        self.mount()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        unmount(self.place)
        self.image.unlink()


def unmount(place):
    """Who has just ended may still have files open for a moment."""
    deadline = time.monotonic() + 10
    while True:
        try:
            run("umount", place)
            return
        except OSError:
            if time.monotonic() > deadline:
                run("umount", "--lazy", place)
                raise
            time.sleep(0.1)
