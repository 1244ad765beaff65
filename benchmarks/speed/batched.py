"""The language model's stages over B rows at once: what a cache of B streams takes, and what a step then costs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from runtime.backends import create_backend
from runtime.backends.base import DTYPES, Memory
from runtime.bundle.contract import DType
from runtime.bundle.reader import Bundle
from runtime.decoding.cache import Cache, open_cache
from runtime.errors import BackendError

STEPS = 4
"""Steps timed at the end of each cache, after one to warm up."""


@dataclass(frozen=True)
class BatchedRun:
    """Allocated bytes, and seconds per patch of all rows."""

    kv_bytes_allocated: int
    step_seconds: list[float]


class BatchedSteps:
    """Graphs of one bundle, driven directly: every row decodes random tokens after random keys and values."""

    def __init__(self, bundle: Bundle, provider: str, threads: int) -> None:
        self._manifest = bundle.manifest
        self._backend = create_backend(bundle, provider, threads)
        self._random = np.random.default_rng(0)

    def close(self) -> None:
        """Release the graphs."""
        self._backend.close()

    def run(self, batch: int, seconds: float, text_ids: int) -> BatchedRun:
        """Allocate a cache for `seconds` of audio of `batch` rows, fill it, and time its last steps."""
        manifest, sizes = self._manifest, self._manifest.sizes
        patches = math.ceil(round(seconds * manifest.token_rate) / sizes.patch)
        cache = open_cache(self._backend, manifest, text_ids + 2 + patches, batch)
        filled = max(0, cache.capacity - STEPS - 1)
        for memory in cache.memory:
            self._fill(memory)
        cache.advance(filled)
        times = []
        for _ in range(cache.capacity - filled):
            begin = time.perf_counter()
            self._step(cache, batch)
            times.append(time.perf_counter() - begin)
        return BatchedRun(cache.bytes_allocated, times[1:] or times)

    def _fill(self, memory: Memory) -> None:
        """Small values in host memory, so that every page is really there; a device's is already."""
        if isinstance(memory.owner, np.ndarray):
            rows = memory.array()
            rows[:] = np.asarray(self._random.standard_normal(rows.shape[1:]) * 0.1, rows.dtype)

    def _step(self, cache: Cache, batch: int) -> None:
        sizes = self._manifest.sizes
        activation: DType = "float16" if self._manifest.precision == "fp16" else "float32"
        tokens = self._random.integers(0, sizes.codes, (batch, sizes.compressor_context + sizes.patch))
        patch = self._backend.run("compressor", {"tokens": tokens}, fetch=("patches",))["patches"]
        given, into = cache.tensors(1)
        context = self._backend.allocate((batch, sizes.hidden), activation)
        self._backend.run(
            "backbone",
            {"inputs_embeds": patch, "positions": np.full((batch, 1), cache.length, np.float32),
             "past_length": np.full(batch, cache.length, np.int64), **given},
            into={"context": context, **into})
        cache.advance(1)
        inputs: dict[str, np.ndarray | Memory] = {
            "context": context, "uniforms": self._random.random((batch, sizes.patch), np.float32),
            "end_allowed": np.zeros(batch, np.bool_), "temperature": np.full(batch, 0.7, np.float32),
            "top_k": np.full(batch, 25, np.int64), "top_p": np.full(batch, 0.7, np.float32)}
        if not sizes.token_level:
            inputs["speaker"] = np.zeros((batch, sizes.speaker), np.float32)
        said = self._backend.run("extractor", inputs, fetch=("tokens",))["tokens"]
        if said.shape != (batch, sizes.patch) or said.dtype != DTYPES["int64"]:
            raise BackendError(f"The extractor gave tokens of shape {said.shape} for a batch of {batch}.")
