"""What stands before the text, as in a bundle's voices: the id of who speaks, or a recording that is gone on from.

The backbone reads no speaker embedding; only the extractor does. Where several voices share it, a text id of each voice's own
says before the text whose tokens are to come. Without one it has to guess at the first token, and goes on however it guessed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch

from runtime.text.phonemes import SYMBOLS, to_ids
from training.spoken import Spoken

UNTOLD, CONTINUED = 0.1, 0.2
"""Shares of the utterances that are read without a voice's id, as for a stranger without a transcript, and that are joined in
pairs, as for one with a transcript."""
MOST_IDS = 240
"""Phoneme ids of a pair: longer ones stay single."""

Ids = Mapping[str, int]


def voice_ids(voices: Sequence[str]) -> dict[str, int]:
    """A text id behind the phonemes' for each voice, in order."""
    return {voice: len(SYMBOLS) + 1 + place for place, voice in enumerate(voices)}


def told(spoken: Spoken, voice: int) -> Spoken:
    """The utterance with the voice's id before its text."""
    ids = torch.cat((torch.tensor([voice]), spoken.ids))
    return Spoken(spoken.text, spoken.voice, ids, spoken.codes, spoken.aligned + 1)


def continued(first: Spoken, second: Spoken) -> Spoken:
    """Two utterances of one voice as one, a space between their texts, as `clone_voice` puts a transcript before a text."""
    lead = torch.cat((first.ids, torch.tensor(to_ids(" "))))
    return Spoken(f"{first.text} {second.text}", first.voice, torch.cat((lead, second.ids)),
                  torch.cat((first.codes, second.codes)), torch.cat((first.aligned, second.aligned + len(lead))))


def mixed(utterances: Sequence[Spoken], voices: Ids, seed: int) -> list[Spoken]:
    """Every utterance once: most told, some untold, some continued by another one of their voice."""
    rng = random.Random(seed)
    made: list[Spoken] = []
    waiting: dict[str, list[Spoken]] = defaultdict(list)
    for spoken in utterances:
        draw = rng.random()
        if draw < CONTINUED:
            waiting[spoken.voice].append(spoken)
        else:
            made.append(spoken if draw < CONTINUED + UNTOLD else told(spoken, voices[spoken.voice]))
    for own in waiting.values():
        rng.shuffle(own)
        while own:
            first = own.pop()
            fits = bool(own) and len(first.ids) + len(own[-1].ids) < MOST_IDS
            made.append(continued(first, own.pop()) if fits else first)
    return made
