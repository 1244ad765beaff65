"""`python -m benchmarks.robustness`: thousands of sentences of 1 to 60 words, none of which may loop, break off or fall silent;
and one sentence with many seeds, whose readings must all be good."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from benchmarks.held_out import held_out
from benchmarks.judges.word_errors import word_errors
from benchmarks.quality.failures import KINDS
from benchmarks.quality.speaking import SentenceJob, SpokenResult, speak_on
from runtime.command import run

LONGEST = 60
OTHERS = 10
"""Held-out ones that are said with every seed besides: a rate of one sentence's few words says little."""
SENTENCE = "The old fisherman carried two heavy suitcases along the beach before sunrise."
JOINTS = (" and ", ", but ", ", and then ", " because ")


def random_sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of 1 to 60 words, each length as often: held-out ones joined by conjunctions, and cut."""
    source, pool = random.Random(seed), [row.text.rstrip(".!?") for row in held_out()]
    made = []
    for index in range(count):
        length, text = 1 + index % LONGEST, source.choice(pool)
        while len(text.split()) < length:
            following = source.choice(pool)
            text += source.choice(JOINTS) + following[0].lower() + following[1:]
        made.append(" ".join(text.split()[:length]).rstrip(",;:") + source.choice((".", ".", ".", "!", "?")))
    return made


@click.command("python -m benchmarks.robustness")
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--voice", default=None, metavar="NAME")
@click.option("--count", type=click.IntRange(0), default=2000, show_default=True, help="Sentences of 1 to 60 words.")
@click.option("--seeds", type=click.IntRange(0), default=10, show_default=True, help="Seeds of one sentence, and of some.")
@click.option("--sentence", default=SENTENCE, show_default=True, help="That sentence.")
@click.option("--others", type=click.IntRange(0, 500), default=OTHERS, show_default=True,
              help="Held-out sentences that every seed says, too.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), default=Path("build/robustness.jsonl"),
              show_default=True, help="All readings, one a line; the same command goes on there where it was stopped.")
def main(bundle: Path | None, voice: str | None, count: int, seeds: int, sentence: str, others: int, jobs: int,
         log: Path) -> None:
    """Speak for long and look for failures; exit 1 if there are any."""
    seeded = [sentence, *(row.text for row in held_out()[:others])]
    work = [*map(SentenceJob, random_sentences(count)), *(SentenceJob(text, seed) for seed in range(seeds) for text in seeded)]
    speaking = speak_on(bundle, voice, work, jobs, log)
    spoken = list(track(speaking, "speaking", total=len(work), console=Console(stderr=True)))
    _tell(spoken[:count])
    for seed in range(seeds):
        _tell_seed([each for each in spoken[count:] if each.seed == seed])
    sys.exit(any(each.failures for each in spoken))


def _tell(sentences: list[SpokenResult]) -> None:
    if sentences:
        kinds = Counter(kind for each in sentences for kind in each.failures)
        errors = word_errors([each.text for each in sentences], [each.heard for each in sentences])
        counted = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
        click.echo(f"{len(sentences)} sentences of 1 to {LONGEST} words: {counted}; "
                   f"{sum(each.retries for each in sentences)} second tries; WER {errors.rate:.1f} %")
        for each in sentences:
            if each.failures:
                click.echo(f"  {', '.join(each.failures)}: {each.text!r}, heard {each.heard!r}, {each.seconds:.1f} s "
                           f"({each.expected_seconds:.1f} expected)")


def _tell_seed(spoken: list[SpokenResult]) -> None:
    """One seed's reading of the one sentence, the first, and how well it reads all others."""
    one, *others = spoken
    line = f"seed {one.seed}: WER {word_errors([one.text], [one.heard]).rate:.1f} %"
    if others:
        errors = word_errors([each.text for each in others], [each.heard for each in others])
        line += f", {errors.rate:.1f} % on {len(others)} others"
    click.echo("".join((line, *(f", {kind}" for each in spoken for kind in each.failures), f"  {one.heard}")))


if __name__ == "__main__":
    run(main)
