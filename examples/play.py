"""Speak on this machine's loudspeaker while the rest is still being made: `python -m examples.play "Hello." --bundle DIR`.

Needs `pip install '.[player]'`. Ctrl-C stops at once. With `-` the text comes word by word from standard input, as a
language model would write it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from runtime import OutputError, Synthesizer
from runtime.command import run
from runtime.stats import Stats
from runtime.streaming.stream import Stream

AHEAD_SECONDS = 2.0
SLICE_SECONDS = 0.02
"""Length of the blocks that are written to the device: the latency of a cancel."""


def play(stream: Stream, device: int | str | None = None) -> tuple[Stats, int]:
    """Play a stream as it is generated; return its figures and the number of underruns.

    OutputError where there is no working sound device.
    """
    sounddevice = _sounddevice()
    dry, size = 0, round(SLICE_SECONDS * stream.sample_rate)
    try:
        with sounddevice.RawOutputStream(stream.sample_rate, channels=1, dtype="int16", device=device) as output:
            with stream.buffered(AHEAD_SECONDS) as ahead:
                for chunk in ahead:
                    dry += _write(output, chunk.pcm_bytes(), 2 * size, stream)
            if stream.cancelled:
                output.abort()  # drops what the device still holds
    except sounddevice.PortAudioError as error:
        raise OutputError(f"There is no working sound device ({error}); tldr-speak writes files instead.") from error
    return stream.stats, dry


def _write(output: Any, data: bytes, size: int, stream: Stream) -> int:
    dry = 0
    for start in range(0, len(data), size):
        if stream.cancelled:
            break
        dry += bool(output.write(data[start:start + size]))
    return dry


def words(lines: Iterable[str]) -> Iterator[str]:
    """Words as they arrive, line ends kept."""
    for line in lines:
        yield from (word + " " for word in line.split())
        yield "\n"


def _sounddevice() -> Any:
    try:
        return importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise OutputError("Playing needs the package sounddevice and the library PortAudio: pip install '.[player]' "
                          "and apt-get install libportaudio2.") from error


@click.command()
@click.argument("text")
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--device", help="Number or name of the output device [default: the system's].")
@click.option("--seed", type=int, default=0)
def main(text: str, bundle: Path | None, device: str | None, seed: int) -> None:
    """Speak TEXT (`-`: standard input, word by word) on the loudspeaker."""
    with Synthesizer(bundle, warm_up=True) as synthesizer:
        stream = synthesizer.stream(words(sys.stdin) if text == "-" else text, seed=seed)
        stats, dry = play(stream, int(device) if device and device.isdigit() else device)
    click.echo(f"{stats.audio_seconds:.2f} s, TTFA {1000 * stats.ttfa_seconds:.0f} ms, RTF {stats.rtf:.3f}, ran dry: {dry}")


if __name__ == "__main__":
    run(main)
