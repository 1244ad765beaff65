"""Write a bundle next to its target, check it with the runtime's own reader, then rename it into place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runtime.atomic import file_digest, new_directory, output_errors
from runtime.bundle.manifest import MANIFEST, Manifest
from runtime.bundle.reader import Bundle
from runtime.errors import OutputError


@contextmanager
def new_bundle(target: Path) -> Iterator[Path]:
    """Make a directory to build a bundle in; it is renamed to `target` when the block succeeds, and removed when it fails.

    Raises:
        OutputError: the place cannot be written, the disk is full, or something else than a bundle is there.
    """
    check_replaceable(target)
    with new_directory(target) as partial:
        (partial / "onnx").mkdir()
        yield partial


def finalize(partial: Path, manifest: Manifest) -> Manifest:
    """Hash every file, write `bundle.json` last, and open the bundle as the runtime will.

    Raises:
        BundleError: the reader refuses it, which is a fault of the exporter.
        OutputError: the place cannot be written, the disk is full.
    """
    final = msgspec.structs.replace(manifest, files=hash_files(partial))
    with output_errors(partial / MANIFEST):
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(final), indent=1) + b"\n")
    Bundle.open(partial)
    return final


def hash_files(directory: Path) -> dict[str, str]:
    """Return the sha256 of every file but the manifest, by its path with forward slashes, sorted."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name != MANIFEST:
            found[name] = file_digest(path)
    return found


def check_replaceable(target: Path) -> None:
    """Raise OutputError where something else than a bundle is at `target`."""
    with output_errors(target):
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise OutputError(f"{target} is not a directory; choose another place with --out.")
        if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
            raise OutputError(f"{target} holds something else than a bundle and is left alone; choose another place with "
                              "--out.")
