"""The teacher reads a list of sentences, to be measured beside the voices it taught: `python -m training.recordings`.

    DIR/<voice>/index.tsv     file name, tab, sentence
    DIR/<voice>/0000.flac     24 kHz, the sentence of line 1

`python -m benchmarks.quality --recordings NAME=DIR` reads such a folder, whoever has spoken in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click
import numpy as np
import soundfile

from runtime.atomic import atomic_file
from runtime.command import run
from runtime.errors import OptionError
from runtime.text.phonemes import Phonemizer
from training.data.teacher import SAMPLE_RATE, Teacher

INDEX = "index.tsv"
GROUP = 5
"""Sentences that a worker reads with one loaded teacher."""


def record(folder: Path, sentences: Sequence[str], voice: str, models: Path, lexicon: Path, workers: int) -> Iterator[None]:
    """Have a voice of the teacher read `sentences` into `folder`; files that are there are kept. Yields once a group."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = write_index(folder, sentences)
    groups = [jobs[start:start + GROUP] for start in range(0, len(jobs), GROUP)]
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(record_some, models, lexicon, voice), groups)


def write_index(folder: Path, sentences: Sequence[str]) -> list[tuple[Path, str]]:
    """Write which file is for which sentence; gives these pairs."""
    jobs = [(folder / f"{number:04d}.flac", text) for number, text in enumerate(sentences)]
    with atomic_file(folder / INDEX) as file:
        file.write("".join(f"{path.name}\t{text}\n" for path, text in jobs).encode())
    return jobs


def join(folder: Path, target: Path) -> None:
    """All recordings of a folder as one file."""
    files = [folder / line.split("\t")[0] for line in (folder / INDEX).read_text(encoding="utf-8").splitlines()]
    samples = np.concatenate([soundfile.read(path, dtype="float32")[0] for path in files])
    write_recording(target, samples)


def record_some(models: Path, lexicon: Path, voice: str, jobs: list[tuple[Path, str]]) -> None:
    """Have a voice read the sentences whose files are missing, in a worker."""
    missing = [(path, text) for path, text in jobs if not path.exists()]
    if missing:
        teacher, phonemizer = Teacher(models, voice), Phonemizer.load(lexicon)
        for path, text in missing:
            samples = teacher.read(phonemizer.phonemes(text), with_audio=True).samples
            assert samples is not None
            write_recording(path, samples)


def write_recording(path: Path, samples: np.ndarray) -> None:
    """Write samples float32 [T] at the teacher's rate as FLAC."""
    with atomic_file(path) as file:
        soundfile.write(file, np.clip(samples, -1, 1), SAMPLE_RATE, format="FLAC", subtype="PCM_16")


@click.command()
@click.option("--sentences", type=click.Path(path_type=Path, exists=True), default=Path("benchmarks/data/held_out.tsv"),
              show_default=True, help="One sentence per line, after the last tab if there are any.")
@click.option("--first", type=int, default=1, show_default=True, help="Number of the first line to read.")
@click.option("--count", type=int, default=500, show_default=True, help="How many lines.")
@click.option("--voice", "names", multiple=True, help="Our names of voices.  [default: all of the recipe's]")
@click.option("--out", type=click.Path(path_type=Path), default=Path.home() / ".cache/tldr-edge/recordings/teacher",
              show_default=True)
@click.option("--joined", type=click.Path(path_type=Path), metavar="DIR", help="Also write each voice's as DIR/NAME.flac.")
@click.option("--work", type=click.Path(path_type=Path), default=Path.home() / ".cache/tldr-edge/run", show_default=True)
@click.option("--workers", type=int, default=2, show_default=True)
def main(sentences: Path, first: int, count: int, names: tuple[str, ...], out: Path, joined: Path | None, work: Path,
         workers: int) -> None:
    """Have the teacher read sentences aloud: about 1.7 times real time on a core."""
    from rich.progress import track

    from training.recipe import Recipe

    recipe = Recipe(work, Path("voices/embedded"))
    unknown = set(names) - recipe.voices.keys()
    if unknown:
        raise OptionError(f"There is no voice {min(unknown)!r}; the recipe has {', '.join(recipe.voices)}.")
    lines = sentences.read_text(encoding="utf-8").splitlines()[first - 1:first - 1 + count]
    for name in names or tuple(recipe.voices):
        done = record(out / name, [line.split("\t")[-1] for line in lines], recipe.voices[name], work / "teacher",
                      recipe.target / "text", workers)
        for _ in track(done, name, total=-(-len(lines) // GROUP)):
            pass
        if joined is not None:
            join(out / name, joined / f"{name}.flac")


if __name__ == "__main__":
    run(main)
