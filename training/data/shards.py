"""Write-once shards of utterances: one safetensors file each, named arrays `<index>.<what>`, texts in its metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

Utterance = dict[str, np.ndarray]


def write_shard(path: Path, utterances: list[Utterance], texts: list[dict[str, str]]) -> None:
    """Write under a temporary name, then rename: a shard that exists is whole."""
    arrays = {f"{index}.{what}": np.ascontiguousarray(array)
              for index, utterance in enumerate(utterances) for what, array in utterance.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(arrays, partial, {"texts": json.dumps(texts, ensure_ascii=False)})
    os.replace(partial, path)


def read_shard(path: Path) -> Iterator[tuple[dict[str, str], Utterance]]:
    """Texts and arrays of every utterance of a shard, in order."""
    with safe_open(path, "numpy") as shard:
        texts = json.loads(shard.metadata()["texts"])
        names: dict[str, list[str]] = {}
        for key in shard.keys():  # noqa: SIM118 - no dictionary
            index, _, what = key.partition(".")
            names.setdefault(index, []).append(what)
        for place, text in enumerate(texts):
            yield text, {what: shard.get_tensor(f"{place}.{what}") for what in names.get(str(place), ())}


def read_folder(folder: Path) -> Iterator[tuple[dict[str, str], Utterance]]:
    """All utterances of all shards of a folder, in the order of their names."""
    for path in sorted(folder.glob("*.safetensors")):
        yield from read_shard(path)
