"""`python -m benchmarks.quality`: how well bundles read sentences that training never saw, beside teacher and codec."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import held_out
from benchmarks.judges.similarity import teacher_recording
from benchmarks.quality.failures import KINDS
from benchmarks.quality.figures import QualityRow, summarise
from benchmarks.quality.readings import Log, ScoredSentence, ScoringTask, read_all
from benchmarks.quality.report import QualityReport, between, fill, write
from benchmarks.quality.speed import processor, real_time_factors
from benchmarks.quality.systems import BundleSystem, CodecSystem, EvaluatedSystem, Recordings, check_names, named
from runtime.command import run
from runtime.errors import OptionError

OPINIONS = {"DistillMOS": "distillmos", "P.808": "p808", "DNSMOS": "dnsmos"}


@click.command("python -m benchmarks.quality")
@click.option("--bundle", "bundles", multiple=True, metavar="[NAME=]DIR",
              help="A system; several may be.  [default: the embedded voice]")
@click.option("--recordings", multiple=True, metavar="NAME=DIR",
              help="A system that was recorded, as the teacher by `python -m training.recordings`.")
@click.option("--codec", "codecs", multiple=True, metavar="NAME=DIR",
              help="Recordings through the first bundle's codec and back.")
@click.option("--voice", "voices", multiple=True, metavar="NAME",
              help="Who reads; several take turns.  [default: the first bundle's]")
@click.option("--count", type=click.IntRange(1), default=None, help="Only the first sentences of the list.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--rtf-sentences", type=click.IntRange(0), default=20, show_default=True, help="Sentences for RTF; 0: none.")
@click.option("--listen", type=click.IntRange(0), default=20, show_default=True, help="Sentences with players on the page.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/quality"), show_default=True,
              help="Folder; the same command goes on there where it was stopped.")
@click.option("--into", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
              help="Put the table between the quality marks of this document.")
def main(bundles: tuple[str, ...], recordings: tuple[str, ...], codecs: tuple[str, ...], voices: tuple[str, ...],
         count: int | None, seed: int, jobs: int, rtf_sentences: int, listen: int, out: Path, into: tuple[Path, ...]) -> None:
    """Read the held-out sentences with every system and measure: word error rates of three recognisers, likeness to the right
    and to other voices, predicted opinion scores, lengths, failures, RTF. The order is recordings, codecs, bundles."""
    systems = _systems(bundles, recordings, codecs)
    voices = voices or (systems[-1].voices()[0],)
    check_names(systems, voices)
    for voice in voices:
        teacher_recording(voice)
    out.mkdir(parents=True, exist_ok=True)
    log, console = Log(out), Console(stderr=True)
    tasks = plan(systems, voices, count, seed, listen, log.read(systems))
    for made in track(read_all(systems, tasks, out, jobs) if tasks else (), "reading", total=len(tasks), console=console):
        log.append(made)
    total = len(held_out(count))
    readings = [r for r in log.read(systems) if r.seed == seed and r.number <= total and r.voice == _turn(voices, r.number)]
    texts = [sentence.text for sentence in held_out(rtf_sentences)] if rtf_sentences else []
    rtf = real_time_factors(systems, texts, voices[0], seed)
    rows = summarise(readings, [system.name for system in systems], rtf)
    report = QualityReport(sys.argv[1:], processor(), list(voices), seed, rows)
    write(out, report, readings)
    for document in into:
        fill(document, report)
    _print(rows)
    click.echo(f"Wrote {out}/index.html, table.md, wer-rtf.svg, figures.json")


def plan(systems: list[EvaluatedSystem], voices: tuple[str, ...], count: int | None, seed: int, listen: int,
         done: list[ScoredSentence]) -> list[ScoringTask]:
    """List the missing sentences: sentence i by voice i modulo the number of voices, per system."""
    have = {(r.system, r.number, r.voice, r.seed) for r in done if r.audio is not None or r.number > listen}
    lists = {voice: held_out(count, voice) for voice in voices}
    tasks = []
    for number in range(1, 1 + len(lists[voices[0]])):
        voice = _turn(voices, number)
        sentence = lists[voice][number - 1]
        missing = tuple(index for index, system in enumerate(systems) if (system.name, number, voice, seed) not in have)
        if missing:
            tasks.append(ScoringTask(number, sentence.text, voice, sentence.teacher_seconds, seed, missing, number <= listen))
    return tasks


def _turn(voices: tuple[str, ...], number: int) -> str:
    return voices[(number - 1) % len(voices)]


def _systems(bundles: tuple[str, ...], recordings: tuple[str, ...], codecs: tuple[str, ...]) -> list[EvaluatedSystem]:
    spoken = [BundleSystem(path, name) for name, path in map(named, bundles)] or [BundleSystem(None)]
    coder = named(bundles[0])[1] if bundles else None
    found: list[EvaluatedSystem] = [Recordings(name, path) for name, path in map(_both, recordings)]
    found += [CodecSystem(name, Recordings(name, path), coder) for name, path in map(_both, codecs)]
    return [*found, *spoken]


def _both(option: str) -> tuple[str, Path]:
    name, path = named(option)
    if name is None:
        raise OptionError(f"Give {option!r} a name, as in --recordings teacher={option}.")
    return name, path


def _print(rows: list[QualityRow]) -> None:
    table = Table("figure", *(row.system for row in rows))
    for name in rows[0].wer:
        table.add_row(f"WER %, {name}", *(between(r.wer[name], 1) for r in rows))
    table.add_row("similarity", *(f"{r.similarity.value:.3f}" for r in rows))
    table.add_row("above 0.8", *(f"{r.similar:.1f} %" for r in rows))
    table.add_row("right voice", *("" if r.right_voice is None else f"{r.right_voice:.1f} %" for r in rows))
    for label, field in OPINIONS.items():
        table.add_row(label, *(between(getattr(r, field), 2) for r in rows))
    table.add_row("length / teacher's, longest", *(f"{r.duration.value:.2f}, {r.longest:.2f}" for r in rows))
    for kind in KINDS:
        table.add_row(kind, *(str(r.failures[kind]) for r in rows))
    table.add_row("RTF, median", *("" if r.rtf is None else f"{r.rtf:.3f}" for r in rows))
    console = Console()
    console.print(table)
    for row in rows:
        for found in row.differences:
            points = found.points
            console.print(f"{row.system} less {found.against}: {points.value:+.1f} points ({points.low:+.1f} to "
                          f"{points.high:+.1f}), {found.recogniser}", highlight=False)


if __name__ == "__main__":
    run(main)
