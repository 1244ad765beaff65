"""Where a model to export comes from: a checkpoint directory, or a preset with seeded random weights."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch

from export.checkpoints import embedded as checkpoint
from export.checkpoints.cosyvoice.directory import is_cosyvoice
from export.checkpoints.embedded import VoiceCard
from export.checkpoints.source import Source
from export.graphs.auxiliary_graphs import ListenerGraph, SpeakerEncoderGraph, SpeechTokenizerGraph
from export.graphs.core_graphs import Maker
from export.model.config import PRESETS, ModelConfig
from export.model.language_model import PatchLM, TokenLM
from export.model.vocoder import StreamingVocoder
from runtime.atomic import output_errors
from runtime.bundle.manifest import Encoders
from runtime.errors import CheckpointError, OptionError

EMBEDDED = "embedded"
TEXT_FILES = ("lexicon.txt.gz", "letters.npz")
MAX_PATCH = 32
ENCODERS = Encoders("onnx/speaker_encoder.onnx", "onnx/speech_tokenizer.onnx", "codec-mel")
LISTENER = "onnx/listener.onnx"


class CheckpointSource(Source):
    """A directory in the layout of `export.checkpoints.embedded`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        checkpoint.load_config(directory)
        self.card = checkpoint.load_card(directory)

    def config(self, patch: int) -> ModelConfig:
        return checkpoint.load_config(self.directory, patch)

    def model(self, patch: int) -> PatchLM | TokenLM:
        if patch == 1:
            return checkpoint.load_token_model(self.directory)
        return checkpoint.load_patch_model(self.directory, patch)

    def vocoder(self) -> StreamingVocoder | None:
        return None if self.config(1).vocoder is None else checkpoint.load_vocoder(self.directory)

    def copy_files(self, bundle: Path) -> dict[str, str]:
        voices = {path.stem: path for path in sorted((self.directory / checkpoint.VOICES).glob("*.npz"))}
        if self.card.default_voice not in voices:
            raise CheckpointError(f"{self.directory} names {self.card.default_voice!r} as its default voice; it holds "
                                  f"{', '.join(voices) or 'none'}.")
        width = self.config(1).speaker
        for path in voices.values():
            checkpoint.load_speaker(path, width)
        pairs = [(path, bundle / "voices" / path.name) for path in voices.values()]
        for name in TEXT_FILES:
            path = self.directory / checkpoint.TEXT / name
            if not path.is_file():
                raise CheckpointError(f"{path} is missing: the checkpoint is incomplete.")
            pairs.append((path, bundle / "text" / name))
        for path, target in pairs:
            with output_errors(target):
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, target)
        return {name: f"voices/{path.name}" for name, path in voices.items()}

    @property
    def encoders(self) -> Encoders | None:
        return ENCODERS if checkpoint.can_clone(self.directory) else None

    @property
    def listener(self) -> str | None:
        there = self.config(1).vocoder is not None and (self.directory / checkpoint.LISTENER).is_file()
        return LISTENER if there else None

    def side_makers(self) -> Mapping[str, Maker]:
        config, directory = self.config(1), self.directory
        if config.vocoder is None:
            return {}
        vocoder, makers = config.vocoder, dict[str, Maker]()
        if self.encoders is not None:
            makers["speaker_encoder"] = lambda: SpeakerEncoderGraph(checkpoint.load_speaker_encoder(directory, config.speaker))
            makers["speech_tokenizer"] = lambda: SpeechTokenizerGraph(checkpoint.load_codec_encoder(directory, vocoder))
        if self.listener is not None:
            makers["listener"] = lambda: ListenerGraph(checkpoint.load_listener(directory, vocoder))
        return makers

    @property
    def text(self) -> Literal["english-phonemes"]:
        return "english-phonemes"


class PresetSource(Source):
    """Random weights at a preset's sizes: to measure speed and memory where no checkpoint is at hand."""

    def __init__(self, name: str, seed: int = 0) -> None:
        if name not in PRESETS:
            raise OptionError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
        self._name = name
        self._seed = seed
        self.card = VoiceCard(default_voice="", licence="random weights, no licence needed")

    def config(self, patch: int) -> ModelConfig:
        if not 1 <= patch <= MAX_PATCH:
            raise OptionError(f"A patch has 2 to {MAX_PATCH} tokens, not {patch}.")
        return PRESETS[self._name](patch)

    def model(self, patch: int) -> PatchLM | TokenLM:
        torch.manual_seed(self._seed)
        config = self.config(patch)
        model = TokenLM(config) if patch == 1 else PatchLM(config)
        return model.eval().requires_grad_(False)

    def vocoder(self) -> StreamingVocoder | None:
        config = self.config(1)
        if config.vocoder is None:
            return None
        torch.manual_seed(self._seed)
        return StreamingVocoder(config.vocoder, config.speaker).eval().requires_grad_(False)

    def copy_files(self, bundle: Path) -> dict[str, str]:
        return {}

    @property
    def text(self) -> Literal["none"]:
        return "none"


def open_source(checkpoint_name: str | None, preset: str | None, backbone: Path | None = None) -> Source:
    """The source that the options name: a directory, `embedded` (also where all are unset), a preset.

    A CosyVoice3 directory is taken as it was downloaded, as the checkpoint itself or as the backbone of TLDR weights.

    Raises:
        CheckpointError: there is no such checkpoint, or it is incomplete.
        OptionError: both were given, or there is no such preset.
    """
    if preset is not None:
        if checkpoint_name is not None:
            raise OptionError("Give either --checkpoint or --preset, not both.")
        return PresetSource(preset)
    name = checkpoint_name or EMBEDDED
    path = Path(name)
    if backbone is not None or (path.is_dir() and is_cosyvoice(path)):
        from export.checkpoints.cosyvoice.source import CosyVoiceSource

        tldr = None if backbone is None or checkpoint_name is None else path
        return CosyVoiceSource(path if backbone is None else backbone, tldr)
    if path.is_dir():
        return CheckpointSource(path)
    if name == EMBEDDED:
        return CheckpointSource(embedded_directory())
    if name in PRESETS:
        return PresetSource(name)
    names = dict.fromkeys((EMBEDDED, *PRESETS))
    raise CheckpointError(f"There is no checkpoint directory {name!r}; the names known here are {', '.join(names)}.")


def embedded_directory() -> Path:
    """The embedded voice's checkpoint, which a source checkout holds."""
    directory = Path(__file__).resolve().parents[2] / "voices" / EMBEDDED
    if not (directory / checkpoint.CONFIG).is_file():
        raise CheckpointError("The embedded voice's checkpoint is not here: work in a source checkout that has it, or name a "
                              "directory with --checkpoint.")
    return directory
