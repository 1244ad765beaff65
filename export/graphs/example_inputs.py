"""Inputs for any graph of the contract at any lengths: what export traces with and parity compares on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from runtime.backends.base import DTYPES
from runtime.bundle.contract import NO_TOKEN, Graph, Sizes
from runtime.bundle.shapes import resolve

Arrays = dict[str, np.ndarray]


def example_inputs(graph: Graph, sizes: Sizes, lengths: dict[str, int], seed: int, text_ids: int) -> Arrays:
    """Seeded inputs of every tensor of a graph, each in its meaningful range; `text_ids` is the number of text ids there are.

    Rows differ where they may: the first row's past is full, later rows' past is shorter; token rows begin with NO_TOKEN.
    """
    rng = np.random.default_rng(seed)
    result: Arrays = {}
    for tensor in graph.inputs:
        shape = resolve(tensor, lengths)
        result[tensor.name] = np.asarray(_values(tensor.name, shape, rng, sizes, text_ids), DTYPES[tensor.dtype])
    if "past_length" in result:
        past = lengths["past"]
        result["past_length"] = np.maximum(past - 2 * np.arange(lengths["batch"]), min(past, 1)).astype(np.int64)
        start = result["past_length"][:, None] + 0.5
        result["positions"] = (start + np.arange(result["positions"].shape[1])).astype(np.float32)
    return result


def _values(name: str, shape: tuple[int, ...], rng: np.random.Generator, sizes: Sizes, text_ids: int) -> ArrayLike:
    if name == "text_ids":
        return rng.integers(0, text_ids, shape)
    if name in ("tokens", "window"):
        tokens = rng.integers(0, sizes.codes, shape)
        if not sizes.token_level:
            for row in range(shape[0]):
                tokens[row, :max(0, min(sizes.compressor_context, shape[1] - 1) - 8 * row)] = NO_TOKEN
        return tokens
    if name == "codec_tokens":
        absent = np.arange(shape[1]) < 2 * (np.arange(shape[0]) == 0)[:, None]
        return np.where(absent, NO_TOKEN, rng.integers(0, sizes.codes, shape))
    if name in ("positions", "chunks", "past_chunks"):  # frames after those of past_chunks, 25 per chunk
        steps = np.broadcast_to(np.arange(shape[1]), shape)
        return {"positions": steps, "chunks": 4 + steps // 25, "past_chunks": steps % 5}[name]
    if name == "voiced":
        return rng.random(shape) < 0.7
    if name in ("noise", "time", "phases"):
        return rng.random(shape)
    if name == "top_k":
        return np.array([25 if row % 2 else 1 for row in range(shape[0])])
    if name in ("temperature", "top_p"):
        return np.full(shape, 0.7)
    if name == "uniforms":
        return rng.random(shape) * (1 - 2**-20)
    if name == "end_allowed":
        return [row % 2 == 0 for row in range(shape[0])]
    return rng.standard_normal(shape)
