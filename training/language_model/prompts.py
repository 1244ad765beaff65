"""What stands before the text, as in a bundle's voices: the id of who speaks, or a recording that is gone on from.

The backbone reads no speaker embedding; only the extractor does. Where several voices share it, a text id of each voice's own
says before the text whose tokens are to come. Without one it has to guess at the first token, and goes on however it guessed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import torch

from runtime.text.phonemes import SYMBOLS, to_ids
from training.data.token_file import Spoken
from training.language_model.sentence_splicing import crossed

UNTOLD, CONTINUED, CROSSED = 0.1, 0.2, 0.3
"""Shares of the utterances that are read without a voice's id, as for a stranger without a transcript; that are joined in
pairs, as for one with a transcript; and that change ends with another one."""
SHORT = 16
"""Phoneme ids of an utterance of few words, as "Turn left!" ..."""
SAID_AGAIN = 2
"""... which is read this many times more: a robot says more of them than the corpus does."""
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
    """Every utterance once, and short ones again: most told, some of these with each other's ends, some untold, some continued
    by another one of their voice."""
    rng = random.Random(seed)
    made = [told(each, voices[each.voice]) for each in utterances if len(each.ids) <= SHORT] * SAID_AGAIN
    waiting, crossing = defaultdict[str, list[Spoken]](list), defaultdict[str, list[Spoken]](list)
    for spoken in utterances:
        draw = rng.random()
        if draw < CONTINUED:
            waiting[spoken.voice].append(spoken)
        elif draw < CONTINUED + UNTOLD:
            made.append(spoken)
        elif draw < CONTINUED + UNTOLD + CROSSED:
            crossing[spoken.voice].append(spoken)
        else:
            made.append(told(spoken, voices[spoken.voice]))
    for own in waiting.values():
        made += _in_pairs(own, rng)
    for voice, own in crossing.items():
        made += [told(each, voices[voice]) for each in crossed(own, rng)]
    return made


def _in_pairs(own: list[Spoken], rng: random.Random) -> Iterator[Spoken]:
    """One voice's utterances, each continued by another; single where two are too long."""
    rng.shuffle(own)
    while own:
        first = own.pop()
        fits = bool(own) and len(first.ids) + len(own[-1].ids) < MOST_IDS
        yield continued(first, own.pop()) if fits else first
