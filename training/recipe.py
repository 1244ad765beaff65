"""The embedded voice's recipe: which sentences, voices and lengths each stage uses, and the stages in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch

from export.checkpoint import (
    CODEC_ENCODER,
    VoiceCard,
    load_codec_encoder,
    load_token_model,
    load_vocoder,
    save_card,
    save_codec_encoder,
    save_patch_model,
    save_speaker_encoder,
    save_token_model,
    save_vocoder,
    save_voice,
)
from export.model.config import EMBEDDED_VOCODER, ModelConfig, embedded
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.language_model import PatchLM, TokenLM
from export.model.vocoder import StreamingVocoder
from training import (
    codec,
    corpus,
    frontend,
    patch_level,
    recogniser,
    speaker_encoder,
    student,
    text,
    token_level,
    tokens,
    vocoder,
)
from training.spectrograms import Spectrogram, made_by_student, spoken_by_teacher
from training.structured import flatten
from training.voices import speaker_embedding

LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Recipe:
    """Everything a rerun needs; `work` keeps corpora and runs, `target` is the checkpoint."""

    work: Path
    target: Path
    fortunes: Path = Path("/usr/share/games/fortunes")
    patch: int = 4
    start: Path | None = None
    """A checkpoint from which codec decoder, waveform decoder and language models go on; None: everything from scratch."""
    voices: dict[str, str] = field(default_factory=lambda: {"kumo": "jm_kumo", "alpha": "jf_alpha", "nezumi": "jf_nezumi"})
    """Our name of each voice to the teacher's; the first is the default."""
    templated_sentences: int = 3000
    audio_sentences: int = 900
    mel_sentences: int | None = None
    speaker_steps: int = 300
    student_steps: int = 700
    recogniser_steps: int = 800
    codec_steps: int = 4000
    vocoder_steps: int = 1500
    token_epochs: float = 1.7
    patch_epochs: float = 1.7
    threads: int = 2
    seed: int = 0

    @cached_property
    def sentences(self) -> list[str]:
        """All sentences in the order in which they are read."""
        found = text.sentences(self.fortunes, self.templated_sentences, self.seed)
        random.Random(self.seed).shuffle(found)
        return found

    @property
    def speakers(self) -> dict[str, torch.Tensor]:
        """Speaker embedding of each of the teacher's voices."""
        width = embedded().speaker
        return {teacher: torch.from_numpy(speaker_embedding(teacher, width)) for teacher in self.voices.values()}

    def state(self, run: str, part: str) -> Any:
        """State dict of one part of a finished run."""
        return torch.load(self.work / run / "state.pt", weights_only=True)[part]

    def encoder(self) -> CodecEncoder:
        """The trained codec encoder: this run's, or where none was trained the checkpoint's."""
        if not (self.work / "codec").exists():
            return load_codec_encoder(self.target, EMBEDDED_VOCODER)
        encoder = CodecEncoder(EMBEDDED_VOCODER)
        encoder.load_state_dict(self.state("codec", "encoder"))
        return encoder.eval()

    def trunk(self) -> dict[str, torch.Tensor]:
        """The decoder trunk that the codec trained, or where none was trained the one to go on from."""
        if self.start is not None and not (self.work / "codec").exists():
            return dict(load_vocoder(self.start).trunk.state_dict())
        return {name.removeprefix("trunk."): weight for name, weight in self.state("codec", "decoder").items()
                if name.startswith("trunk.")}

    def recogniser(self) -> recogniser.Recogniser:
        """The trained recogniser of phonemes."""
        listener = recogniser.Recogniser()
        listener.load_state_dict(self.state("recogniser", "recogniser"))
        return listener.eval()

    def speaker_encoder(self) -> SpeakerEncoder:
        """The trained speaker encoder."""
        encoder = SpeakerEncoder(self.patch_config.speaker)
        encoder.load_state_dict(self.state("speaker_encoder", "encoder"))
        return encoder.eval()

    def token_model(self) -> TokenLM:
        """The trained token-level model, its vocabulary matrices folded to plain tables."""
        model = token_level.build(self.token_config, self.seed)
        model.load_state_dict(self.state("token_level", "model"))
        flatten(model)
        return model.eval()

    def patch_model(self) -> PatchLM:
        """The trained TLDR model of this recipe's patch size, adapters unmerged."""
        model = patch_level.build(self.patch_config, self.token_model(), self.seed)
        model.load_state_dict(self.state(f"patch_{self.patch}", "model"))
        flatten(model)
        return model.eval()

    @property
    def token_config(self) -> ModelConfig:
        return embedded(1)

    @property
    def patch_config(self) -> ModelConfig:
        return embedded(self.patch)


def run_frontend(recipe: Recipe) -> None:
    """Compile the dictionary and the letter model into the checkpoint."""
    frontend.build(recipe.target / "text")


def run_audio(recipe: Recipe) -> None:
    """The teacher reads the first sentences in full."""
    _render(recipe, "audio", recipe.sentences[:recipe.audio_sentences], with_audio=True, make_render=corpus.keep_audio)


def run_speaker_encoder(recipe: Recipe) -> None:
    """Recordings to the embeddings that the voices' names give."""
    speaker_encoder.train_speaker_encoder(recipe.work / "audio", recipe.speakers, recipe.work / "speaker_encoder",
                                          recipe.speaker_steps, seed=recipe.seed)


