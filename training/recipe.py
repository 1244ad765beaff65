"""Recipe of the embedded voice: sentences, voices and lengths of each stage, and the results of finished stages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from export.checkpoints.embedded import (
    CODEC_ENCODER,
    LISTENER,
    load_codec_encoder,
    load_listener,
    load_speaker_encoder,
    load_token_model,
    load_vocoder,
    patch_sizes,
)
from export.model.config import EMBEDDED_VOCODER, ModelConfig, embedded
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.language_model import PatchLM, TokenLM
from export.model.listener import Listener
from export.model.vocoder import StreamingVocoder, Vocoder
from runtime.errors import OptionError
from training.codec.codec import Codec, MelDecoder
from training.codec.recogniser import MelRecogniser
from training.codec.student import Student
from training.data import text
from training.data.token_file import TOKENS
from training.data.voices import speaker_embedding
from training.language_model import patch_level, token_level
from training.language_model.averaging import average_into
from training.language_model.prompts import Ids, voice_ids
from training.language_model.structured import flatten
from training.loop import CPU


@dataclass(frozen=True)
class Recipe:
    """Everything a rerun needs; `work` keeps corpora and runs, `target` is the checkpoint."""

    work: Path
    target: Path
    fortunes: Path = Path("/usr/share/games/fortunes")
    patch: int = 4
    start: Path | None = None
    """A checkpoint from which codec decoder, waveform decoder and language models start; None: everything from scratch."""
    average_with: tuple[Path, ...] = ()
    """Checkpoints, of other rounds, whose TLDR parts are averaged with this run's when it is packaged."""
    voices: dict[str, str] = field(default_factory=lambda: {"kumo": "jm_kumo", "alpha": "jf_alpha", "nezumi": "jf_nezumi"})
    """Our name of each voice to the teacher's; the first is the default."""
    templated_sentences: int = 3000
    fragments: int = 1500
    """Utterances of one to three words, read after all sentences and never in full."""
    plosives: int = 900
    """Words alone that end in plosives, read last."""
    audio_sentences: int = 2200
    mel_sentences: int | None = None
    speaker_steps: int = 300
    student_steps: int = 3500
    recogniser_steps: int = 800
    trunk_steps: int = 1500
    codec_steps: int = 4000
    listener_steps: int = 1500
    encoder_steps: int = 500
    vocoder_steps: int = 1800
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
        """Speaker embedding of each of the teacher's voices."""
        width = embedded().speaker
        return {teacher: torch.from_numpy(speaker_embedding(teacher, width)) for teacher in self.voices.values()}

    @property
    def voice_ids(self) -> Ids:
        """Text id of each of the teacher's voices."""
        return voice_ids(tuple(self.voices.values()))

    def state(self, run: str, part: str) -> Any:
        """State dict of one part of a finished run."""
        return torch.load(self.work / run / "state.pt", map_location="cpu", weights_only=True)[part]

    def encoder(self) -> CodecEncoder:
        """The trained codec encoder: this run's, or where none was trained the checkpoint's."""
        if not (self.work / "codec").exists():
            return load_codec_encoder(self.target if self.start is None else self.start, EMBEDDED_VOCODER)
        return self._encoder("codec")

    def _encoder(self, run: str) -> CodecEncoder:
        found = CodecEncoder(EMBEDDED_VOCODER)
        found.load_state_dict(self.state(run, "encoder"))
        return found.eval()

    def recording_encoder(self) -> CodecEncoder:
        """The codec encoder that also knows real recordings, where it was trained: what is shipped."""
        return self._encoder("encoder") if (self.work / "encoder").exists() else self.encoder()

    def student(self) -> Student:
        """The trained student."""
        maker = Student()
        maker.load_state_dict(self.state("student", "student"))
        return maker.eval()

    def first_codec(self) -> Codec | None:
        """The codec to continue: this run's with a retrained decoder, or the checkpoint's; None: from scratch."""
        if self.start is None:
            return None
        known = (self.start / CODEC_ENCODER).exists()
        encoder = load_codec_encoder(self.start, EMBEDDED_VOCODER) if known else CodecEncoder(EMBEDDED_VOCODER)
        decoder = MelDecoder(EMBEDDED_VOCODER, self.patch_config.speaker)
        if (self.work / "trunk").exists():
            decoder.load_state_dict(self.state("trunk", "decoder"))
        else:
            decoder.trunk.load_state_dict(load_vocoder(self.start).trunk.state_dict())
        return Codec(encoder, decoder)

    def trunk(self) -> dict[str, torch.Tensor]:
        """The decoder trunk that the codec trained, or where none was trained that of the start checkpoint."""
        trained = next((run for run in ("codec", "trunk") if (self.work / run).exists()), None)
        if self.start is not None and trained is None:
            return dict(load_vocoder(self.start).trunk.state_dict())
        return {name.removeprefix("trunk."): weight for name, weight in self.state(trained or "codec", "decoder").items()
                if name.startswith("trunk.")}

    def recogniser(self) -> MelRecogniser:
        """The trained recogniser of phonemes."""
        recogniser = MelRecogniser()
        recogniser.load_state_dict(self.state("recogniser", "recogniser"))
        return recogniser.eval()

    def listener(self) -> Listener | None:
        """The trained listener; where none was trained, that of the start checkpoint, if it has one."""
        if self.start is not None and not (self.work / "listener").exists():
            return load_listener(self.start, EMBEDDED_VOCODER) if (self.start / LISTENER).exists() else None
        listener = Listener(EMBEDDED_VOCODER)
        listener.load_state_dict(self.state("listener", "listener"))
        return listener.eval()

    def speaker_encoder(self) -> SpeakerEncoder:
        """The trained speaker encoder; where none was trained, that of the start checkpoint."""
        if self.start is not None and not (self.work / "speaker_encoder").exists():
            return load_speaker_encoder(self.start, self.patch_config.speaker)
        encoder = SpeakerEncoder(self.patch_config.speaker)
        encoder.load_state_dict(self.state("speaker_encoder", "encoder"))
        return encoder.eval()

    def vocoder(self) -> Vocoder:
        """The trained waveform decoder; where none was trained, that of the start checkpoint."""
        if self.start is not None and not (self.work / "vocoder").exists():
            return load_vocoder(self.start)
        decoder = StreamingVocoder(EMBEDDED_VOCODER, self.patch_config.speaker)
        decoder.load_state_dict(self.state("vocoder", "vocoder"))
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
        return model.eval()

    def _patch_model_of(self, checkpoint: Path) -> PatchLM:
        if self.patch not in patch_sizes(checkpoint):
            raise OptionError(f"{checkpoint} has no TLDR of patch size {self.patch} to average with; name one that has.")
        model = patch_level.build(self.patch_config, self.token_model(), self.seed, checkpoint)
        flatten(model)
        return model

    @property
    def token_config(self) -> ModelConfig:
        return embedded(1)

    @property
    def patch_config(self) -> ModelConfig:
        return embedded(self.patch)
