"""Probe which graphs give bit-identical rows in a batch and alone, by runs on random inputs.

Two things can make sums round in another way. A product of one row may take another kernel than one of several: in ONNX Runtime
where weights were not packed when the graph was loaded, as FP16 ones that it converts at run time. And attention over a longer
view adds the newest position in another lane of the processor's vectors: not so if the view is longer by whole vectors.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from ..backends.base import DTYPES, Backend
from ..bundle.contract import layer_names
from ..bundle.manifest import Manifest
from ..options import SamplingOptions

PERIODS = (16, 32)
"""Candidates, in positions. A vector holds 4, 8 or 16 values; less is not tried, as FP16 hides most of the differences from a
trial, but not all of them from a whole utterance."""
_LENGTHS = (21, 33, 46, 60)
_TRIED = ("compressor", "extractor")
_KNOWN: WeakKeyDictionary[Backend, dict[int, tuple[frozenset[str], int]]] = WeakKeyDictionary()
"""What was found, by batch."""

Inputs = dict[str, np.ndarray]


def find_rounding(manifest: Manifest, backend: Backend, batch: int) -> tuple[frozenset[str], int]:
    """Graphs that have to run row by row, and by multiples of what a view may be longer, so that `batch` rows are exact."""
    if batch == 1:
        return frozenset(), 1
    known = _KNOWN.setdefault(backend, {})
    if batch not in known:
        random = np.random.default_rng(0)
        tried = (*_TRIED, "backbone") if manifest.cpu else _TRIED
        alone = frozenset(name for name in tried if not _alike(backend, name, *_made_up(manifest, name, batch, random)))
        known[batch] = alone, 1 if manifest.cpu else _period(manifest, backend, random)
    return known[batch]


def _made_up(manifest: Manifest, name: str, batch: int, random: np.random.Generator) -> tuple[Inputs, str]:
    """Inputs of a graph, and the output to compare; of the backbone where its cache is layered."""
    sizes = manifest.sizes
    if name == "compressor":
        return {"tokens": random.integers(0, sizes.codes, (batch, sizes.compressor_context + sizes.patch))}, "patches"
    if name == "backbone":
        lengths = 1 + np.arange(batch) % (_LENGTHS[0] - 1)
        piece = (batch, sizes.kv_heads, _LENGTHS[0], sizes.head_dim)
        return {"inputs_embeds": random.standard_normal((batch, 1, sizes.hidden), np.float32),
                "positions": lengths[:, None].astype(np.float32), "past_length": lengths,
                **{f"past_{layer}": random.standard_normal(piece, np.float32) for layer in layer_names(sizes)}}, "context"
    speaker = {} if sizes.token_level else {"speaker": random.standard_normal((batch, sizes.speaker), np.float32)}
    return {"context": random.standard_normal((batch, sizes.hidden), np.float32).astype(_activation(manifest)), **speaker,
            **SamplingOptions(top_k=1).inputs(batch), "uniforms": random.random((batch, sizes.patch), np.float32),
            "end_allowed": np.full(batch, True)}, "logits"


def _alike(backend: Backend, name: str, inputs: Inputs, output: str) -> bool:
    """Return whether the first two rows alone equal the same rows in a batch."""
    together = backend.run(name, inputs, fetch=(output,))[output]
    return all(np.array_equal(backend.run(name, {key: value[row:row + 1] for key, value in inputs.items()},
                                          fetch=(output,))[output][0], together[row]) for row in range(2))


def _period(manifest: Manifest, backend: Backend, random: np.random.Generator) -> int:
    """What views may be longer by, where all rows share one: a row's attention over a layered cache ends at its own length."""
    return next((period for period in PERIODS if _holds(manifest, backend, period, random)), PERIODS[-1])


def _holds(manifest: Manifest, backend: Backend, period: int, random: np.random.Generator) -> bool:
    """Return whether a step of the backbone is the same over views that are longer by multiples of `period`."""
    sizes, activation = manifest.sizes, _activation(manifest)
    for length in _LENGTHS:
        shape = (length + 3 * period, sizes.layers, 1, sizes.kv_heads, sizes.head_dim)
        keys, values = (random.standard_normal(shape, np.float32).astype(activation) for _ in range(2))
        embeds = random.standard_normal((1, 1, sizes.hidden), np.float32).astype(activation)

        def step(view: int, length: int = length, keys: np.ndarray = keys, values: np.ndarray = values,
                 embeds: np.ndarray = embeds) -> list[np.ndarray]:
            given = {"inputs_embeds": embeds, "positions": np.full((1, 1), length, np.float32),
                     "past_length": np.array([length]), "past_keys": keys[:view], "past_values": values[:view]}
            return list(backend.run("backbone", given, fetch=("context", "present_keys", "present_values")).values())

        exact = step(length)
        for times in (1, 2, 3):
            if not all(map(np.array_equal, exact, step(length + times * period))):
                return False
    return True


def _activation(manifest: Manifest) -> np.dtype:
    return DTYPES["float16" if manifest.precision == "fp16" else "float32"]
