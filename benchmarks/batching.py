"""`python -m benchmarks.batching`: seconds of audio that a second of computing makes, many texts in batches against one by one.

All variants alternate over the same sentences, so that their ratios are valid under any load; the first round warms up
and compares: each text's samples with those that it has alone.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import held_out
from runtime import Audio, Synthesizer
from runtime.atomic import atomic_file
from runtime.command import run
from runtime.errors import OptionError

BATCHES = (1, 2, 4, 8, 16)


class Variant(msgspec.Struct, frozen=True):
    """One way to synthesize the texts: `synthesize` one after another (no batch), or `synthesize_many`."""

    batch: int | None
    exact: bool = True

    @property
    def name(self) -> str:
        """For tables."""
        return "one by one" if self.batch is None else f"batch {self.batch}{'' if self.exact else ', exact=False'}"


class BatchingRow(msgspec.Struct, frozen=True):
    """One way's figures."""

    name: str
    speeds: tuple[float, ...]
    """Seconds of audio a second, of each round."""
    different: int
    """Texts whose samples are not those of `synthesize`."""

    @property
    def speed(self) -> float:
        """The median."""
        return statistics.median(self.speeds)


def ways(batches: Sequence[int]) -> list[Variant]:
    """One by one, then every batch both ways."""
    return [Variant(None), *(Variant(batch, exact) for exact in (True, False) for batch in batches)]


def make(synthesizer: Synthesizer, texts: Sequence[str], way: Variant) -> list[Audio]:
    """All texts, each with its index as seed."""
    if way.batch is None:
        return [synthesizer.synthesize(text, seed=seed) for seed, text in enumerate(texts)]
    return synthesizer.synthesize_many(texts, seeds=range(len(texts)), batch=way.batch, exact=way.exact).collect()


def measure(synthesizer: Synthesizer, texts: Sequence[str], tried: Sequence[Variant], rounds: int) -> list[BatchingRow]:
    """Every way in every round, after one that is not timed."""
    alone = make(synthesizer, texts, Variant(None))
    different = {way: 0 if way.batch is None else _different(alone, make(synthesizer, texts, way)) for way in tried}
    speeds: dict[Variant, list[float]] = {way: [] for way in tried}
    for _ in track(range(rounds), console=Console(stderr=True)):
        for way in tried:
            begin = time.perf_counter()
            seconds = sum(audio.seconds for audio in make(synthesizer, texts, way))
            speeds[way].append(seconds / (time.perf_counter() - begin))
    return [BatchingRow(way.name, tuple(speeds[way]), different[way]) for way in tried]


def _different(alone: Sequence[Audio], together: Sequence[Audio]) -> int:
    return sum(not np.array_equal(one.samples, other.samples) for one, other in zip(alone, together, strict=True))


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--batch", "batches", multiple=True, type=click.IntRange(1, 256), default=BATCHES, show_default=True)
@click.option("--sentences", type=click.IntRange(1), default=32, show_default=True, help="Held-out sentences in each round.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write the figures here.")
def main(bundle: Path | None, batches: tuple[int, ...], sentences: int, rounds: int, threads: int,
         json_path: Path | None) -> None:
    """Measure what batches gain; exit 1 if an exact one gives other samples than `synthesize`."""
    texts, load = [row.text for row in held_out(sentences)], os.getloadavg()[0]
    if len(texts) < sentences:
        raise OptionError(f"There are {len(texts)} held-out sentences, not {sentences}.")
    with Synthesizer(bundle, provider="cpu", threads=threads) as synthesizer:
        rows = measure(synthesizer, texts, ways(batches), rounds)
        model = f"{synthesizer.bundle.manifest.model}, {synthesizer.bundle.manifest.numbers.upper()}"
    table = Table("way", "audio s / s", "least - most", "times one by one", f"other samples, of {sentences}",
                  title=f"{model}, {threads} threads, load before {load:.1f} on {os.cpu_count()} cores")
    for row in rows:
        table.add_row(row.name, f"{row.speed:.1f}", f"{min(row.speeds):.1f} - {max(row.speeds):.1f}",
                      f"{row.speed / rows[0].speed:.2f}", str(row.different))
    Console().print(table)
    if json_path is not None:
        with atomic_file(json_path) as file:
            file.write(msgspec.json.encode({"machine": platform.platform(), "load_before": load, "threads": threads,
                                            "model": model, "sentences": sentences, "rows": rows}))
    wrong = any(row.different for row, way in zip(rows, ways(batches), strict=True) if way.exact)
    raise SystemExit(wrong)


if __name__ == "__main__":
    run(main)
