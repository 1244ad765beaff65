"""`python -m benchmarks.responsiveness`: how soon speech begins, how soon it stops, and whether streaming changes a sample.

Every figure is measured on this machine, on one bundle, with `--threads` threads. Exit 1 where a bound does not hold.
"""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from runtime import Bundle, Synthesizer
from runtime.backends import create_backend
from runtime.command import run
from runtime.decoding.decoder import Decoder
from runtime.errors import OptionError
from runtime.options import SamplingOptions
from runtime.text.frontend import TextFrontEnd
from runtime.vocoder.vocoding import TokenVocoder

SENTENCE = "The robot will now move two meters to the left and then it will wait for you at the door."
"""Twenty words, one sentence."""
TTFA_BOUND = 0.25
"""First audio within this share of the time of the whole sentence."""
CHUNKINGS = 10


class LatencyRow(msgspec.Struct, frozen=True):
    """One figure and its bound."""

    name: str
    value: float
    bound: float | None
    unit: str

    @property
    def holds(self) -> bool:
        """True if the value is within its bound."""
        return self.bound is None or self.value <= self.bound


def first_audio(synthesizer: Synthesizer, repeats: int) -> list[LatencyRow]:
    """Wall seconds from the call to the first chunk, and to the last; median share."""
    firsts, wholes = [], []
    for _ in range(repeats):
        begin = time.perf_counter()
        stream = synthesizer.stream(SENTENCE)
        next(stream)
        firsts.append(time.perf_counter() - begin)
        for _ in stream:
            pass
        wholes.append(time.perf_counter() - begin)
    share = float(np.median(np.array(firsts) / np.array(wholes)))
    return [LatencyRow("first audio", 1000 * float(np.median(firsts)), None, "ms"),
            LatencyRow("whole sentence", 1000 * float(np.median(wholes)), None, "ms"),
            LatencyRow("first audio / whole", share, TTFA_BOUND, "")]


def chunkings(bundle: Path | None, threads: int, text: str = SENTENCE) -> list[LatencyRow]:
    """Chunkings, of ten random ones, whose samples differ from those of the tokens vocoded in one call; largest difference."""
    opened = Bundle.open(bundle)
    if opened.manifest.vocoder is None:
        raise OptionError("This bundle has no vocoder; name one that speaks.")
    backend, voice = create_backend(opened, "cpu", threads), opened.voice()
    front_end = TextFrontEnd.load(opened.root / "text")
    ids = front_end.ids(front_end.sentences(text)[0])
    patches = Decoder(opened.manifest, backend).decode(ids, voice, SamplingOptions(), np.random.default_rng(0), lambda: False)
    tokens, source = np.concatenate(list(patches)), np.random.default_rng(1)

    def vocode(pieces: list[np.ndarray]) -> np.ndarray:
        vocoder = TokenVocoder(backend, opened.manifest.vocoder, voice.speaker)  # type: ignore[arg-type]
        return np.concatenate([*map(vocoder.push, pieces), vocoder.flush()])

    whole = vocode([tokens])
    cuts = [np.sort(source.integers(0, len(tokens), source.integers(1, 40))) for _ in range(CHUNKINGS)]
    others = [vocode(np.split(tokens, places)) for places in cuts]
    backend.close()
    different = sum(not np.array_equal(other, whole) for other in others)
    return [LatencyRow("chunkings that differ", different, 0, f"of {CHUNKINGS}"),
            LatencyRow("largest difference", max(float(np.abs(other - whole).max()) for other in others), 0, "")]


def streamed_equals_offline(synthesizer: Synthesizer) -> list[LatencyRow]:
    """Seeds, of ten, for which the stream's samples are not those of `synthesize`."""
    different = 0
    for seed in range(10):
        offline = synthesizer.synthesize(SENTENCE, seed=seed)
        streamed = synthesizer.stream(SENTENCE, seed=seed).collect()
        different += offline.stats.retries == 0 and not np.array_equal(offline.samples, streamed.samples)
    return [LatencyRow("streams that differ from offline", different, 0, "of 10")]


def cancels(synthesizer: Synthesizer, count: int, where: str) -> list[LatencyRow]:
    """From `cancel()` to the end of the listener's loop, beside the time of a patch (its share of the vocoder included)."""
    source, latencies, patch = random.Random(0), list[float](), list[float]()
    for _ in range(5):
        stats = synthesizer.synthesize(SENTENCE).stats
        patch.append(stats.compute_seconds / stats.patches)
    whole = float(np.median(patch)) * stats.patches
    while len(latencies) < count:
        stream, ended = synthesizer.stream(SENTENCE), list[float]()

        def listen(stream: object = stream, ended: list[float] = ended) -> None:
            for _ in stream:  # type: ignore[attr-defined]
                pass
            ended.append(time.perf_counter())

        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(source.uniform(0, 0.9 * whole))
        begin = time.perf_counter()
        stream.cancel()
        listener.join()
        if stream.stats.stopped_by == "cancel":  # and was not at its end before
            latencies.append(max(0.0, ended[0] - begin))
    p50, p95, worst = (1000 * float(np.quantile(latencies, share)) for share in (0.5, 0.95, 1.0))
    return [LatencyRow(f"time of a patch, {where}", 1000 * float(np.median(patch)), None, "ms"),
            LatencyRow(f"cancel p50, {where}", p50, None, "ms"),
            LatencyRow(f"cancel p95, {where}", p95, 1000 * float(np.median(patch)), "ms"),
            LatencyRow(f"cancel worst of {count}, {where}", worst, None, "ms")]


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """`count` other processes that never rest."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--threads", type=int, default=2, show_default=True)
@click.option("--cancels", "count", type=int, default=200, show_default=True)
@click.option("--repeats", type=int, default=15, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write the figures here.")
def main(bundle: Path | None, threads: int, count: int, repeats: int, json_path: Path | None) -> None:
    """Measure responsiveness: first audio, abort to silence, streamed against offline samples."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    with Synthesizer(bundle, provider="cpu", threads=threads, warm_up=True) as synthesizer:
        rows = first_audio(synthesizer, repeats) + streamed_equals_offline(synthesizer) + chunkings(bundle, threads)
        rows += cancels(synthesizer, count, "idle")
        with busy_cores(cores):
            rows += cancels(synthesizer, count, f"{cores} cores busy")
        model = synthesizer.bundle.manifest.model
    table = Table("figure", "value", "bound", "", title=f"{model}, {threads} threads, load before {load:.1f} on {cores} cores")
    for row in rows:
        bound = "" if row.bound is None else f"≤ {row.bound:.3g}"
        verdict = "" if row.bound is None else "ok" if row.holds else "NO"
        table.add_row(row.name, f"{row.value:.3g} {row.unit}", bound, verdict)
    Console().print(table)
    if json_path is not None:
        json_path.write_bytes(msgspec.json.encode({"machine": platform.platform(), "cores": cores, "load_before": load,
                                                   "threads": threads, "model": model, "rows": rows}))
    sys.exit(not all(row.holds for row in rows))


if __name__ == "__main__":
    run(main)
