"""llama.cpp through llama-cpp-python, on a GGUF file of random weights that is written here."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers.base import PeerMissing, StepPeer
from export.model.config import ModelConfig
from runtime.atomic import atomic_file

TYPES = {"f32": "F32", "f16": "F16", "q8_0": "Q8_0", "q4_0": "Q4_0"}
"""Precisions by the names of the file format."""
CONTEXT = 1024


class LlamaCpp(StepPeer):
    """`Llama.eval` and `Llama.sample`, a token at a time."""

    distribution: ClassVar[str] = "llama-cpp-python"
    precisions: ClassVar[tuple[str, ...]] = tuple(TYPES)
    what: ClassVar[str] = "Llama.eval and Llama.sample, one token a call"

    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        try:
            library: Any = importlib.import_module("llama_cpp")
            gguf: Any = importlib.import_module("gguf")
        except (ImportError, OSError, RuntimeError) as error:
            raise PeerMissing(f"needs llama-cpp-python and gguf: {error}") from error
        path = folder / f"{config.name}-random-{self.precision}.gguf"
        if not path.is_file():
            write_gguf(gguf, config, self.precision, path)
        self._vocabulary = config.vocabulary.size
        self._llama = library.Llama(str(path), n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=threads, n_threads_batch=threads,
                                    n_gpu_layers=0, logits_all=False, verbose=False)

    def decode(self, prefix: int, tokens: int) -> float:
        random = np.random.default_rng(0)
        self._llama.reset()
        self._llama.eval([int(value) for value in random.integers(0, self._vocabulary - 10, prefix)])
        token, begin = 1, time.perf_counter()
        for _ in range(tokens):
            self._llama.eval([token])
            token = self._llama.sample(top_k=25, top_p=0.7, temp=0.7)
        return (time.perf_counter() - begin) / tokens

    def close(self) -> None:
        self._llama.close()


def write_gguf(gguf: Any, config: ModelConfig, precision: str, path: Path) -> None:
    """A qwen2 model of the backbone's sizes with the speech vocabulary and seeded random weights."""
    backbone, kind = config.backbone, getattr(gguf.GGMLQuantizationType, TYPES[precision])
    with atomic_file(path) as file:
        writer = gguf.GGUFWriter(file.name, "qwen2")
        writer.add_context_length(CONTEXT)
        writer.add_embedding_length(backbone.hidden)
        writer.add_block_count(backbone.layers)
        writer.add_feed_forward_length(backbone.intermediate)
        writer.add_head_count(backbone.heads)
        writer.add_head_count_kv(backbone.kv_heads)
        writer.add_rope_freq_base(backbone.rope_theta)
        writer.add_layer_norm_rms_eps(backbone.norm_eps)
        writer.add_vocab_size(config.vocabulary.size)
        writer.add_tokenizer_model("none")
        for name, shape in tensors(config):
            data = _random(name, shape)
            wide = len(shape) == 1 or precision == "f32"
            stored = data if wide else gguf.quants.quantize(data, kind)
            writer.add_tensor(name, stored, raw_dtype=None if wide else kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def tensors(config: ModelConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a qwen2 GGUF, rows first."""
    backbone, rows = config.backbone, config.vocabulary.size
    hidden, inner = backbone.hidden, backbone.intermediate
    queries, keys = backbone.heads * backbone.head_dim, backbone.kv_heads * backbone.head_dim
    yield from (("token_embd.weight", (rows, hidden)), ("output_norm.weight", (hidden,)), ("output.weight", (rows, hidden)))
    for layer in range(backbone.layers):
        for name, shape in (("attn_norm.weight", (hidden,)), ("ffn_norm.weight", (hidden,)),
                            ("attn_q.weight", (queries, hidden)), ("attn_q.bias", (queries,)),
                            ("attn_k.weight", (keys, hidden)), ("attn_k.bias", (keys,)),
                            ("attn_v.weight", (keys, hidden)), ("attn_v.bias", (keys,)),
                            ("attn_output.weight", (hidden, queries)), ("ffn_gate.weight", (inner, hidden)),
                            ("ffn_up.weight", (inner, hidden)), ("ffn_down.weight", (hidden, inner))):
            yield f"blk.{layer}.{name}", shape


def _random(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("norm.weight"):
        return np.ones(shape, np.float32)
    seed = int.from_bytes(name.encode()[-8:], "little")
    return np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(0.02)
