"""The same bundle with other graphs in it: everything else is linked, so that a copy of gigabytes takes no room."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import onnx

from runtime.atomic import file_digest
from runtime.bundle.engine_set import FOLDER
from runtime.bundle.reader import Bundle


def bundle_with(bundle: Bundle, folder: Path, graphs: Mapping[str, onnx.ModelProto], engines: bool = False) -> Bundle:
    """Make that bundle in a folder on the same file system.

    Args:
        bundle: is not changed.
        folder: becomes the root.
        graphs: what to put in place of some graphs.
        engines: link its engines too; those of another graph are stale then, and known as such by their keys.
    """
    for path in bundle.root.rglob("*"):
        parts = path.relative_to(bundle.root).parts
        if path.is_file() and not parts[0].startswith(".") and (engines or parts[0] != FOLDER):
            folder.joinpath(*parts).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, folder.joinpath(*parts))
    files = dict(bundle.manifest.files)
    for graph, model in graphs.items():
        place = bundle.manifest.graph_path(graph)
        (folder / place).unlink()
        (folder / place).write_bytes(model.SerializeToString(deterministic=True))
        files[place] = file_digest(folder / place)
    return Bundle(folder, msgspec.structs.replace(bundle.manifest, files=files))
