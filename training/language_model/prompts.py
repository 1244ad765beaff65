"""Prompts before the text, as in a bundle's voices: a voice's text id, or a recording to continue from.

The backbone has no speaker embedding as input; only the extractor has. Where several voices share a backbone, one text id per
voice before the text says whose tokens follow. Without it the backbone guesses at the first token and keeps to its guess.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import torch

from runtime.text.phonemes import SYMBOLS, to_ids
from training.data.token_file import TokenizedUtterance
from training.language_model.sentence_splicing import swap_endings

WITHOUT_ID, CONTINUED, SWAPPED = 0.1, 0.2, 0.3
"""Shares of utterances without a voice id, as when cloning without a transcript; joined in pairs, as when cloning with one; and
with endings swapped in pairs."""
SHORT = 16
"""Phoneme ids of an utterance of few words, as "Turn left!" ..."""
REPEATS = 2
"""... which is repeated this many times more: robots say more of these than the corpus has."""
MOST_IDS = 240
"""Phoneme ids of a pair: longer ones stay single."""

Ids = Mapping[str, int]


def voice_ids(voices: Sequence[str]) -> dict[str, int]:
    """One text id per voice, in order, after those of the phonemes."""
    return {voice: len(SYMBOLS) + 1 + place for place, voice in enumerate(voices)}


def with_voice_id(spoken: TokenizedUtterance, voice: int) -> TokenizedUtterance:
    """The utterance with the voice's id before its text."""
    ids = torch.cat((torch.tensor([voice]), spoken.ids))
    return TokenizedUtterance(spoken.text, spoken.voice, ids, spoken.codes, spoken.aligned + 1)


def continued(first: TokenizedUtterance, second: TokenizedUtterance) -> TokenizedUtterance:
    """Two utterances of one voice as one, a space between their texts, as `clone_voice` puts a transcript before a text."""
    lead = torch.cat((first.ids, torch.tensor(to_ids(" "))))
    return TokenizedUtterance(f"{first.text} {second.text}", first.voice, torch.cat((lead, second.ids)),
                  torch.cat((first.codes, second.codes)), torch.cat((first.aligned, second.aligned + len(lead))))


def mixed(utterances: Sequence[TokenizedUtterance], voices: Ids, seed: int) -> list[TokenizedUtterance]:
    """Every utterance once and short ones again: most with their voice's id, some of these with swapped endings; some without
    an id; some continued by another utterance of their voice."""
    rng = random.Random(seed)
    made = [with_voice_id(each, voices[each.voice]) for each in utterances if len(each.ids) <= SHORT] * REPEATS
    waiting, swapping = defaultdict[str, list[TokenizedUtterance]](list), defaultdict[str, list[TokenizedUtterance]](list)
    for spoken in utterances:
        draw = rng.random()
        if draw < CONTINUED:
            waiting[spoken.voice].append(spoken)
        elif draw < CONTINUED + WITHOUT_ID:
            made.append(spoken)
        elif draw < CONTINUED + WITHOUT_ID + SWAPPED:
            swapping[spoken.voice].append(spoken)
        else:
            made.append(with_voice_id(spoken, voices[spoken.voice]))
    for own in waiting.values():
        made += _in_pairs(own, rng)
    for voice, own in swapping.items():
        made += [with_voice_id(each, voices[voice]) for each in swap_endings(own, rng)]
    return made


def _in_pairs(own: list[TokenizedUtterance], rng: random.Random) -> Iterator[TokenizedUtterance]:
    """Join one voice's utterances in pairs; those too long for a pair stay single."""
    rng.shuffle(own)
    while own:
        first = own.pop()
        fits = bool(own) and len(first.ids) + len(own[-1].ids) < MOST_IDS
        yield continued(first, own.pop()) if fits else first
