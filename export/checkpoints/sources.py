"""Open a model to export: a checkpoint directory, or a preset with seeded random weights."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import torch

from engines.sentences import random_ids, sentence_ids
from export.checkpoints import embedded as checkpoint
from export.checkpoints.embedded import VoiceCard
from export.checkpoints.model_source import LoadedModel, ModelSource
from export.checkpoints.names import EMBEDDED, find_checkpoint, is_cosyvoice
from export.graphs.auxiliary_graphs import ListenerGraph, SpeakerEncoderGraph, SpeechTokenizerGraph, auxiliary_plan
from export.graphs.core_graphs import StreamingVocoderParts
from export.graphs.graph_module import GraphPlan
from export.model.config import PRESETS, ModelConfig
from export.model.language_model import PatchLM, TokenLM
from export.model.vocoder import Vocoder, build_vocoder
from runtime.atomic import output_errors
from runtime.bundle.manifest import Encoders
from runtime.errors import CheckpointError, OptionError

TEXT_FILES = ("lexicon.txt.gz", "letters.npz")
UTTERANCES = 20
"""Utterances whose greedy decoding is compared with PyTorch."""
MAX_PATCH = 32
ENCODERS = Encoders("onnx/speaker_encoder.onnx", "onnx/speech_tokenizer.onnx", "codec-mel")
LISTENER = "onnx/listener.onnx"
PHONEME_LAGS = {"harmonic": 0.05, "spectral": 0.0}
"""`Manifest.phoneme_lag` by the codec's decoder: the shift at which vowels and energy of its speech agree best."""


