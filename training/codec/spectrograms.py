"""Labelled mel frames of student and teacher, on which recogniser and codec are trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from runtime.text.phonemes import PUNCTUATION, SYMBOLS, to_ids
from training.codec.mel import HOP, MelSpectrogram
from training.data.shards import Utterance, read_folder
from training.data.teacher import DURATION_HOP

UNHEARD = 255
"""Label of frames that no sound of their own belongs to: the teacher gives durations to gaps between words and to stress."""
CROP = 256
"""Mel frames of a training crop (2.56 s)."""

_SILENT = [1 + SYMBOLS.index(symbol) for symbol in PUNCTUATION]
_BETWEEN = [1 + SYMBOLS.index(symbol) for symbol in " ˈˌ"]
Speakers = Mapping[str, Tensor]


class Spectrogram(NamedTuple):
    """One utterance: normalised log-mels float16 [F, 80], the label of each frame uint8 [F] (see `frame_phonemes`), and the
    speaker [Es]."""

    frames: np.ndarray
    phonemes: np.ndarray
    speaker: Tensor


def frame_phonemes(ids: Sequence[int], durations: np.ndarray, lead: int, frames: int) -> np.ndarray:
    """The phoneme id that sounds at the middle of each mel frame uint8 [frames]: 0 in pauses, before the first and after the
    last, UNHEARD where there is none."""
    sounds = np.array([*ids, 0], np.uint8)
    sounds[np.isin(sounds, _SILENT)] = 0
    sounds[np.isin(sounds, _BETWEEN)] = UNHEARD
    ends = lead + np.cumsum(durations)
    middles = (np.arange(frames) + 0.5) * HOP / DURATION_HOP
    return np.where(middles < lead, 0, sounds[np.searchsorted(ends, middles, side="right")]).astype(np.uint8)


def made_by_student(folder: Path, split: str, speakers: Speakers) -> list[Spectrogram]:
    """A split of the corpus `mels`."""
    return [_labelled(note, u, u["mels"], speakers) for note, u in _aligned(folder, split)]


def spoken_by_teacher(folder: Path, split: str, speakers: Speakers) -> list[Spectrogram]:
    """A split of the corpus `audio`."""
    mel = MelSpectrogram()
    return [_labelled(note, u, mel(torch.from_numpy(u["samples"])[None] / 32767)[0].to(torch.float16).numpy(), speakers)
            for note, u in _aligned(folder, split)]


def crops(corpus: Sequence[Spectrogram], batch: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Frames float32 [B, CROP, 80], labels [B, CROP] and speakers [B, Es] of random utterances at random places; utterances
    shorter than a crop are drawn again."""
    rows: list[Spectrogram] = []
    while len(rows) < batch:
        one = corpus[int(rng.integers(len(corpus)))]
        if len(one.frames) >= CROP:
            start = int(rng.integers(len(one.frames) - CROP + 1))
            rows.append(Spectrogram(one.frames[start:start + CROP], one.phonemes[start:start + CROP], one.speaker))
    frames, phonemes, speakers = zip(*rows, strict=True)
    return torch.from_numpy(np.stack(frames)).float(), torch.from_numpy(np.stack(phonemes)), torch.stack(speakers)


def _aligned(folder: Path, split: str) -> Iterator[tuple[dict[str, str], Utterance]]:
    for note, utterance in read_folder(folder):
        if note["split"] == split and len(to_ids(note["phonemes"])) == len(utterance["durations"]):
            yield note, utterance


def _labelled(note: dict[str, str], utterance: Utterance, mels: np.ndarray, speakers: Speakers) -> Spectrogram:
    lead = int(utterance["silence"][0])
    spoken = frame_phonemes(to_ids(note["phonemes"]), utterance["durations"], lead, len(mels))
    return Spectrogram(mels, spoken, speakers[note["voice"]])
