"""onnxruntime-genai: its own model builder on random weights, its own generator."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers.base import PeerMissing, StepPeer
from benchmarks.peers.transformers_qwen2 import qwen2_config
from export.model.config import ModelConfig
from runtime.atomic import new_directory

CONTEXT = 1024


class OnnxRuntimeGenAI(StepPeer):
    """`Generator.generate_next_token`, sampling."""

    distribution: ClassVar[str] = "onnxruntime-genai"
    precisions: ClassVar[tuple[str, ...]] = ("fp32", "int4")
    what: ClassVar[str] = "Generator.generate_next_token, sampling, model of its own builder"

    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        try:
            library: Any = importlib.import_module("onnxruntime_genai")
        except (ImportError, OSError) as error:
            raise PeerMissing(f"does not import: {error}") from error
        path = folder / f"{config.name}-random-genai-{self.precision}"
        if not (path / "genai_config.json").is_file():
            build(config, self.precision, path)
        settings = library.Config(str(path))
        options = {"session_options": {"intra_op_num_threads": threads}}
        settings.overlay(json.dumps({"model": {"decoder": options}}))
        self._library, self._pipeline = library, library.Model(settings)

    def decode(self, prefix: int, tokens: int) -> float:
        options = self._library.GeneratorParams(self._pipeline)
        options.set_search_options(do_sample=True, temperature=0.7, top_k=25, top_p=0.7, min_length=prefix + tokens + 1,
                                   max_length=prefix + tokens + 1)
        generator = self._library.Generator(self._pipeline, options)
        generator.append_tokens(np.random.default_rng(0).integers(1, 6000, prefix).astype(np.int32))
        generator.generate_next_token()
        begin, made = time.perf_counter(), 0
        while made < tokens and not generator.is_done():
            generator.generate_next_token()
            made += 1
        if made < tokens:
            raise PeerMissing(f"made {made} tokens instead of {tokens}")
        return (time.perf_counter() - begin) / tokens

    def close(self) -> None:
        del self._pipeline


def build(config: ModelConfig, precision: str, target: Path) -> None:
    """Random weights in transformers' format through the builder. PeerMissing where a package it needs is not here."""
    try:
        torch: Any = importlib.import_module("torch")
        library: Any = importlib.import_module("transformers")
        builder: Any = importlib.import_module("onnxruntime_genai.models.builder")
        tokenizers: Any = importlib.import_module("tokenizers")
    except ImportError as error:
        raise PeerMissing(f"its model builder needs {error.name}: {error}") from error
    torch.manual_seed(0)
    with new_directory(target) as partial, contextlib.redirect_stdout(io.StringIO()):
        weights = partial / "weights"
        library.Qwen2ForCausalLM(qwen2_config(library, config)).save_pretrained(weights)
        words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
        library.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>").save_pretrained(weights)
        places = ("", str(weights), str(partial), precision, "cpu", str(partial / "cache"))
        builder.create_model(*places, **builder.parse_extra_options(*places, []))
        for path in sorted(weights.iterdir()):
            path.unlink()
        weights.rmdir()
