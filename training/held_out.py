"""The sentences that voices are measured on: `python -m training.held_out` writes `benchmarks/data/held_out.tsv`.

All are on the test side of `training.data.text.split_of`, so that no stage trains on them, whatever is added to the corpus.
First what the corpus itself has there, then everyday sentences from a grammar of its own words, which the corpus has not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click

from runtime.atomic import atomic_file
from runtime.command import run
from runtime.text.phonemes import Phonemizer
from training.data.teacher import DURATION_HOP, SAMPLE_RATE, Teacher
from training.data.text import split_of

PEOPLE = ("my neighbour", "the young doctor", "our teacher", "a tall stranger", "the old fisherman", "her cousin", "the mayor",
          "a tired nurse", "the bus driver", "my grandmother", "the night guard", "a famous painter", "the new student")
ACTIONS = ("carried", "borrowed", "painted", "forgot", "discovered", "repaired", "measured", "described", "threw away",
           "photographed", "collected", "hid", "polished", "ordered", "weighed", "unpacked", "traded")
OBJECTS = ("a wooden ladder", "the yellow umbrella", "three jars of honey", "an enormous fish", "the broken radio",
           "a bag of fresh oranges", "the blue curtains", "some old photographs", "a pair of gloves", "the longest rope",
           "a cheese sandwich", "the church bell", "two heavy suitcases", "a strange letter", "the garden hose")
SPOTS = ("behind the station", "under the bridge", "beside the river", "in the village square", "at the bakery",
         "near the lighthouse", "on the ferry", "outside the museum", "along the beach", "in the attic", "at the airport")
TIMES = ("before sunrise", "on Thursday evening", "during the storm", "last winter", "after lunch", "just in time",
         "every other weekend", "while the others slept", "shortly after midnight", "without saying a word")
STATES = ("the weather is unusually mild", "the roads are covered with ice", "nobody answers the telephone",
          "the train leaves earlier than expected", "the shops have already closed", "there is enough bread for everyone",
          "the children are making too much noise", "the water tastes of iron", "the judge will not change her mind")
REQUESTS = ("bring an extra blanket", "speak a little louder", "choose a different path", "turn the music down",
            "check the oven", "leave the keys with the porter", "write down the address", "wait for the green light")
FRAMES = ("{person} {action} {object} {spot} {time}.", "I wonder why {person} {action} {object}.",
          "If {state}, please {request}.",
          "{time}, {person} {action} {object}.", "I am afraid that {state}.", "Could you {request} and {request2}?",
          "{person} {action} {object} because {state}.", "Nothing has changed {spot}, although {state}.",
          "We met {person} {spot}, and she told us that {state}.", "{request}, or {person} will notice.")


def everyday(seed: int) -> Iterator[str]:
    """Endless sentences of the grammar, one frame after the other."""
    rng = random.Random(seed)
    while True:
        for frame in FRAMES:
            request, other = rng.sample(REQUESTS, 2)
            sentence = frame.format(person=rng.choice(PEOPLE), action=rng.choice(ACTIONS), object=rng.choice(OBJECTS),
                                    spot=rng.choice(SPOTS), time=rng.choice(TIMES), state=rng.choice(STATES),
                                    request=request, request2=other)
            yield sentence[0].upper() + sentence[1:]


def grown(kept: Sequence[str], corpus: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """`kept`, then distinct sentences of the test side until there are `count`: the corpus's first, then everyday ones."""
    found = dict.fromkeys(kept)
    found.update(dict.fromkeys(sentence for sentence in corpus if split_of(sentence) == "test"))
    fresh = (sentence for sentence in everyday(seed) if split_of(sentence) == "test" and sentence not in found)
    while len(found) < count:
        found[next(fresh)] = None
    return list(islice(found, count))


def seconds(sentences: Sequence[str], teacher: Teacher, phonemizer: Phonemizer) -> Iterator[float]:
    """Seconds of the teacher's recording of each sentence, short silences around it included."""
    for sentence in sentences:
        reading = teacher.read(phonemizer.phonemes(sentence), with_audio=False)
        yield (int(reading.durations.sum()) + sum(reading.silence)) * DURATION_HOP / SAMPLE_RATE


@click.command()
@click.option("--count", type=click.IntRange(1), default=520, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=Path("benchmarks/data"), show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path.home() / ".cache/tldr-edge/run", show_default=True)
def main(count: int, data: Path, work: Path) -> None:
    """Grow the held-out list to COUNT sentences, and write each voice's seconds; lines that are there stay as they are."""
    from rich.progress import track

    from training.recipe import Recipe

    recipe, path = Recipe(work, Path("voices/embedded"), fragments=0, plosives=0), data / "held_out.tsv"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    sentences = grown([line.split("\t")[1] for line in lines], recipe.sentences, count)
    phonemizer = Phonemizer.load(recipe.target / "text")
    for number, (name, voice) in enumerate(recipe.voices.items()):
        found = [f"{value:.2f}" for value in track(seconds(sentences, Teacher(work / "teacher", voice), phonemizer), name,
                                                   total=len(sentences))]
        if number == 0:  # the voice that the list itself tells of
            new = [f"{value}\t{sentence}" for value, sentence in zip(found, sentences, strict=True)]
            found, target = [*lines, *new[len(lines):]][:count], path
        else:
            target = data / "teacher" / f"{name}.seconds.txt"
        with atomic_file(target) as file:
            file.write("".join(f"{line}\n" for line in found).encode())


if __name__ == "__main__":
    run(main)
