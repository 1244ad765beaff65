"""A CosyVoice3 directory as a source of exports: alone at token level, with TLDR weights at their patch sizes."""

from __future__ import annotations

import math
import shutil
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import torch
from torch import Tensor

from engines.sentences import SENTENCES
from export.checkpoints import embedded as checkpoint
from export.checkpoints.cosyvoice import directory as files
from export.checkpoints.cosyvoice.language_model import adopt_base, read_config, read_language_model, token_model
from export.checkpoints.cosyvoice.settings import read_settings
from export.checkpoints.cosyvoice.tokenizer import build_tokenizer
from export.checkpoints.cosyvoice.vocoder import NOISE, CosyVoiceVocoder
from export.checkpoints.embedded import VoiceCard
from export.checkpoints.source import Source
from export.model.config import ModelConfig
from export.model.language_model import PatchLM, TokenLM
from export.model.lora import merge
from runtime.atomic import output_errors
from runtime.bundle.manifest import Encoders, Sampling
from runtime.errors import CheckpointError
from runtime.text.qwen import SYSTEM_PROMPT, TOKENIZER, QwenTokenizer

LICENCE = "Apache-2.0 (Fun-CosyVoice3-0.5B); TLDR weights under their own"
CARD = VoiceCard(default_voice="", licence=LICENCE, max_text_ids=400, min_tokens_per_id=2.0, max_tokens_per_id=20.0)
"""Tokens a text id: the model's own rule, the prompt not counted."""
ENCODERS = Encoders(speaker=f"onnx/{files.SPEAKER_ENCODER}", tokens=f"onnx/{files.SPEECH_TOKENIZER}")


class CosyVoiceSource(Source):
    """`directory` as it was downloaded; `tldr` a checkpoint directory with patch-<k> parts trained on it."""

    def __init__(self, directory: Path, tldr: Path | None = None) -> None:
        files.check_directory(directory)
        self.directory = directory
        self.card = CARD
        self._tldr = tldr
        self._settings = read_settings(directory / files.SETTINGS)
        self._vocoder = CosyVoiceVocoder(directory)

    @cached_property
    def _state(self) -> dict[str, Tensor]:
        """The language model's tensors, mapped: they cost memory only while they are read."""
        return read_language_model(self.directory)

    def config(self, patch: int) -> ModelConfig:
        base = read_config(self.directory, self._state, self._vocoder.speaker)
        if patch == 1:
            return base
        if self._tldr is None:
            raise CheckpointError(f"{self.directory} is CosyVoice3 alone, which has no patches: export it with --token-level, "
                                  "or name TLDR weights with --checkpoint and this directory with --backbone.")
        config = checkpoint.load_patch_config(self._tldr, patch)
        if (config.backbone, config.vocabulary) != (base.backbone, base.vocabulary):
            raise CheckpointError(f"{checkpoint.patch_directory(self._tldr, patch)} was trained on a backbone of other sizes "
                                  f"than {self.directory} has.")
        return msgspec.structs.replace(config, name=base.name)

    def model(self, patch: int) -> PatchLM | TokenLM:
        config = self.config(patch)
        if patch == 1 or self._tldr is None:
            return token_model(self.directory, config, self._state)
        with torch.device("meta"):
            model = PatchLM(config)
        adopt_base(self.directory, model, self._state)
        checkpoint.load_patch_parts(self._tldr, model)
        merge(model.backbone)
        return model.eval().requires_grad_(False)

    def sampling(self, patch: int) -> Sampling:
        if patch > 1:
            return self.card.sampling
        told = self._settings.sampling
        return Sampling(temperature=1.0, top_k=told.top_k, top_p=told.top_p, repetition_window=told.win_size,
                        repetitions=math.ceil(told.win_size * told.tau_r))

    def vocoder(self) -> CosyVoiceVocoder:
        return self._vocoder

    @property
    def vocoder_graphs(self) -> int:
        return len(self._vocoder.makers())

    def copy_files(self, bundle: Path) -> dict[str, str]:
        with output_errors(bundle):
            for name, target in ((files.SPEAKER_ENCODER, ENCODERS.speaker), (files.SPEECH_TOKENIZER, ENCODERS.tokens)):
                shutil.copyfile(self.directory / name, bundle / target)
            (bundle / "text").mkdir()
            (bundle / "text" / TOKENIZER).write_text(build_tokenizer(self.directory).to_str(), encoding="utf-8")
            (bundle / NOISE).parent.mkdir()
            np.save(bundle / NOISE, self._vocoder.noise.numpy())
        return {}

    @property
    def text(self) -> Literal["qwen2"]:
        return "qwen2"

    @property
    def encoders(self) -> Encoders:
        return ENCODERS

    def utterances(self, text: Path, count: int) -> list[list[int]]:
        tokenizer = QwenTokenizer.load(text)
        return [tokenizer.ids(SYSTEM_PROMPT + sentence) for sentence in SENTENCES[:count]]
