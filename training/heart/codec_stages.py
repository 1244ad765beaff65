"""Stages of codec and decoder: prosody corpus, feature codec, frame stack, all of them on waveforms, then the decoder alone.

Each leaves a folder of `HeartRecipe.work` and resumes where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from export.model.config import SPECTRAL_VOCODER
from export.model.spectral.vocoder import SpectralVocoder
from runtime.text.phonemes import Phonemizer
from training.codec.feature_codec import PHONEMES, FeatureEncoder, feature_statistics, train_feature_codec
from training.data.prosody import ProsodyUtterance, load_prosody, render_prosody
from training.data.token_file import TOKENS, write_spoken
from training.heart.audio import record_voices
from training.heart.tokens import prosody_tokens
from training.heart.voices import TEACHER
from training.hibari import Front, load_decoder
from training.vocoder.spectral import averaged, copy_teacher, train_spectral_vocoder, train_stack

if TYPE_CHECKING:
    from training.heart.recipe import HeartRecipe

SPLITS = ("train", "validation", "test")
LONGEST, SHORTEST = 600, 60
"""Frames of a sentence that is read aloud."""
CHECKED = 40
"""Recordings of the validation split."""


def run_prosody(recipe: HeartRecipe) -> None:
    """Durations, F0, energy and text vectors of all sentences."""
    phonemizer, front = Phonemizer.load(recipe.target / "text"), Front(recipe.work / "hibari")
    for _ in render_prosody(recipe.work / "prosody", recipe.sentences, phonemizer.phonemes, front, TEACHER):
        pass


def run_feature_codec(recipe: HeartRecipe) -> None:
    """Encoder and token trunk."""
    utterances = _utterances(recipe)
    vocoder = first_vocoder(recipe, utterances)
    train_feature_codec(utterances, vocoder, recipe.work / "feature_codec", recipe.codec_steps, seed=recipe.seed)


def run_spectral_stack(recipe: HeartRecipe) -> None:
    """Frame stack from the teacher's features; needs no codec."""
    utterances = _utterances(recipe)
    vocoder = first_vocoder(recipe, utterances)
    train_stack(utterances, vocoder, recipe.work / "spectral_stack", recipe.stack_steps, seed=recipe.seed)


def run_spectral_vocoder(recipe: HeartRecipe) -> None:
    """Codec and decoder together, on waveforms."""
    utterances = _utterances(recipe)
    vocoder, encoder, head = first_vocoder(recipe, utterances), FeatureEncoder(SPECTRAL_VOCODER), _phoneme_head()
    for part, run, name in ((encoder, "feature_codec", "encoder"), (vocoder.trunk, "feature_codec", "trunk"),
                            (head, "feature_codec", "phonemes"), (vocoder.stack, "spectral_stack", "stack")):
        part.load_state_dict(recipe.state(run, name))
    train_spectral_vocoder(utterances, encoder, head, vocoder, recipe.work / "spectral_vocoder", recipe.joint_steps,
                           seed=recipe.seed)


def run_spectral_decoder(recipe: HeartRecipe) -> None:
    """The decoder alone, its codes fixed: language models may train meanwhile."""
    utterances = _utterances(recipe)
    vocoder, head = first_vocoder(recipe, utterances), _phoneme_head()
    vocoder.load_state_dict(averaged(recipe.state("spectral_vocoder", "average"), "vocoder"))
    head.load_state_dict(averaged(recipe.state("spectral_vocoder", "average"), "phonemes"))
    train_spectral_vocoder(utterances, recipe.feature_encoder(), head, vocoder, recipe.work / "spectral_decoder",
                           recipe.decoder_steps, seed=recipe.seed + 1, fixed_codes=True)


def run_tokens(recipe: HeartRecipe) -> None:
    """Encode the corpus to tokens."""
    encoder, (mean, deviation) = recipe.feature_encoder(), feature_statistics(_utterances(recipe))
    made = [each for split in SPLITS for each in prosody_tokens(load_prosody(recipe.work / "prosody", split), encoder, mean,
                                                                deviation, (TEACHER,))]
    write_spoken(recipe.work / TOKENS, made)


def run_audio(recipe: HeartRecipe) -> None:
    """The teacher's voices read some sentences aloud."""
    train, validation = _utterances(recipe), load_prosody(recipe.work / "prosody", "validation")
    order = np.random.default_rng(recipe.seed).permutation(len(train))
    chosen = [each for each in (train[place] for place in order) if SHORTEST < each.frames <= LONGEST][:recipe.recordings]
    checks = [each for each in validation if SHORTEST < each.frames <= LONGEST][:CHECKED]
    mean, deviation = feature_statistics(train)
    for _ in record_voices(recipe.work / "audio", [*chosen, *checks], recipe.feature_encoder(), mean, deviation):
        pass


def first_vocoder(recipe: HeartRecipe, utterances: list[ProsodyUtterance]) -> SpectralVocoder:
    """A decoder with the teacher's weights and voice alone that knows the corpus' feature statistics."""
    torch.manual_seed(recipe.seed)
    vocoder = SpectralVocoder(SPECTRAL_VOCODER, recipe.patch_config.speaker)
    copy_teacher(vocoder, load_decoder())
    for part in (vocoder.trunk, vocoder.stack):
        nn.init.zeros_(part.speaker.weight)
    mean, deviation = feature_statistics(utterances)
    vocoder.stack.mean.copy_(mean)
    vocoder.stack.deviation.copy_(deviation)
    return vocoder


def _phoneme_head() -> nn.Linear:
    return nn.Linear(SPECTRAL_VOCODER.token_width, SPECTRAL_VOCODER.frames_per_token * PHONEMES)


def _utterances(recipe: HeartRecipe) -> list[ProsodyUtterance]:
    return load_prosody(recipe.work / "prosody", "train")
