"""Write a bundle next to its target, check it with the runtime's own reader, then rename it into place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runtime.atomic import file_digest, new_directory, output_errors
from runtime.bundle.engine_set import FOLDER as ENGINES
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
    """Raise OutputError where something else than a bundle is at `target`, or files that no exporter has written.

    Engines are left out of this: they belong to the graphs that are replaced, and `tldr-engines` builds them again.
    """
    with output_errors(target):
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise OutputError(f"{target} is not a directory; choose another place with --out.")
        if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
            raise OutputError(f"{target} holds something else than a bundle and is left alone; choose another place with "
                              "--out.")
        if others := _unlisted(target):
            named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
            raise OutputError(f"{target} holds files that are not part of the bundle ({named}), which a new export would "
                              "delete; move them, or choose another place with --out.")


def _unlisted(bundle: Path) -> list[str]:
    """Return what is in a bundle's folder beside its manifest, the files that it lists, and engines."""
    if not (bundle / MANIFEST).is_file():
        return []
    try:
        listed = set(msgspec.json.decode((bundle / MANIFEST).read_bytes())["files"])
    except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
        listed = set()
    found = (path.relative_to(bundle) for path in sorted(bundle.rglob("*")) if not path.is_dir())
    return [name.as_posix() for name in found if name.as_posix() not in listed | {MANIFEST} and name.parts[0] != ENGINES]
