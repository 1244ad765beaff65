"""The beginning of one sentence and the end of another: text that nobody would say, spoken as it stands.

Robots say such sentences, cut and joined by programs, and a model that has only read whole ones has never seen them. The
teacher's alignment says where to cut, between words without a pause.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.data.token_file import Spoken

SPACE = SYMBOLS.index(" ") + 1


def joints(spoken: Spoken) -> list[int]:
    """Indices in `spoken.ids` of the spaces, no punctuation before them, on both sides of which something is spoken."""
    first, last = int(spoken.aligned[0]), int(spoken.aligned[-1])
    pauses = {SYMBOLS.index(mark) + 1 for mark in PUNCTUATION}
    ids = spoken.ids.tolist()
    return [place for place in range(first + 1, last + 1) if ids[place] == SPACE and ids[place - 1] not in pauses]


def spliced(first: Spoken, end: int, second: Spoken, begin: int) -> Spoken:
    """`first` before its joint `end`, and `second` from its joint `begin` on."""
    head, tail = first.aligned < end, second.aligned >= begin
    return Spoken(f"{first.text} ... {second.text}", first.voice, torch.cat((first.ids[:end], second.ids[begin:])),
                  torch.cat((first.codes[head], second.codes[tail])),
                  torch.cat((first.aligned[head], second.aligned[tail] - begin + end)))


def crossed(utterances: Sequence[Spoken], rng: random.Random) -> list[Spoken]:
    """Utterances of one voice in pairs, each with the other's end; those stay that cannot be cut, and an odd one."""
    whole = [each for each in utterances if not joints(each)]
    cut = [each for each in utterances if joints(each)]
    rng.shuffle(cut)
    for first, second in zip(cut[::2], cut[1::2], strict=False):
        here, there = rng.choice(joints(first)), rng.choice(joints(second))
        whole += spliced(first, here, second, there), spliced(second, there, first, here)
    return whole + cut[len(cut) - len(cut) % 2:]
