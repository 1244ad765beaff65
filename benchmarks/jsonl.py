"""Results on disk, one JSON line each, appended as they are computed: a killed run resumes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from runtime.errors import OutputError

Item = TypeVar("Item", bound=msgspec.Struct)


def read_lines(path: Path, kind: type[Item]) -> Iterator[Item]:
    """The results of a file in order, none where there is no file; lines that a kill cut short are left out."""
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            yield msgspec.json.decode(line, type=kind)
        except msgspec.DecodeError:
            continue


def append_lines(path: Path, items: Sequence[msgspec.Struct]) -> None:
    """Append results as lines, also after one that was cut short.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * cut + b"".join(msgspec.json.encode(item) + b"\n" for item in items))
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
