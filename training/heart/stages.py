"""The stages of the next embedded voice, in order; each writes a folder of `HeartRecipe.work` and resumes where it stopped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from export.checkpoints.embedded import (
    VoiceCard,
    load_token_model,
    save_card,
    save_codec_encoder,
    save_listener,
    save_patch_model,
    save_speaker_encoder,
    save_token_model,
    save_vocoder,
    save_voice,
)
from export.model.config import SPECTRAL_VOCODER
from runtime.bundle.manifest import Sampling
from training.codec import listener, recording_encoder, speaker_encoder
from training.data import frontend
from training.data.token_file import TOKENS, TokenizedUtterance, copy_spoken, read_spoken
from training.heart import codec_stages
from training.heart.recipe import HeartRecipe
from training.heart.voices import TEACHER, VOICES
from training.language_model import patch_level, token_level
from training.language_model.pace import measured_pace
from training.language_model.prompts import mixed, with_voice_id

LICENCE = "Apache-2.0"
TEMPERATURE = 0.2
"""Of the draw: the paper's 0.7 has so small a model misread more words, and readings differ less by the seed at 0.2 than at 0.4
(model card)."""


def run_frontend(recipe: HeartRecipe) -> None:
    """Compile the dictionary and the letter model into the checkpoint."""
    frontend.build(recipe.target / "text")


def run_listener(recipe: HeartRecipe) -> None:
    """Phonemes off tokens."""
    found = read_spoken(recipe.tokens())
    listener.train_listener(found["train"], found["validation"], recipe.work / "listener", SPECTRAL_VOCODER,
                            recipe.listener_steps, seed=recipe.seed)


def run_speaker_encoder(recipe: HeartRecipe) -> None:
    """Recordings to the embeddings that the voices' names give."""
    heard = {name: recipe.speakers[name] for name in VOICES}
    speaker_encoder.train_speaker_encoder(recipe.work / "audio", heard, recipe.work / "speaker_encoder",
                                          recipe.speaker_steps, seed=recipe.seed)


def run_encoder(recipe: HeartRecipe) -> None:
    """Recordings to tokens."""
    train, held_out = (recording_encoder.load_recordings(recipe.work / "audio", split) for split in ("train", "validation"))
    recording_encoder.train_recording_encoder(train, held_out, recipe.work / "encoder", SPECTRAL_VOCODER, recipe.encoder_steps,
                                              seed=recipe.seed)


def run_token_level(recipe: HeartRecipe) -> None:
    """The baseline, and TLDR's backbone."""
    train, held_out = _read(recipe)
    start = None if recipe.start is None else load_token_model(recipe.start)
    token_level.train_token_level(train, held_out, recipe.work / "token_level", recipe.token_config, recipe.epochs,
                                  start, seed=recipe.seed, device=recipe.device)


def run_patch_level(recipe: HeartRecipe) -> None:
    """TLDR at the recipe's patch size."""
    train, held_out = _read(recipe)
    patch_level.train_patch_level(train, held_out, recipe.speakers, recipe.work / f"patch_{recipe.patch}", recipe.patch_config,
                                  recipe.token_model(), recipe.epochs, recipe.start, seed=recipe.seed,
                                  device=recipe.device)


def run_package(recipe: HeartRecipe) -> None:
    """Put what was trained into the checkpoint that `tldr-export` reads; other patch sizes there are unchanged."""
    save_token_model(recipe.target, recipe.token_model())
    if (recipe.work / f"patch_{recipe.patch}").exists():
        save_patch_model(recipe.target, recipe.patch_model())
    save_vocoder(recipe.target, recipe.vocoder())
    if (codec_encoder := recipe.recording_encoder()) is not None:
        save_codec_encoder(recipe.target, codec_encoder)
    if (speaker := recipe.speaker_encoder()) is not None:
        save_speaker_encoder(recipe.target, speaker)
    if (ear := recipe.listener()) is not None:
        save_listener(recipe.target, ear)
    copy_spoken(recipe.tokens(), recipe.target / TOKENS)
    for name in VOICES:
        save_voice(recipe.target, name, recipe.speakers[name].numpy(), prompt_text_ids=np.array([recipe.voice_ids[TEACHER]]))
    drawn = Sampling(temperature=TEMPERATURE)
    pace = measured_pace([spoken for split in read_spoken(recipe.tokens()).values() for spoken in split])
    save_card(recipe.target, VoiceCard(default_voice=TEACHER, licence=LICENCE, pace=pace, sampling=drawn))


STAGES: dict[str, Callable[[HeartRecipe], None]] = {
    "frontend": run_frontend, "prosody": codec_stages.run_prosody, "feature-codec": codec_stages.run_feature_codec,
    "spectral-stack": codec_stages.run_spectral_stack, "spectral-vocoder": codec_stages.run_spectral_vocoder,
    "spectral-decoder": codec_stages.run_spectral_decoder, "tokens": codec_stages.run_tokens, "listener": run_listener,
    "audio": codec_stages.run_audio, "speaker-encoder": run_speaker_encoder, "encoder": run_encoder,
    "token-level": run_token_level, "patch-level": run_patch_level, "package": run_package,
}
"""In the order in which they need each other."""


def _read(recipe: HeartRecipe) -> tuple[list[TokenizedUtterance], list[TokenizedUtterance]]:
    """Training and validation utterances of the language models."""
    found = read_spoken(recipe.tokens())
    validation = [with_voice_id(u, recipe.voice_ids[u.voice]) for u in found["validation"]]
    return mixed(found["train"], recipe.voice_ids, recipe.seed), validation
