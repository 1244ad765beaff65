"""Training data of the language models: the codec tokens and text of every utterance, in one small file.

A checkpoint contains the file, so that another patch size can be trained without the teacher and the codec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from runtime.atomic import atomic_file
from training.data.text import split_of

TOKENS = "tokens.npz"
"""Its name, in a run and in a checkpoint."""


@dataclass(frozen=True)
class TokenizedUtterance:
    """One utterance for a language model: phoneme ids [P], codes [T], and the phoneme's index for each code [T]."""

    text: str
    voice: str
    ids: Tensor
    codes: Tensor
    aligned: Tensor


def write_spoken(path: Path, utterances: Sequence[TokenizedUtterance]) -> None:
    """One compressed file: texts and voices as lines, and all arrays of a kind end to end."""
    lines = "".join(f"{each.voice}\t{each.text}\n" for each in utterances)
    with atomic_file(path) as file:
        np.savez_compressed(
            file, texts=np.frombuffer(lines.encode(), np.uint8),
            id_counts=np.array([len(each.ids) for each in utterances], np.int32),
            code_counts=np.array([len(each.codes) for each in utterances], np.int32),
            ids=torch.cat([each.ids for each in utterances]).numpy().astype(np.uint8),
            codes=torch.cat([each.codes for each in utterances]).numpy().astype(np.int16),
            # Steps of 0 or a few: they take a tenth of the room.
            advances=np.concatenate([np.diff(each.aligned.numpy(), prepend=0) for each in utterances]).astype(np.uint8),
        )


def copy_spoken(source: Path, target: Path) -> None:
    """Copy such a file; nothing where it is there already."""
    if not (target.exists() and target.samefile(source)):
        with atomic_file(target) as file:
            file.write(source.read_bytes())


def read_spoken(path: Path) -> dict[str, list[TokenizedUtterance]]:
    """The utterances of each split (`training.data.text.split_of`), in the order in which they were written."""
    with np.load(path, allow_pickle=False) as found:
        lines = found["texts"].tobytes().decode().splitlines()
        ids = np.split(found["ids"].astype(np.int64), np.cumsum(found["id_counts"])[:-1])
        ends = np.cumsum(found["code_counts"])[:-1]
        codes, advances = (np.split(found[name].astype(np.int64), ends) for name in ("codes", "advances"))
    made: dict[str, list[TokenizedUtterance]] = {"train": [], "validation": [], "test": []}
    for line, *arrays in zip(lines, ids, codes, advances, strict=True):
        voice, text = line.split("\t", 1)
        phonemes, tokens, steps = map(torch.from_numpy, arrays)
        made[split_of(text)].append(TokenizedUtterance(text, voice, phonemes, tokens, steps.cumsum(0)))
    return made
