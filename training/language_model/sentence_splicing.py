"""Splice the beginning of one sentence and the end of another, in text and codes.

Programs compose such sentences for robots, and a model trained on whole sentences only has seen none. The cuts are at spaces
between words, without a pause, by the teacher's alignment.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.data.token_file import TokenizedUtterance

SPACE = SYMBOLS.index(" ") + 1


def joints(spoken: TokenizedUtterance) -> list[int]:
    """Indices in `spoken.ids` of the spaces, no punctuation before them, on both sides of which something is spoken."""
    first, last = int(spoken.aligned[0]), int(spoken.aligned[-1])
    pauses = {SYMBOLS.index(mark) + 1 for mark in PUNCTUATION}
    ids = spoken.ids.tolist()
    return [place for place in range(first + 1, last + 1) if ids[place] == SPACE and ids[place - 1] not in pauses]


def spliced(first: TokenizedUtterance, end: int, second: TokenizedUtterance, begin: int) -> TokenizedUtterance:
    """`first` up to its joint `end`, then `second` from its joint `begin`."""
    head, tail = first.aligned < end, second.aligned >= begin
    return TokenizedUtterance(f"{first.text} ... {second.text}", first.voice, torch.cat((first.ids[:end], second.ids[begin:])),
                  torch.cat((first.codes[head], second.codes[tail])),
                  torch.cat((first.aligned[head], second.aligned[tail] - begin + end)))


def swap_endings(utterances: Sequence[TokenizedUtterance], rng: random.Random) -> list[TokenizedUtterance]:
    """Swap endings within pairs of one voice's utterances; those that cannot be cut, and an odd one, pass unchanged."""
    whole = [each for each in utterances if not joints(each)]
    cut = [each for each in utterances if joints(each)]
    rng.shuffle(cut)
    for first, second in zip(cut[::2], cut[1::2], strict=False):
        here, there = rng.choice(joints(first)), rng.choice(joints(second))
        whole += spliced(first, here, second, there), spliced(second, there, first, here)
    return whole + cut[len(cut) - len(cut) % 2:]
