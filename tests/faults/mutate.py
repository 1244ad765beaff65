"""Damages bundles at random and tries to speak with them; run as a process of its own, so that a crash is seen as one.

`python -m tests.faults.mutate KIND COUNT SEED BUNDLE FOLDER`, with KIND `files`, `manifest` or `graphs`. Prints how many of
the damaged bundles spoke and how many were refused; anything else is a failure.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

from runtime.bundle.manifest import MANIFEST
from runtime.errors import TldrError
from runtime.synthesizer import Synthesizer
from tests.fixtures import tiny_bundle

MEMORY = 6 << 30
VALUES = (None, True, False, 0, -1, 1, 2, 1.5, 1e308, -1e308, 2**31, 2**63, 10**30, "", "x", "../x", "\0", "é" * 1000, [], {},
          [[]], [1] * 1000)


def damage_file(folder: Path, source: random.Random) -> None:
    """Delete, cut, lengthen or change a file of the bundle, any one but the manifest, which has no sha256 of itself."""
    path = source.choice([path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST])
    whole = path.read_bytes()
    data = bytearray(whole)
    kind = source.choice(("delete", "cut", "flip", "flip", "flip", "lengthen", "empty", "zero"))
    if kind == "delete":
        path.unlink()
        return
    if kind == "cut":
        data = data[:source.randrange(len(data))]
    elif kind == "flip":
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    elif kind == "lengthen":
        data += source.randbytes(source.randrange(1, 5000))
    elif kind == "empty":
        data = bytearray()
    else:
        start = source.randrange(len(data))
        data[start:start + 64] = bytes(len(data[start:start + 64]))
    if data == whole:  # zeros over zeros
        data[0] ^= 1
    path.write_bytes(data)


def damage_manifest(folder: Path, source: random.Random) -> None:
    """Replace, remove or add values anywhere in the manifest, which stays JSON."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for _ in range(source.randrange(1, 4)):
        _damage_value(manifest, source)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _damage_value(tree: Any, source: random.Random) -> None:
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = source.choice(keys)
        if isinstance(tree[key], dict | list) and source.random() < 0.85:
            tree = tree[key]
            continue
        kind = source.choice(("value", "value", "number", "remove", "add"))
        if kind == "remove":
            del tree[key]
        elif kind == "number" and isinstance(tree[key], int | float):
            tree[key] = type(tree[key])(tree[key] * source.choice((-1, 0, 2, 10, 1000)) + source.choice((-1, 0, 1)))
        elif kind == "add" and isinstance(tree, dict):
            tree[source.choice(("x", "../x", "schema", "onnx/x.onnx"))] = source.choice(VALUES)
        else:
            tree[key] = source.choice(VALUES)
        return


def damage_graph(folder: Path, source: random.Random) -> None:
    """Change a graph or a voice and give it the right sha256: what an attacker who can write the bundle would do."""
    path = source.choice(sorted((folder / "onnx").iterdir()) + sorted((folder / "voices").iterdir()))
    data = bytearray(path.read_bytes())
    for _ in range(source.randrange(1, 6)):
        data[source.randrange(len(data))] = source.randrange(256)
    path.write_bytes(data)
    tiny_bundle.seal(folder, tiny_bundle.read(folder))


DAMAGES = {"files": damage_file, "manifest": damage_manifest, "graphs": damage_graph}


def main() -> None:
    """Damage, try, count."""
    kind, count, seed, good, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    spoke = refused = 0
    for number in range(count):
        bundle = Path(shutil.copytree(good, folder / "bundle"))
        DAMAGES[kind](bundle, random.Random(f"{seed} {number}"))
        print(f"round {number}", file=sys.stderr, flush=True)
        try:
            with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
                synthesizer.synthesize("Hello world.")
            spoke += 1
        except TldrError as error:
            if not str(error).strip() or "\n" in str(error):
                raise
            refused += 1
        shutil.rmtree(bundle)
    print(spoke, refused)


if __name__ == "__main__":
    main()
