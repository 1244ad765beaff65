"""A CosyVoice3 directory as a source of exports: alone at token level, with TLDR weights at their patch sizes."""

from __future__ import annotations

import math
import shutil
from functools import cached_property
from pathlib import Path

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
from export.checkpoints.model_source import LoadedModel, ModelSource
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
NAME = "cosyvoice3"
ENCODERS = Encoders(speaker=f"onnx/{files.SPEAKER_ENCODER}", tokens=f"onnx/{files.SPEECH_TOKENIZER}")


class CosyVoiceSource(ModelSource):
    """`directory` as it was downloaded; `tldr` a checkpoint directory with patch-<k> parts trained on it."""

    def __init__(self, directory: Path, tldr: Path | None = None, llm: str | None = None) -> None:
        """`llm` names the language model's file in `directory`, `llm.pt` where it is None. Raises CheckpointError."""
        self._llm = files.check_directory(directory, llm)
        self.directory = directory
        self._tldr = tldr
        self._settings = read_settings(directory / files.SETTINGS)
        self._vocoder = CosyVoiceVocoder(directory)

    @property
    def name(self) -> str:
        return NAME

    def load(self, patch: int) -> LoadedModel:
        return LoadedModel(model=self.model(patch), card=CARD, sampling=self._sampling(patch), text="qwen2",
                           copy_files=self._copy_files, utterances=_utterances, vocoder=self._vocoder, encoders=ENCODERS)

    @cached_property
    def _state(self) -> dict[str, Tensor]:
        """Tensors of the language model, memory-mapped."""
        return read_language_model(self._llm)

    def config(self, patch: int) -> ModelConfig:
        """Read the sizes at a patch size. Raises CheckpointError."""
        base = read_config(self.directory, self._llm, self._state, self._vocoder.speaker)
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
        """Load the language model. Raises CheckpointError."""
        config = self.config(patch)
        if patch == 1 or self._tldr is None:
            return token_model(self._llm, config, self._state)
        with torch.device("meta"):
            model = PatchLM(config)
        adopt_base(self._llm, model, self._state)
        checkpoint.load_patch_parts(self._tldr, model)
        merge(model.backbone)
        return model.eval().requires_grad_(False)

    def _sampling(self, patch: int) -> Sampling:
        if patch > 1:
            return CARD.sampling
        rule = self._settings.sampling
        return Sampling(temperature=1.0, top_k=rule.top_k, top_p=rule.top_p, repetition_window=rule.win_size,
                        repetitions=math.ceil(rule.win_size * rule.tau_r))

    def _copy_files(self, bundle: Path) -> dict[str, str]:
        with output_errors(bundle):
            for name, target in ((files.SPEAKER_ENCODER, ENCODERS.speaker), (files.SPEECH_TOKENIZER, ENCODERS.tokens)):
                shutil.copyfile(self.directory / name, bundle / target)
            (bundle / "text").mkdir()
            (bundle / "text" / TOKENIZER).write_text(build_tokenizer(self.directory).to_str(), encoding="utf-8")
            (bundle / NOISE).parent.mkdir()
            np.save(bundle / NOISE, self._vocoder.noise.numpy())
        return {}


def _utterances(text: Path) -> list[list[int]]:
    tokenizer = QwenTokenizer.load(text)
    return [tokenizer.ids(SYSTEM_PROMPT + sentence) for sentence in SENTENCES]
