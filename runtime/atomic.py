"""Atomic output: files and directories that appear complete or not at all (written under another name, then renamed)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import glob
import hashlib
import os
import secrets
import shutil
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
BROKEN_ARCHIVE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error,
                  SyntaxError, TypeError, tokenize.TokenError)  # the last three from numpy's parsing of headers
"""What reading a damaged or hostile archive may raise."""


@contextmanager
def atomic_file(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file to write that appears as `path` when the block ends without an error; otherwise nothing remains.

    A path that is there and no regular file (a device, a pipe) is written directly. OutputError if that fails.
    """
    target = Path(path)
    try:
        if is_device(target):
            with target.open("wb") as file:
                yield file
            return
        real = Path(os.path.realpath(target))  # through a link: the file that it names is replaced
        temporary = real.with_name(f".{real.name[:200]}.{secrets.token_hex(6)}.part")
        try:
            with temporary.open("xb") as file:
                if real.exists():
                    os.fchmod(file.fileno(), stat.S_IMODE(real.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())  # a full disk may show only here
            os.replace(temporary, real)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"Cannot write {target}: {_reason(error)}.") from error


def is_device(path: Path | str) -> bool:
    """Return whether `path` is there and is neither a file nor a folder: a device, a pipe."""
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

    A directory that was there before is replaced in one step where the system can, and deleted afterwards. Of several writers
    of one target, in any thread, process or container, each has its own directory, and the last to finish stays.

    Raises:
        OutputError: unwritable place, full disk.
    """
    target = Path(os.path.abspath(target))
    partial = target.with_name(f"{_partial_stem(target)}{secrets.token_hex(6)}")
    created: list[Path] = []
    lock = -1
    try:
        with output_errors(target):
            created = _make_parents(target.parent)
            _remove_abandoned(target)
            lock = _make_locked(partial)
            yield partial
            _take_place(partial, target)
            created = []
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if lock >= 0:
            os.close(lock)
        for parent in reversed(created):
            with suppress(OSError):  # another process has put something there
                parent.rmdir()


def _partial_stem(target: Path) -> str:
    return f".{target.name[:200]}.partial-"


def _make_locked(directory: Path) -> int:
    """Make a directory that is locked from the moment it has its name; returns the lock's descriptor, or -1."""
    unlocked = directory.with_name(directory.name.replace(".partial-", ".new-"))
    unlocked.mkdir()
    lock = _lock(unlocked)
    os.rename(unlocked, directory)
    return lock


def _lock(directory: Path) -> int:
    """Lock a directory for as long as the returned descriptor is open; -1 where the file system has no locks."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return -1
    return descriptor


def _make_parents(parent: Path) -> list[Path]:
    missing = [path for path in (parent, *parent.parents) if not path.exists()][::-1]
    nearest = missing[0].parent if missing else parent
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is not a directory")
    parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_abandoned(target: Path) -> None:
    """Delete what a killed run left beside the target; a running one holds its lock."""
    for path in target.parent.glob(f"{glob.escape(_partial_stem(target))}*"):
        with suppress(OSError):
            if (lock := _lock(path)) >= 0:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _take_place(partial: Path, target: Path) -> None:
    """Move `partial` to `target`; what was there ends up at `partial`, for the caller to delete."""
    if not target.exists():
        try:
            os.rename(partial, target)
            return
        except OSError:
            if not target.is_dir():  # else another writer was quicker: its directory is replaced below
                raise
    if not _exchange(partial, target):
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
    """Return the folder of caches: files that can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tldr-edge"


def write_file(target: Path, data: bytes) -> None:
    """Write a file atomically, creating its folder. Raises OutputError."""
    with output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as file:
        file.write(data)
