"""The codec writes down every utterance as tokens: mel frames cut to whole ones, phonemes aligned to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from export.model.encoders import CodecEncoder
from runtime.encoders import QUIET, TAIL_FRAMES
from runtime.text.phonemes import to_ids
from training.shards import Utterance, read_folder
from training.spoken import Spoken

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


@torch.inference_mode()
def as_tokens(mels: Path, encoder: CodecEncoder, batch: int = 32) -> list[Spoken]:
    """All utterances of `mels` whose every phoneme has an id."""
    encoder.eval()
    made: list[Spoken] = []
    for group in _groups(read_folder(mels), batch):
        frames = [trim(u["mels"], encoder.stride) for _, u in group]
        padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(f).float() for f in frames], batch_first=True,
                                                 padding_value=float(frames[0].min()))
        for (text, u), own, row in zip(group, frames, encoder.codes(padded), strict=True):
            ids, count = to_ids(text["phonemes"]), len(own) // encoder.stride
            if len(ids) == len(u["durations"]):
                aligned = align(u["durations"], int(u["silence"][0]), count)
                phonemes, codes = torch.tensor(ids), row[:count].clone()
                made.append(Spoken(text["text"], text["voice"], phonemes, codes, torch.from_numpy(aligned)))
    return made


def _groups(items: Iterable[tuple[dict[str, str], Utterance]], size: int) -> Iterator[list[tuple[dict[str, str], Utterance]]]:
    group = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
