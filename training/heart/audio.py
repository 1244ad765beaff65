"""The teacher's voices read sentences aloud, for what listens to recordings: samples, and digits of the codec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.codec.feature_codec import FeatureEncoder
from training.data.prosody import ProsodyUtterance
from training.data.shards import Utterance, write_shard
from training.data.text import split_of
from training.heart.speech import TeacherSpeech
from training.heart.tokens import spoken_tokens
from training.heart.voices import VOICES
from training.hibari import FRAME_HOP

SHARD = 100
"""Utterances per shard."""


def record_voices(folder: Path, utterances: Sequence[ProsodyUtterance], encoder: FeatureEncoder, mean: Tensor,
                  deviation: Tensor) -> Iterator[int]:
    """Write shards of `samples` int16 [960 T] at 24 kHz and `latents` float16 [T, 8], the encoder's digits before rounding;
    voices take turns. Yields the number of utterances done."""
    speech, names = TeacherSpeech(), list(VOICES)
    for start in range(0, len(utterances), SHARD):
        path = folder / f"voices-{start:06d}.safetensors"
        group = utterances[start:start + SHARD]
        if not path.exists():
            voices = [names[place % len(names)] for place in range(start, start + len(group))]
            made = [_recorded(each, place, voice, speech, encoder, mean, deviation)
                    for place, (each, voice) in enumerate(zip(group, voices, strict=True), start)]
            write_shard(path, made, [{"text": each.text, "voice": voice, "split": split_of(each.text)}
                                     for each, voice in zip(group, voices, strict=True)])
        yield start + len(group)


@torch.inference_mode()
def _recorded(utterance: ProsodyUtterance, place: int, voice: str, speech: TeacherSpeech, encoder: FeatureEncoder,
              mean: Tensor, deviation: Tensor) -> Utterance:
    """One utterance, cut where a token begins in one of all possible places: recordings have no grid of tokens."""
    stride, features = encoder.stride, utterance.features()
    kept = spoken_tokens(utterance, stride)
    first = kept.start * stride + place // len(VOICES) % stride
    frames = (min(kept.stop * stride, utterance.frames) - first) // stride * stride
    cut = ((features - mean) / deviation)[None, first:first + frames]
    latents = encoder.quantise.bound(encoder.latents(cut))[0]
    samples = speech.speak(features.numpy(), utterance.pitch, VOICES[voice])
    begin = max(0, first * FRAME_HOP - FRAME_HOP // 2)
    samples = np.pad(samples, (0, FRAME_HOP))[begin:begin + frames * FRAME_HOP]
    return {"samples": (samples * 32767).astype(np.int16), "latents": latents.numpy().astype(np.float16)}
