"""`python -m benchmarks.flow_steps --bundle DIR`: what fewer steps of CosyVoice3's flow cost and save.

One chunk of mel frames is made from the same noise, tokens and prompt with each number of steps, and compared with many steps.
What an error sounds like only ears, or a recogniser, can tell: `tldr-speak --flow-steps N` makes the sound.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from runtime import Bundle
from runtime.atomic import atomic_file
from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.voice import Voice, read_voice
from runtime.command import run
from runtime.vocoder.vocoding import flow_engine

STEPS = (10, 8, 6, 5, 4)
REFERENCE = 64


class FlowStepsRow(msgspec.Struct, frozen=True):
    """One number of steps."""

    steps: int
    error: float
    """Root mean square difference of the mel from the reference's, as a part of the way from the noise to the reference."""
    seconds: float
    """Cost of the chunk."""
    cache_bytes: int
    """Keys and values that are kept, of all steps."""


@dataclass(frozen=True, eq=False)
class Solved:
    """One chunk: its mel and the noise it began from, float32 [T, M]; what it took, and keeps."""

    mel: np.ndarray
    noise: np.ndarray
    seconds: float
    cache_bytes: int


class Chunk:
    """The first chunk after a voice's prompt, of random tokens."""

    def __init__(self, bundle: Bundle, backend: Backend, voice: Voice) -> None:
        self._bundle, self._backend, self._voice = bundle, backend, voice
        self._random = np.random.default_rng(0).integers(0, bundle.manifest.sizes.codes, 1000)

    def solve(self, steps: int) -> Solved:
        """The chunk, its prompt computed before the clock starts."""
        bundle, voice = self._bundle.with_flow_steps(steps), self._voice
        vocoder = bundle.manifest.vocoder
        assert vocoder is not None and vocoder.flow is not None, "with_flow_steps refuses the others"
        engine = flow_engine(bundle, vocoder, vocoder.flow, self._backend)
        inputs, row = engine.begin(voice), engine.prompt_rows
        first = row // engine.sizes.frames_per_token
        tokens = np.concatenate((voice.flow_tokens[:first], self._random))
        mu, speaker = engine.condition(tokens, voice.speaker, first, first + vocoder.flow.chunk_tokens)
        begin = time.perf_counter()
        mel = engine.solve(mu, np.zeros_like(mu), speaker, row, np.zeros(row, np.int64), row, inputs)
        return Solved(mel, engine.noise(np.arange(row, row + len(mel))), time.perf_counter() - begin, engine.cache_bytes())


def measure(chunk: Chunk, steps: Sequence[int], repeats: int = 1) -> list[FlowStepsRow]:
    """Every number of steps, in turn, compared with `REFERENCE`; times are the least of the repeats."""
    wanted = chunk.solve(REFERENCE)
    way, rows = _size(wanted.mel - wanted.noise), []
    for count in steps:
        solved = [chunk.solve(count) for _ in range(repeats)]
        error = _size(solved[0].mel - wanted.mel) / way
        rows.append(FlowStepsRow(count, error, min(one.seconds for one in solved), solved[0].cache_bytes))
    return rows


def _size(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(difference, dtype=np.float64))))


@click.command()
@click.option("--bundle", required=True, type=click.Path(path_type=Path), help="A CosyVoice3 bundle.")
@click.option("--voice", type=click.Path(path_type=Path), metavar="NPZ",
              help="A voice that `clone_voice(...).save` wrote.  [default: no prompt, a made-up speaker]")
@click.option("--steps", multiple=True, type=click.IntRange(1), default=STEPS, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write the figures here.")
def main(bundle: Path, voice: Path | None, steps: tuple[int, ...], repeats: int, threads: int, json_path: Path | None) -> None:
    """Measure few steps of the flow against many."""
    opened = Bundle.open(bundle).with_flow_steps(REFERENCE)  # refuses a bundle without a flow before it is loaded
    backend = create_backend(opened, "cpu", threads)
    rows = measure(Chunk(opened, backend, _speaker(opened, voice)), steps, repeats)
    backend.close()
    title = f"{opened.manifest.model}, {threads} threads"
    table = Table("steps", "error", "seconds a chunk", "cache, MB", title=title)
    for row in rows:
        table.add_row(str(row.steps), f"{row.error:.1e}", f"{row.seconds:.2f}", f"{row.cache_bytes / 1e6:.0f}")
    Console().print(table)
    if json_path is not None:
        with atomic_file(json_path) as file:
            file.write(msgspec.json.encode(rows))


def _speaker(bundle: Bundle, path: Path | None) -> Voice:
    if path is not None:
        return read_voice(path, path.stem, bundle.manifest)
    none, speaker = np.zeros(0, np.int64), np.random.default_rng(1).standard_normal(bundle.manifest.sizes.speaker)
    return Voice("made-up", speaker.astype(np.float32), none, none)


if __name__ == "__main__":
    run(main)
