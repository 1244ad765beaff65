"""`python -m benchmarks.quality`: how well a bundle reads the held-out sentences: word error rate, likeness to the teacher's
voice, DNSMOS, and how long its readings are."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import HeldOut, held_out
from benchmarks.naturalness import dnsmos_overall
from benchmarks.similarity import SpeakerEncoder, teacher_recording
from benchmarks.word_errors import word_errors
from engines.recognition import Recogniser
from runtime import Synthesizer
from runtime.errors import TldrError


@dataclass(frozen=True)
class Reading:
    """One sentence: what was heard, how long it is beside the teacher's, how fast it came, how it ended."""

    text: str
    heard: str
    seconds: float
    teacher_seconds: float
    rtf: float
    stopped_by: str
    similarity: float
    """Cosine to the teacher's voice."""
    dnsmos: float
    """Overall quality, 1 to 5."""


def read_all(bundle: Path | None, sentences: list[HeldOut], seed: int, threads: int | None) -> Iterator[Reading]:
    """Synthesise and recognise every sentence."""
    recogniser, encoder = Recogniser(threads or 1), SpeakerEncoder()
    with Synthesizer(bundle, threads=threads) as synthesizer:
        teacher = encoder.embed(*teacher_recording(synthesizer.bundle.voice().name))
        for sentence in sentences:
            audio = synthesizer.synthesize(sentence.text, seed=seed)
            heard = audio.samples, audio.sample_rate
            yield Reading(sentence.text, recogniser.transcribe(*heard), len(audio.samples) / audio.sample_rate,
                          sentence.teacher_seconds, audio.stats.rtf, audio.stats.stopped_by or "end",
                          float(encoder.embed(*heard) @ teacher), dnsmos_overall(*heard))


def summarise(readings: list[Reading]) -> dict[str, float]:
    """WER in per cent with its interval, longest duration ratio, failures, and the medians and means of the rest."""
    errors = word_errors([r.text for r in readings], [r.heard for r in readings])
    low, high = errors.interval()
    ratios = [r.seconds / r.teacher_seconds for r in readings]
    rtfs = sorted(r.rtf for r in readings)
    return {"sentences": len(readings), "wer": errors.rate, "wer_low": low, "wer_high": high, "longest_ratio": max(ratios),
            "mean_ratio": sum(ratios) / len(ratios), "not_ended": sum(r.stopped_by != "end" for r in readings),
            "median_rtf": rtfs[len(rtfs) // 2], "similarity": sum(r.similarity for r in readings) / len(readings),
            "dnsmos": sum(r.dnsmos for r in readings) / len(readings)}


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--count", type=int, default=None, help="Only the first sentences of the list.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", type=int, default=None)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write figures and readings here.")
def main(bundle: Path | None, count: int | None, seed: int, threads: int | None, json_path: Path | None) -> None:
    """Measure how well a bundle reads sentences that its training never saw."""
    console = Console()
    try:
        sentences = held_out(count)
        readings = list(track(read_all(bundle, sentences, seed, threads), "reading", total=len(sentences), console=console))
    except TldrError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    figures = summarise(readings)
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}")
    console.print(table)
    if json_path is not None:
        json_path.write_text(json.dumps({"figures": figures, "readings": [asdict(r) for r in readings]}, indent=1))


if __name__ == "__main__":
    main()
