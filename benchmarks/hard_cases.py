"""`python -m benchmarks.hard_cases`: a hundred difficult texts, and a recogniser's transcripts.

`data/hard_cases.tsv` has a kind, the text, and the expected words (alternatives between bars).
"""

from __future__ import annotations

import os
import re
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import DATA
from benchmarks.judges.word_errors import words
from benchmarks.quality.speaking import SentenceJob, SpokenResult, speak_all
from runtime.atomic import atomic_file
from runtime.command import run

Verdict = Literal["pass", "doubtful", "fail"]
PASS, DOUBTFUL = 0.9, 0.5
"""Shares of equal letters. A recogniser is unsure of single words, and writes names and addresses in its own way."""


class Case(NamedTuple):
    """One line of the list."""

    kind: str
    text: str
    readings: tuple[str, ...]


class CaseScore(msgspec.Struct, frozen=True):
    """A case, spoken."""

    kind: str
    text: str
    should: str
    heard: str
    likeness: float
    verdict: Verdict
    failures: list[str]


def hard_cases() -> list[Case]:
    """The list."""
    lines = (DATA / "hard_cases.tsv").read_text(encoding="utf-8").splitlines()
    return [Case(kind, text, tuple(readings.split(" | "))) for kind, text, readings in (line.split("\t") for line in lines)]


def likeness(should: str, heard: str) -> float:
    """Share of equal letters of two texts once both are spoken words; spaces do not count ("sea shells")."""
    one, other = ("".join(words(text)) for text in (should, heard))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def written_likeness(text: str, heard: str) -> float:
    """The same of the texts as they are written, where all digits are equal: a transcript of 1745 for 17:45 is right."""
    digits = [re.sub(r"[^0-9]", "", written) for written in (text, heard)]
    if not digits[0] or digits[0] != digits[1]:
        return 0.0
    one, other = (re.sub(r"[^a-z0-9]", "", written.lower()) for written in (text, heard))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def judge(case: Case, spoken: SpokenResult) -> CaseScore:
    """Compare a transcript with the nearest of the alternatives, and with the text itself."""
    best = max(case.readings, key=lambda reading: likeness(reading, spoken.heard))
    like = max(likeness(best, spoken.heard), written_likeness(case.text, spoken.heard))
    verdict: Verdict = "pass" if like >= PASS else "doubtful" if like >= DOUBTFUL else "fail"
    if spoken.failures:
        verdict = "fail"
    return CaseScore(case.kind, case.text, best, spoken.heard, like, verdict, spoken.failures)


def markdown(judged: list[CaseScore]) -> str:
    """A table of all cases; long texts are shortened."""
    rows = [f"| {j.kind} | {_cell(j.text)} | {_cell(j.heard)} | {j.likeness:.2f} | {', '.join([j.verdict, *j.failures])} |"
            for j in judged]
    return "\n".join(["| kind | text | heard | likeness | verdict |", "|---|---|---|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    short = text if len(text) <= 80 else f"{text[:60]} ... ({len(text.split())} words)"
    return short.replace("|", "\\|").replace("*", "\\*")


@click.command("python -m benchmarks.hard_cases")
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--voice", default=None, metavar="NAME")
@click.option("--count", type=click.IntRange(1), default=None, help="Only the first cases of the list.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--markdown", "markdown_path", type=click.Path(path_type=Path), default=None, help="Write the table here.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write all cases here.")
def main(bundle: Path | None, voice: str | None, count: int | None, seed: int, jobs: int, markdown_path: Path | None,
         json_path: Path | None) -> None:
    """Speak the hard cases and compare Whisper tiny's transcripts with the expected ones."""
    cases, console = hard_cases()[:count], Console(stderr=True)
    spoken = speak_all(bundle, voice, [SentenceJob(case.text, seed) for case in cases], jobs)
    judged = [judge(case, heard) for case, heard in
              zip(cases, track(spoken, "speaking", total=len(cases), console=console), strict=True)]
    table = Table("kind", "text", "heard", "likeness", "verdict")
    for each in judged:
        if each.verdict != "pass":
            table.add_row(each.kind, each.text[:60], each.heard[:60], f"{each.likeness:.2f}",
                          ", ".join([each.verdict, *each.failures]))
    Console().print(table)
    counts = {verdict: sum(each.verdict == verdict for each in judged) for verdict in ("pass", "doubtful", "fail")}
    click.echo(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    for path, data in ((markdown_path, markdown(judged).encode()), (json_path, msgspec.json.encode(judged))):
        if path is not None:
            with atomic_file(path) as file:
                file.write(data)


if __name__ == "__main__":
    run(main)