def run_student(recipe: Recipe) -> None:
    """The student learns to replace the teacher's generator."""
    student.train_student(recipe.work / "audio", recipe.work / "student", recipe.student_steps, batch=16, seed=recipe.seed)


def run_mels(recipe: Recipe) -> None:
    """The teacher reads everything, through the student."""
    _render(recipe, "mels", recipe.sentences[:recipe.mel_sentences], with_audio=False,
            make_render=partial(student.RenderMels, recipe.work / "student"))


def run_recogniser(recipe: Recipe) -> None:
    """Phonemes off mel frames."""
    made, (said, held_out) = _made(recipe), (_said(recipe, split) for split in ("train", "validation"))
    recogniser.train_recogniser([*made, *said], held_out, recipe.work / "recogniser", recipe.recogniser_steps, seed=recipe.seed)


def run_codec(recipe: Recipe) -> None:
    """Encoder and mel decoder."""
    start = None
    if recipe.start is not None:
        has_encoder = (recipe.start / CODEC_ENCODER).exists()
        encoder = load_codec_encoder(recipe.start, EMBEDDED_VOCODER) if has_encoder else None
        start = encoder, load_vocoder(recipe.start).trunk
    codec.train_codec(_made(recipe), _said(recipe, "train"), recipe.recogniser(), recipe.work / "codec", EMBEDDED_VOCODER,
                      recipe.codec_steps, start, seed=recipe.seed)


def run_tokens(recipe: Recipe) -> None:
    """Everything becomes tokens."""
    tokens.write_tokens(recipe.work / "mels", recipe.work / "tokens.safetensors", recipe.encoder())


def run_vocoder(recipe: Recipe) -> None:
    """Tokens to samples."""
    teacher = student.Student().eval()
    teacher.load_state_dict(recipe.state("student", "student"))
    recordings = vocoder.load_recordings(recipe.work / "audio", teacher, recipe.encoder(), recipe.speakers)
    vocoder.train_vocoder(recordings, recipe.trunk(), recipe.recogniser(), recipe.work / "vocoder", EMBEDDED_VOCODER,
                          recipe.vocoder_steps, None if recipe.start is None else load_vocoder(recipe.start).head.state_dict(),
                          seed=recipe.seed)


def run_token_level(recipe: Recipe) -> None:
    """The baseline, and TLDR's backbone."""
    train, held_out = (tokens.read_tokens(recipe.work / "tokens.safetensors", split) for split in ("train", "validation"))
    start = None if recipe.start is None else load_token_model(recipe.start)
    token_level.train_token_level(train, held_out, recipe.work / "token_level", recipe.token_config, recipe.token_epochs,
                                  start, seed=recipe.seed)


def run_patch_level(recipe: Recipe) -> None:
    """TLDR at the recipe's patch size."""
    train, held_out = (tokens.read_tokens(recipe.work / "tokens.safetensors", split) for split in ("train", "validation"))
    patch_level.train_patch_level(train, held_out, recipe.speakers, recipe.work / f"patch_{recipe.patch}", recipe.patch_config,
                                  recipe.token_model(), recipe.patch_epochs, recipe.start, seed=recipe.seed)


def run_package(recipe: Recipe) -> None:
    """Put what was trained into the checkpoint that `tldr-export` reads."""
    save_token_model(recipe.target, recipe.token_model())
    save_patch_model(recipe.target, recipe.patch_model())
    decoder = StreamingVocoder(EMBEDDED_VOCODER, recipe.patch_config.speaker)
    decoder.load_state_dict(recipe.state("vocoder", "vocoder"))
    save_vocoder(recipe.target, decoder)
    save_codec_encoder(recipe.target, recipe.encoder())
    save_speaker_encoder(recipe.target, recipe.speaker_encoder())
    for name, teacher in recipe.voices.items():
        save_voice(recipe.target, name, recipe.speakers[teacher].numpy())
    save_card(recipe.target, VoiceCard(default_voice=next(iter(recipe.voices)), licence=LICENCE))


STAGES: dict[str, Callable[[Recipe], None]] = {
    "frontend": run_frontend, "audio": run_audio, "speaker-encoder": run_speaker_encoder,
    "student": run_student, "mels": run_mels, "recogniser": run_recogniser, "codec": run_codec,
    "tokens": run_tokens, "vocoder": run_vocoder, "token-level": run_token_level, "patch-level": run_patch_level,
    "package": run_package,
}
"""In the order in which they need each other."""


def _made(recipe: Recipe) -> list[Spectrogram]:
    return made_by_student(recipe.work / "mels", "train", recipe.speakers)


def _said(recipe: Recipe, split: str) -> list[Spectrogram]:
    return spoken_by_teacher(recipe.work / "audio", split, recipe.speakers)


def _render(recipe: Recipe, folder: str, sentences: list[str], *, with_audio: bool,
            make_render: Callable[[], corpus.Render]) -> None:
    from rich.progress import track

    done = corpus.render_shards(recipe.work / folder, sentences, tuple(recipe.voices.values()), recipe.target / "text",
                                recipe.work / "teacher", with_audio=with_audio, make_render=make_render, workers=recipe.threads)
    for _ in track(done, folder, total=-(-len(sentences) // corpus.SHARD)):
        pass
