"""The codec writes down every utterance as tokens, beside its phoneme ids and which phoneme each token speaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from export.model.encoders import CodecEncoder
from runtime.encoders import QUIET, TAIL_FRAMES
from runtime.text.phonemes import to_ids
from training.shards import Utterance, read_folder, read_shard, write_shard

UNITS_PER_TOKEN = 40 / 25
"""The teacher's duration units (40 Hz) in a token (25 Hz)."""


@dataclass(frozen=True)
class Spoken:
    """One utterance for a language model: phoneme ids [P], codes [T], and the phoneme's index for each code [T]."""

    text: str
    voice: str
    ids: torch.Tensor
    codes: torch.Tensor
    aligned: torch.Tensor


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
def write_tokens(mels: Path, target: Path, encoder: CodecEncoder, batch: int = 32) -> int:
    """Encode all of `mels` into one file; returns the utterances written."""
    encoder.eval()
    texts: list[dict[str, str]] = []
    arrays: list[Utterance] = []
    for group in _groups(read_folder(mels), batch):
        frames = [trim(u["mels"], encoder.stride) for _, u in group]
        padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(f).float() for f in frames], batch_first=True,
                                                 padding_value=float(frames[0].min()))
        codes = encoder.codes(padded).numpy().astype(np.int16)
        for (text, u), own, row in zip(group, frames, codes, strict=True):
            count = len(own) // encoder.stride
            texts.append(text)
            arrays.append({"ids": np.array(to_ids(text["phonemes"]), np.int16), "codes": row[:count],
                           "aligned": align(u["durations"], int(u["silence"][0]), count).astype(np.int16)})
    write_shard(target, arrays, texts)
    return len(texts)


def read_tokens(path: Path, split: str) -> list[Spoken]:
    """All utterances of a split whose every phoneme has an id."""
    return [Spoken(text["text"], text["voice"], *(torch.from_numpy(u[key]).long() for key in ("ids", "codes", "aligned")))
            for text, u in read_shard(path) if text["split"] == split and len(u["ids"]) == len(to_ids(text["phonemes"]))]


def _groups(items: Iterable[tuple[dict[str, str], Utterance]], size: int) -> Iterator[list[tuple[dict[str, str], Utterance]]]:
    group = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
