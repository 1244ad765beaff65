"""Stages of the next embedded voice: prosody corpus, feature codec, frame stack, and all of them on waveforms.

Each leaves a folder of `Recipe.work` and resumes where it stopped. The language models follow as for the present voice. These
stages are on request until that voice is finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from export.model.config import SPECTRAL_VOCODER
from export.model.spectral.vocoder import SpectralVocoder
from runtime.text.phonemes import Phonemizer
from training.codec.feature_codec import PHONEMES, FeatureEncoder, feature_statistics, train_feature_codec
from training.data.prosody import ProsodyUtterance, load_prosody, render_prosody
from training.hibari import Front, load_decoder
from training.vocoder.spectral import copy_teacher, train_spectral_vocoder, train_stack

if TYPE_CHECKING:
    from training.recipe import Recipe

VOICE = "heart"
STACK_STEPS, CODEC_STEPS, JOINT_STEPS = 3000, 2500, 4000


def run_prosody(recipe: Recipe) -> None:
    """Durations, F0, energy and text vectors of all sentences."""
    phonemizer, front = Phonemizer.load(recipe.target / "text"), Front(recipe.work / "hibari")
    for _ in render_prosody(recipe.work / "prosody", recipe.sentences, phonemizer.phonemes, front, VOICE):
        pass


def run_feature_codec(recipe: Recipe) -> None:
    """Encoder and token trunk."""
    utterances = _utterances(recipe)
    vocoder = first_vocoder(recipe, utterances)
    train_feature_codec(utterances, vocoder, recipe.work / "feature_codec", CODEC_STEPS, seed=recipe.seed)


def run_spectral_stack(recipe: Recipe) -> None:
    """Frame stack from the teacher's features; needs no codec."""
    utterances = _utterances(recipe)
    vocoder = first_vocoder(recipe, utterances)
    train_stack(utterances, vocoder, recipe.work / "spectral_stack", STACK_STEPS, seed=recipe.seed)


def run_spectral_vocoder(recipe: Recipe) -> None:
    """Codec and decoder together, on waveforms."""
    utterances = _utterances(recipe)
    vocoder, encoder = first_vocoder(recipe, utterances), FeatureEncoder(SPECTRAL_VOCODER)
    head = nn.Linear(SPECTRAL_VOCODER.token_width, SPECTRAL_VOCODER.frames_per_token * PHONEMES)
    for part, run, name in ((encoder, "feature_codec", "encoder"), (vocoder.trunk, "feature_codec", "trunk"),
                            (head, "feature_codec", "phonemes"), (vocoder.stack, "spectral_stack", "stack")):
        part.load_state_dict(recipe.state(run, name))
    train_spectral_vocoder(utterances, encoder, head, vocoder, recipe.work / "spectral_vocoder", JOINT_STEPS, seed=recipe.seed)


def first_vocoder(recipe: Recipe, utterances: list[ProsodyUtterance]) -> SpectralVocoder:
    """A decoder that starts from the teacher's weights and knows the corpus' feature statistics."""
    torch.manual_seed(recipe.seed)
    vocoder = SpectralVocoder(SPECTRAL_VOCODER, recipe.patch_config.speaker)
    copy_teacher(vocoder, load_decoder())
    mean, deviation = feature_statistics(utterances)
    vocoder.stack.mean.copy_(mean)
    vocoder.stack.deviation.copy_(deviation)
    return vocoder


def _utterances(recipe: Recipe) -> list[ProsodyUtterance]:
    return load_prosody(recipe.work / "prosody", "train")
