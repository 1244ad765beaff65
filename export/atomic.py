"""What export writes is there whole or not at all: files here, directories by `runtime.directories`."""

from __future__ import annotations

from pathlib import Path

from runtime.directories import new_directory, output_errors
from runtime.files import atomic_file

__all__ = ["new_directory", "output_errors", "write_file"]


def write_file(target: Path, data: bytes) -> None:
    """Write a file whole, or not at all, making its folder. Raises OutputError."""
    with output_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as file:
        file.write(data)
