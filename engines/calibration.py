"""Calibration data: recorded calls of the patch loop and the vocoder on real text."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engines.sentences import random_ids, sentence_ids
from runtime.backends.base import DTYPES, Memory
from runtime.backends.onnxruntime import OnnxRuntimeBackend
from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.options import SamplingOptions
from runtime.vocoder.vocoding import TokenVocoder

Arrays = dict[str, np.ndarray]
CALLS = 5
"""Calls that are kept of each graph: the first ones, and the last."""
LARGE_HIDDEN = 512
TEXT_ROWS = 64
"""Text ids that every bundle has."""


@dataclass(frozen=True)
class Call:
    """The inputs of one run of one graph."""

    graph: str
    inputs: Arrays


class RecordingBackend(OnnxRuntimeBackend):
    """ONNX Runtime on the CPU; keeps what its graphs are given."""

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        super().__init__(bundle, "cpu", threads)
        self._kept: dict[str, list[Call]] = {}

    def _execute(self, name: str, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> None:
        kept = self._kept.setdefault(name, [])
        del kept[CALLS - 1:]
        kept.append(Call(name, {key: to_array(memory) for key, memory in inputs.items()}))
        super()._execute(name, inputs, outputs)

    @property
    def calls(self) -> list[Call]:
        """All that were kept."""
        return [call for calls in self._kept.values() for call in calls]


def record(bundle: Bundle, threads: int | None = None) -> list[Call]:
    """Speak a few utterances greedily and keep calls of every graph: prefill, early and late steps, first and last chunks."""
    backend = RecordingBackend(bundle, threads)
    manifest, large = bundle.manifest, bundle.manifest.sizes.hidden >= LARGE_HIDDEN
    voice = some_voice(bundle)
    patches = min(6 if large else 24, manifest.max_patches)
    try:
        decoder = Decoder(manifest, backend)
        for ids in utterances(bundle)[:1 if large else 2]:
            tokens = greedy(decoder, ids, voice, patches)
            # A flow vocoder speaks like a recording, and no bundle holds one; its float16 form is held to float32 in its tests.
            if manifest.vocoder is not None and manifest.vocoder.flow is None:
                vocoder = TokenVocoder(backend, manifest.vocoder, voice.speaker)
                for start in range(0, len(tokens), 32):
                    vocoder.push(np.array(tokens[start:start + 32], np.int64))
                vocoder.flush()
        return backend.calls
    finally:
        backend.close()


def utterances(bundle: Bundle) -> list[list[int]]:
    """Text ids to speak: sentences where the bundle reads phonemes, else seeded numbers."""
    limits = bundle.manifest.limits
    spelt = bundle.manifest.text == "english-phonemes"
    found = sentence_ids(bundle.root / "text") if spelt else random_ids(20, TEXT_ROWS)
    return [ids[:limits.max_text_ids] for ids in found]


def some_voice(bundle: Bundle) -> Voice:
    """Return the default voice, or a random speaker where a bundle has none."""
    if bundle.manifest.default_voice is not None:
        return bundle.voice()
    none = np.zeros(0, np.int64)
    speaker = np.random.default_rng(0).standard_normal(bundle.manifest.sizes.speaker).astype(np.float32)
    return Voice("none", speaker, none, none)


def greedy(decoder: Decoder, ids: Sequence[int], voice: Voice, patches: int) -> list[int]:
    """The likeliest tokens of an utterance of at most so many patches."""
    limits = decoder.manifest.limits
    bounds = LengthLimits(math.ceil(limits.min_tokens_per_id * len(ids)), patches, watch=False)
    steps = decoder.decode(ids, voice, SamplingOptions(top_k=1), np.random.default_rng(0), lambda: False, bounds)
    return [int(token) for part in steps for token in part]


def to_array(memory: Memory) -> np.ndarray:
    """A copy of host memory."""
    data = ctypes.string_at(memory.pointer, memory.nbytes)
    return np.frombuffer(data, DTYPES[memory.dtype]).reshape(memory.shape)
