"""The teacher hibari reads a list of sentences in each voice: `python -m training.heart.recordings`.

The folder is that of `training.recordings`; `python -m benchmarks.quality --recordings NAME=DIR` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from runtime.command import run
from runtime.errors import OptionError
from runtime.text.phonemes import Phonemizer
from training.heart.speech import TeacherVoice
from training.heart.voices import VOICES
from training.recordings import join, write_index, write_recording


def record(folder: Path, sentences: Sequence[str], voice: TeacherVoice, phonemizer: Phonemizer) -> None:
    """Have a voice of the teacher read `sentences` into `folder`; files that are there are kept."""
    from rich.progress import track

    folder.mkdir(parents=True, exist_ok=True)
    for path, text in track(write_index(folder, sentences), folder.name):
        if not path.exists():
            write_recording(path, voice.read(phonemizer.phonemes(text)))


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
def main(sentences: Path, first: int, count: int, names: tuple[str, ...], out: Path, joined: Path | None, work: Path) -> None:
    """Have the teacher read sentences aloud: about 20 times real time on a core."""
    unknown = set(names) - VOICES.keys()
    if unknown:
        raise OptionError(f"There is no voice {min(unknown)!r}; the recipe has {', '.join(VOICES)}.")
    lines = sentences.read_text(encoding="utf-8").splitlines()[first - 1:first - 1 + count]
    phonemizer = Phonemizer.load(Path("voices/embedded/text"))
    for name in names or tuple(VOICES):
        record(out / name, [line.split("\t")[-1] for line in lines], TeacherVoice(work / "hibari", name), phonemizer)
        if joined is not None:
            join(out / name, joined / f"{name}.flac")


if __name__ == "__main__":
    run(main)
