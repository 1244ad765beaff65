"""Hugging Face transformers on PyTorch: what a user of such a model runs today."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.peers.base import PeerMissing, StepPeer
from export.model.config import ModelConfig


class TransformersQwen2(StepPeer):
    """`Qwen2ForCausalLM.generate` with sampling."""

    distribution: ClassVar[str] = "transformers"
    precisions: ClassVar[tuple[str, ...]] = ("fp32", "bf16")
    what: ClassVar[str] = "Qwen2ForCausalLM.generate, sampling, KV cache"

    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        del folder
        try:
            torch: Any = importlib.import_module("torch")
            library: Any = importlib.import_module("transformers")
        except ImportError as error:
            raise PeerMissing(f"does not import: {error}") from error
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        library.logging.set_verbosity_error()
        self._torch = torch
        dtype = torch.float32 if self.precision == "fp32" else torch.bfloat16
        self._pipeline = library.Qwen2ForCausalLM(qwen2_config(library, config)).to(dtype).eval()

    def decode(self, prefix: int, tokens: int) -> float:
        """The difference of a long and a short generation, so that the prefix falls out."""
        return (self._generate(prefix, tokens + 1) - self._generate(prefix, 1)) / tokens

    def _generate(self, prefix: int, tokens: int) -> float:
        ids = self._torch.randint(0, 6000, (1, prefix))
        begin = time.perf_counter()
        with self._torch.inference_mode():
            made = self._pipeline.generate(ids, attention_mask=self._torch.ones_like(ids), do_sample=True, temperature=0.7,
                                        top_k=25, top_p=0.7, min_new_tokens=tokens, max_new_tokens=tokens, pad_token_id=0)
        spent = time.perf_counter() - begin
        if made.shape[1] != prefix + tokens:
            raise PeerMissing(f"made {made.shape[1] - prefix} tokens instead of {tokens}")
        return spent


def qwen2_config(library: Any, config: ModelConfig) -> Any:
    """The backbone's sizes with the speech vocabulary as its head, as transformers describes them."""
    backbone = config.backbone
    return library.Qwen2Config(
        vocab_size=config.vocabulary.size, hidden_size=backbone.hidden, intermediate_size=backbone.intermediate,
        num_hidden_layers=backbone.layers, num_attention_heads=backbone.heads, num_key_value_heads=backbone.kv_heads,
        max_position_embeddings=4096, rope_theta=backbone.rope_theta, rms_norm_eps=backbone.norm_eps,
        tie_word_embeddings=False, bos_token_id=config.vocabulary.sos, eos_token_id=config.vocabulary.eos)
