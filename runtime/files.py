"""Files that are there whole or not at all: written beside their place under another name, then renamed; and their hashes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runtime.errors import OutputError

BROKEN_ARCHIVE = (OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged or hostile archive may raise."""


@contextlib.contextmanager
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
