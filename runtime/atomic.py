"""Atomic output: files and directories that appear complete or not at all (written under another name, then renamed)."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
BROKEN_ARCHIVE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged or hostile archive may raise."""


@contextmanager
def atomic_file(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file to write that appears as `path` when the block ends well, and else leaves nothing behind.

    A path that is there and no regular file (a device, a pipe) is written directly. OutputError if that fails.
    """
    target = Path(path)
    try:
        if is_device(target):
            with target.open("wb") as file:
                yield file
            return
        temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # a full disk may show only here
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"Cannot write {target}: {_reason(error)}.") from error


def is_device(path: Path | str) -> bool:
    """Whether `path` is there and is neither a file nor a folder: a device, a pipe."""
    target = Path(path)
    return target.exists() and not target.is_file() and not target.is_dir()


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space or write elsewhere"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}; choose another path"
    return f"{error}; choose another path"


def file_digest(path: Path) -> str:
    """sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Turn an operating system error into `OutputError` naming the target."""
    try:
        yield
    except OSError as error:
        advice = "free some space" if error.errno == errno.ENOSPC else "choose another place"
        raise OutputError(f"Cannot write {target}: {error.strerror or error}; {advice}.") from error


@contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """An empty directory beside `target`; it takes the target's place on success and is removed on any failure.

    A directory that stood there before is replaced in one step where the system can, and deleted afterwards.

    Raises:
        OutputError: unwritable place, full disk.
    """
    target = Path(os.path.abspath(target))
    partial = _partial(target)
    created: list[Path] = []
    try:
        with output_errors(target):
            created = _make_parents(target.parent)
            _remove_abandoned(target)
            partial.mkdir()
            yield partial
            _take_place(partial, target)
            created = []
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in reversed(created):
            with suppress(OSError):  # somebody else has put something there
                parent.rmdir()


def _partial(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial-{os.getpid()}")


def _make_parents(parent: Path) -> list[Path]:
    missing = [path for path in (parent, *parent.parents) if not path.exists()][::-1]
    nearest = missing[0].parent if missing else parent
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is not a directory")
    parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_abandoned(target: Path) -> None:
    """Delete what a killed run left beside the target; a run that still lives keeps its own."""
    for path in target.parent.glob(f".{target.name}.partial-*"):
        owner = path.name.rpartition("-")[2]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(path, ignore_errors=True)


def _take_place(partial: Path, target: Path) -> None:
    """Move `partial` to `target`; what was there ends up at `partial`, for the caller to delete."""
    if not target.exists():
        os.rename(partial, target)
    elif not _exchange(partial, target):
        old = partial.with_name(partial.name + "-old")
        os.rename(target, old)
        os.rename(partial, target)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two directories in one step; False where the system or file system has no such call."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done: int = rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    return done == 0


def cache_folder() -> Path:
    """Where things are kept that cost only time if they are lost."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tldr-edge"


def write_file(target: Path, data: bytes) -> None:
    """Write a file atomically, creating its folder. Raises OutputError."""
    with output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as file:
        file.write(data)