class CheckpointSource(ModelSource):
    """A directory in the layout of `export.checkpoints.embedded`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._name = checkpoint.load_config(directory).name
        self.card = checkpoint.load_card(directory)

    @property
    def name(self) -> str:
        return self._name

    def load(self, patch: int) -> LoadedModel:
        model = self.model(patch)
        vocoder = self.vocoder()
        encoders = ENCODERS if vocoder is not None and checkpoint.can_clone(self.directory) else None
        listener = LISTENER if vocoder is not None and (self.directory / checkpoint.LISTENER).is_file() else None
        return LoadedModel(
            model=model, card=self.card, sampling=self.card.sampling, text="english-phonemes",
            copy_files=partial(self._copy_files, model.config.speaker),
            utterances=lambda text: sentence_ids(text)[:UTTERANCES],
            vocoder=None if vocoder is None else StreamingVocoderParts(vocoder, model.config.speaker),
            auxiliary=self._auxiliary(model.config, encoders is not None, listener is not None),
            encoders=encoders, listener=listener,
            phoneme_lag=0.0 if listener is None or vocoder is None else PHONEME_LAGS[vocoder.config.kind])

    def config(self, patch: int) -> ModelConfig:
        """Read the sizes at a patch size. Raises CheckpointError."""
        return checkpoint.load_config(self.directory, patch)

    def model(self, patch: int) -> PatchLM | TokenLM:
        """Load the language model. Raises CheckpointError."""
        if patch == 1:
            return checkpoint.load_token_model(self.directory)
        return checkpoint.load_patch_model(self.directory, patch)

    def vocoder(self) -> Vocoder | None:
        """Load the vocoder, if the checkpoint has one. Raises CheckpointError."""
        return None if self.config(1).vocoder is None else checkpoint.load_vocoder(self.directory)

    def _auxiliary(self, config: ModelConfig, encoders: bool, listener: bool) -> list[GraphPlan]:
        directory, vocoder, width = self.directory, self.config(1).vocoder, config.speaker
        if vocoder is None:
            return []
        plans = []
        if encoders:
            plans.append(auxiliary_plan(
                "speaker_encoder", lambda: SpeakerEncoderGraph(checkpoint.load_speaker_encoder(directory, width)), width))
            plans.append(auxiliary_plan(
                "speech_tokenizer", lambda: SpeechTokenizerGraph(checkpoint.load_codec_encoder(directory, vocoder)), width))
        if listener:
            plans.append(auxiliary_plan(
                "listener", lambda: ListenerGraph(checkpoint.load_listener(directory, vocoder)), width))
        return plans

    def _copy_files(self, width: int, bundle: Path) -> dict[str, str]:
        voices = {path.stem: path for path in sorted((self.directory / checkpoint.VOICES).glob("*.npz"))}
        if self.card.default_voice not in voices:
            raise CheckpointError(f"{self.directory} names {self.card.default_voice!r} as its default voice; it holds "
                                  f"{', '.join(voices) or 'none'}.")
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


class PresetSource(ModelSource):
    """Random weights at a preset's sizes: to measure speed and memory without a checkpoint."""

    def __init__(self, name: str, seed: int = 0) -> None:
        if name not in PRESETS:
            raise OptionError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
        self._name = name
        self._seed = seed
        self.card = VoiceCard(default_voice="", licence="random weights, no licence needed")

    @property
    def name(self) -> str:
        return self._name

    def load(self, patch: int) -> LoadedModel:
        model, vocoder = self.model(patch), self.vocoder()
        return LoadedModel(
            model=model, card=self.card, sampling=self.card.sampling, text="none", copy_files=lambda bundle: {},
            utterances=lambda text: random_ids(UTTERANCES, model.config.vocabulary.text),
            vocoder=None if vocoder is None else StreamingVocoderParts(vocoder, model.config.speaker))

    def config(self, patch: int) -> ModelConfig:
        """Return the preset's sizes at a patch size. Raises OptionError."""
        if not 1 <= patch <= MAX_PATCH:
            raise OptionError(f"A patch has 2 to {MAX_PATCH} tokens, not {patch}.")
        return PRESETS[self._name](patch)

    def model(self, patch: int) -> PatchLM | TokenLM:
        """Initialise the language model. Raises OptionError."""
        torch.manual_seed(self._seed)
        config = self.config(patch)
        model = TokenLM(config) if patch == 1 else PatchLM(config)
        return model.eval().requires_grad_(False)

    def vocoder(self) -> Vocoder | None:
        """Initialise the vocoder, if the preset has one."""
        config = self.config(1)
        if config.vocoder is None:
            return None
        torch.manual_seed(self._seed)
        return build_vocoder(config.vocoder, config.speaker).eval().requires_grad_(False)


def open_source(checkpoint_name: str | None, preset: str | None, backbone: Path | None = None,
                llm: str | None = None) -> ModelSource:
    """Open the source that the options name: a directory, `embedded` (also where all are unset), a preset.

    A CosyVoice3 directory is read as it was downloaded, as the checkpoint itself or as the backbone of TLDR weights.

    Args:
        checkpoint_name: directory, `embedded`, or a preset's name.
        preset: a preset's name, in place of a checkpoint.
        backbone: CosyVoice3's directory that the checkpoint was trained on.
        llm: file of CosyVoice3's language model in its directory; None for `llm.pt`.

    Raises:
        CheckpointError: there is no such checkpoint, or it is incomplete.
        OptionError: both were given, or there is no such preset.
    """
    if preset is not None:
        if checkpoint_name is not None:
            raise OptionError("Give either --checkpoint or --preset, not both.")
        return PresetSource(preset)
    found = find_checkpoint(checkpoint_name, backbone)
    cosyvoice = found if backbone is None else backbone
    if cosyvoice is not None and (backbone is not None or is_cosyvoice(cosyvoice)):
        from export.checkpoints.cosyvoice.source import CosyVoiceSource

        tldr = None if backbone is None or checkpoint_name is None else found
        return CosyVoiceSource(cosyvoice, tldr, llm)
    if llm is not None:
        raise OptionError("--llm chooses the language model of a CosyVoice3 directory; leave it out for other checkpoints.")
    return PresetSource(checkpoint_name or EMBEDDED) if found is None else CheckpointSource(found)
