"""Recipe of the next embedded voice: sentences and lengths of each stage, and the results of finished stages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import torch

from export.checkpoints.embedded import (
    LISTENER,
    can_clone,
    load_codec_encoder,
    load_listener,
    load_speaker_encoder,
    load_token_model,
    load_vocoder,
    patch_sizes,
)
from export.model.config import SPECTRAL_VOCODER, ModelConfig, embedded
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.language_model import PatchLM, TokenLM
from export.model.listener import Listener
from export.model.spectral.vocoder import SpectralVocoder
from export.model.vocoder import Vocoder
from runtime.errors import OptionError
from training.codec.feature_codec import FeatureEncoder
from training.data import text
from training.data.token_file import TOKENS
from training.heart.voices import TEACHER, VOICES, changes, speakers
from training.language_model import patch_level, token_level
from training.language_model.averaging import average_into
from training.language_model.prompts import Ids, voice_ids
from training.language_model.structured import flatten
from training.loop import CPU
from training.vocoder.spectral import averaged


@dataclass(frozen=True)
class HeartRecipe:
    """Everything a rerun needs; `work` keeps corpora and runs, `target` is the checkpoint."""

    work: Path
    target: Path
    fortunes: Path = Path("/usr/share/games/fortunes")
    patch: int = 4
    start: Path | None = None
    """A checkpoint from which language models start; what was not trained here is taken from it. None: from scratch."""
    average_with: tuple[Path, ...] = ()
    """Checkpoints, of other rounds, whose TLDR parts are averaged with this run's when it is packaged."""
    templated_sentences: int = 6000
    fragments: int = 2500
    """Utterances of one to three words, read after all sentences."""
    plosives: int = 900
    """Words alone that end in plosives, read last."""
    codec_steps: int = 2500
    stack_steps: int = 3000
    joint_steps: int = 4000
    decoder_steps: int = 2000
    """Of the decoder alone, once its codes are fixed."""
    listener_steps: int = 1500
    recordings: int = 800
    """Sentences that the teacher's voices read aloud, for the encoders of recordings."""
    speaker_steps: int = 300
    encoder_steps: int = 800
    epochs: float = 1.7
    """Of the language models, through the corpus."""
    threads: int = 2
    seed: int = 0
    device: torch.device = CPU

    @cached_property
    def sentences(self) -> list[str]:
        """All sentences in the order in which they are read, fragments of them and single words last."""
        found = text.sentences(self.fortunes, self.templated_sentences, self.seed)
        random.Random(self.seed).shuffle(found)
        return [*found, *text.fragments(found, self.fragments, self.seed), *text.last_plosives(found, self.plosives, self.seed)]

    @property
    def speakers(self) -> dict[str, torch.Tensor]:
        """Speaker embedding of each voice."""
        return speakers(embedded().speaker)

    @property
    def voice_ids(self) -> Ids:
        """Text id of the voice whose tokens all voices speak."""
        return voice_ids((TEACHER,))

    @property
    def decoder_run(self) -> str | None:
        """The last run that trained a decoder here; None where the start checkpoint's stays."""
        run = next((run for run in ("spectral_decoder", "spectral_vocoder") if (self.work / run).exists()), None)
        return run if run is not None or self.start is not None else "spectral_vocoder"

    def state(self, run: str, part: str) -> Any:
        """State dict of one part of a finished run."""
        return torch.load(self.work / run / "state.pt", map_location="cpu", weights_only=True)[part]

    def feature_encoder(self) -> FeatureEncoder:
        """The codec's encoder, which fixes the codes."""
        encoder = FeatureEncoder(SPECTRAL_VOCODER)
        encoder.load_state_dict(averaged(self.state("spectral_vocoder", "average"), "encoder"))
        return encoder.eval()

    def recording_encoder(self) -> CodecEncoder | None:
        """The codec's encoder for recordings; where none was trained, that of the start checkpoint, if it has one."""
        if self.start is not None and not (self.work / "encoder").exists():
            return load_codec_encoder(self.start, SPECTRAL_VOCODER) if can_clone(self.start) else None
        encoder = CodecEncoder(SPECTRAL_VOCODER)
        encoder.load_state_dict(self.state("encoder", "encoder"))
        return encoder.eval()

    def listener(self) -> Listener | None:
        """The trained listener; where none was trained, that of the start checkpoint, if it has one."""
        if self.start is not None and not (self.work / "listener").exists():
            return load_listener(self.start, SPECTRAL_VOCODER) if (self.start / LISTENER).exists() else None
        listener = Listener(SPECTRAL_VOCODER)
        listener.load_state_dict(self.state("listener", "listener"))
        return listener.eval()

    def speaker_encoder(self) -> SpeakerEncoder | None:
        """The trained speaker encoder; where none was trained, that of the start checkpoint, if it has one."""
        if self.start is not None and not (self.work / "speaker_encoder").exists():
            return load_speaker_encoder(self.start, self.patch_config.speaker) if can_clone(self.start) else None
        encoder = SpeakerEncoder(self.patch_config.speaker)
        encoder.load_state_dict(self.state("speaker_encoder", "encoder"))
        return encoder.eval()

    def vocoder(self) -> Vocoder:
        """The trained decoder with all voices; where none was trained, that of the start checkpoint."""
        if self.decoder_run is None:
            assert self.start is not None
            return load_vocoder(self.start)
        decoder = SpectralVocoder(SPECTRAL_VOCODER, self.patch_config.speaker)
        decoder.load_state_dict(averaged(self.state(self.decoder_run, "average"), "vocoder"))
        decoder.change.set_voices(torch.stack([self.speakers[name] for name in VOICES]), changes())
        return decoder.eval()

    def tokens(self) -> Path:
        """Token file of the language models: this run's, or else that of the checkpoint to continue from."""
        own = self.work / TOKENS
        return own if self.start is None or own.exists() else self.start / TOKENS

    def token_model(self) -> TokenLM:
        """The trained token-level model, its vocabulary matrices folded to plain tables; where none was trained, the one to go
        on from."""
        if self.start is not None and not (self.work / "token_level").exists():
            return load_token_model(self.start)
        model = token_level.build(self.token_config, self.seed)
        model.load_state_dict(self.state("token_level", "model"))
        flatten(model)
        return model.eval()

    def patch_model(self) -> PatchLM:
        """The trained TLDR model of this recipe's patch size, adapters unmerged. OptionError where it cannot be averaged."""
        model = patch_level.build(self.patch_config, self.token_model(), self.seed)
        model.load_state_dict(self.state(f"patch_{self.patch}", "model"))
        flatten(model)
        average_into(model, map(self._patch_model_of, self.average_with))
        patch_level.keep_direction(model, self.speakers[TEACHER])
        return model.eval()

    def _patch_model_of(self, checkpoint: Path) -> PatchLM:
        if self.patch not in patch_sizes(checkpoint):
            raise OptionError(f"{checkpoint} has no TLDR of patch size {self.patch} to average with; name one that has.")
        model = patch_level.build(self.patch_config, self.token_model(), self.seed, checkpoint)
        flatten(model)
        return model

    @property
    def token_config(self) -> ModelConfig:
        return msgspec.structs.replace(embedded(1), vocoder=SPECTRAL_VOCODER)

    @property
    def patch_config(self) -> ModelConfig:
        return msgspec.structs.replace(embedded(self.patch), vocoder=SPECTRAL_VOCODER)
