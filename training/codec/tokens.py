"""The codec writes down every utterance as tokens: mel frames cut to whole ones, phonemes aligned to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from export.model.encoders import CodecEncoder
from runtime.cloning.encoders import QUIET, TAIL_FRAMES
from runtime.text.phonemes import to_ids
from training.codec.final_vowel import without_final_vowel
from training.data.shards import read_folder
from training.data.token_file import TokenizedUtterance

UNITS_PER_TOKEN = 40 / 25
"""The teacher's duration units (40 Hz) in a token (25 Hz)."""


def trim(mels: np.ndarray, stride: int) -> np.ndarray:
    """Cut trailing silence to TAIL_FRAMES and the rest to whole tokens: [F, 80] to [stride * T, 80]."""
    loud = np.flatnonzero(mels.max(axis=1) > QUIET)
    last = int(loud[-1]) + 1 + TAIL_FRAMES if len(loud) else stride
    frames = min(len(mels), last)
    return mels[:frames - frames % stride]


def align(durations: np.ndarray, lead: int, tokens: int) -> np.ndarray:
    """Index of the phoneme that sounds at the middle of each token; the silence before the first counts as the first."""
    ends = lead + np.cumsum(durations)
    middles = (np.arange(tokens) + 0.5) * UNITS_PER_TOKEN
    return np.minimum(np.searchsorted(ends, middles, side="right"), len(durations) - 1)


class Trimmed(NamedTuple):
    """One utterance before the codec: mel frames [stride * T, 80], and the phoneme of each token [T]."""

    note: dict[str, str]
    ids: list[int]
    mels: np.ndarray
    aligned: np.ndarray


@torch.inference_mode()
def as_tokens(mels: Path, encoder: CodecEncoder, batch: int = 32) -> list[TokenizedUtterance]:
    """All utterances of `mels` whose every phoneme has an id."""
    encoder.eval()
    made: list[TokenizedUtterance] = []
    for group in _groups(_trimmed(mels, encoder.stride), batch):
        padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(each.mels).float() for each in group], batch_first=True,
                                                 padding_value=float(group[0].mels.min()))
        for each, row in zip(group, encoder.codes(padded), strict=True):
            codes, aligned = row[:len(each.aligned)].clone(), torch.from_numpy(each.aligned)
            made.append(TokenizedUtterance(each.note["text"], each.note["voice"], torch.tensor(each.ids), codes, aligned))
    return made


def _trimmed(folder: Path, stride: int) -> Iterator[Trimmed]:
    for note, utterance in read_folder(folder):
        ids, lead = to_ids(note["phonemes"]), int(utterance["silence"][0])
        if len(ids) == len(utterance["durations"]):
            mels, durations = without_final_vowel(utterance["mels"], ids, utterance["durations"], lead)
            mels = trim(mels, stride)
            yield Trimmed(note, ids, mels, align(durations, lead, len(mels) // stride))


def _groups(items: Iterable[Trimmed], size: int) -> Iterator[list[Trimmed]]:
    group = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
