"""Sentences of the corpus: Debian's `fortunes` packages, and robot sentences from templates.

    python -m training text

The split is by sentence and by hash: the same sentence is always on the same side, whatever else is added later.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from num2words import num2words

from runtime.errors import OptionError

SENTENCE = re.compile(r"(?<=[.!?])[\"']?\s+(?=[A-Z\"'])")
CLEAN = re.compile(r"[A-Za-z ,;:.!?'\-]+")
SHOUTED = re.compile(r"\b[A-Z]{2,}\b|\b[A-Z]\.|\.\.|--|\b[b-hj-zB-HJ-Z]\b")
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
LENGTHS = (20, 140)
"""Characters of a sentence taken from running text."""
FRAGMENT_SIZES = (1, 1, 1, 2, 2, 3)
"""Words of a fragment, each size as often as it is listed."""
PLOSIVE_ENDINGS = tuple(re.compile(f"{each}$") for each in ("pe?", "te?", "ke?", "be?", "de?", "(?<!n)g"))
"""Spellings of words that end in one of the six plosives, with the odd mute letter taken for one."""
TRIES = 20
"""Draws for each fragment that is wanted."""

PLACES = ("the kitchen", "the charging station", "the loading dock", "the living room", "the front door", "the window",
          "the elevator", "the workshop", "the garden", "the second floor", "the warehouse", "the storage shelf")
THINGS = ("box", "cup", "door", "package", "battery", "camera", "wheel", "gripper", "arm", "sensor", "screwdriver", "chair",
          "red button", "blue container", "left motor", "map", "cable", "tray", "bottle", "lamp")
WAYS = ("left", "right", "back", "front")
UNITS = ("meters", "centimeters", "seconds", "minutes", "degrees", "steps", "percent", "kilograms", "hours", "volts")
NAMES = ("Anna", "Peter", "Maria", "Tom", "Susan", "James", "Lucy", "Daniel", "Emma", "Robert")
SHORT = ("Stop", "Yes", "No", "Hello", "Thank you", "Go", "Help", "Ready", "Okay", "Wait", "Please wait", "Good morning",
         "Goodbye", "Turn left", "Turn right", "Come here", "Watch out", "Done", "Careful", "Well done", "Sorry", "Welcome")
TEMPLATES = (
    "Move {n} {unit} to the {way}.", "Turn {n} degrees to the {way}.", "I am going to {place}.", "The {thing} is near {place}.",
    "Please put the {thing} next to {place}.", "I can not find the {thing}.", "The battery is at {n} percent.",
    "I will be back in {n} minutes.", "Warning, the {thing} is too hot.", "Hello {name}, how can I help you?",
    "{name}, your {thing} has arrived at {place}.", "There are {n} boxes in {place}.", "The temperature is {n} degrees.",
    "Attention! I am moving to the {way}.", "It is {n} past {m}.", "Picking up the {thing} now.", "Task {n} is complete.",
    "The {thing} on the {way} is blocked, so I will take another path to {place}.", "Do you want me to bring the {thing}?",
    "I have {n} tasks left, and the next one starts in {m} {unit}.", "Please step aside, I need to pass.",
    "The {thing} weighs {n} kilograms.", "The answer is {n} point {m}.", "Could you open the door to {place}, please?",
    "{n}, {m}, {o}.", "Your total is {n} dollars and {m} cents.", "Today is the {ordinal} of {month}.", "{short}.", "{short}!",
    "{short}, {name}.", "Connection lost, trying again in {n} seconds.", "Route {n} to {place} is {m} {unit} long.",
)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")


def sentences(folder: Path, templated: int, seed: int = 0) -> list[str]:
    """Every distinct sentence: running text from `folder` (fortune files) first, `templated` robot sentences after it."""
    found = dict.fromkeys(_from_fortunes(folder))
    spoken = _from_templates(random.Random(seed))
    while templated > 0:
        sentence = next(spoken)
        if sentence not in found:
            found[sentence] = None
        templated -= 1
    return list(found)


def fragments(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """`count` distinct utterances of one to three words in a row, as "Left!": running text has hardly any, robots say them.

    Raises OptionError where `texts` do not have so many.
    """
    rng, found = random.Random(seed), dict[str, None]()
    for _ in range(TRIES * count):
        if len(found) == count:
            return list(found)
        words, size = WORD.findall(rng.choice(texts)), rng.choice(FRAGMENT_SIZES)
        if len(words) >= size:
            start = rng.randrange(len(words) - size + 1)
            joined = " ".join(words[start:start + size])
            found.setdefault(joined[0].upper() + joined[1:] + rng.choice("..!?"))
    raise OptionError(f"{len(texts)} sentences do not have {count} fragments; ask for fewer.")


def last_plosives(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """`count` distinct words that end in plosives, alone, as "Stop!": each plosive as often, as far as there are words.

    The teacher adds a vowel after them (`training.codec.final_vowel`), and few fragments show that the student is not to.
    Raises OptionError where `texts` do not have so many.
    """
    rng = random.Random(seed)
    words = sorted({word.lower() for each in texts for word in WORD.findall(each) if len(word) > 1})
    ending = [[word for word in words if each.search(word)] for each in PLOSIVE_ENDINGS]
    for own in ending:
        rng.shuffle(own)
    taken = [word for together in zip_longest(*ending) for word in together if word is not None]
    if len(taken) < count:
        raise OptionError(f"{len(texts)} sentences do not have {count} words that end in plosives; ask for fewer.")
    return [word[0].upper() + word[1:] + rng.choice("..!?") for word in taken[:count]]


def split_of(sentence: str) -> str:
    """`test` (2 %), `validation` (2 %) or `train`, from the sentence's own letters."""
    letters = re.sub(r"[^a-z]", "", sentence.lower())
    bucket = int.from_bytes(hashlib.sha256(letters.encode()).digest()[:4], "big") % 100
    return "test" if bucket < 2 else "validation" if bucket < 4 else "train"


def _from_fortunes(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.suffix or not path.is_file():
            continue
        for fortune in path.read_text(encoding="utf-8", errors="ignore").split("\n%\n"):
            prose = re.split(r"\n\s*--", fortune)[0]
            for sentence in SENTENCE.split(re.sub(r"\s+", " ", prose)):
                sentence = sentence.strip(" \"'")
                if _readable(sentence):
                    yield sentence


def _readable(sentence: str) -> bool:
    low, high = LENGTHS
    return (low <= len(sentence) <= high and CLEAN.fullmatch(sentence) is not None and sentence[0].isupper()
            and sentence[-1] in ".!?" and SHOUTED.search(sentence) is None)


def _from_templates(rng: random.Random) -> Iterator[str]:
    while True:
        numbers = {key: num2words(rng.choice((rng.randint(1, 30), rng.randint(1, 100), rng.randint(1, 999))))
                   for key in ("n", "m", "o")}
        sentence = rng.choice(TEMPLATES).format(
            **numbers, ordinal=num2words(rng.randint(1, 31), to="ordinal"), month=rng.choice(MONTHS),
            unit=rng.choice(UNITS), way=rng.choice(WAYS), place=rng.choice(PLACES), thing=rng.choice(THINGS),
            name=rng.choice(NAMES), short=rng.choice(SHORT))
        yield sentence[0].upper() + sentence[1:]
