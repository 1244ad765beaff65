"""Outputs of `tldr-speak`: sound files, standard output, the sound device, figures as JSON and as a table."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import OptionError, OutputError

if TYPE_CHECKING:
    from .audio import Audio
    from .options import SynthesisOptions
    from .stats import Stats
    from .streaming.stream import Stream
    from .synthesizer import Synthesizer
    from .timing.captions import Timestamps

DEFAULT_OUTPUT = "out.wav"
FORMATS = ("wav", "flac", "ogg", "mp3", "opus", "aac", "pcm")
"""Values of `--format`: the formats by their file suffixes."""


def check_outputs(output: str, kind: str | None, json_path: str | None, streaming: bool,
                  timestamps_path: str | None = None) -> None:
    """Check the outputs before anything is computed.

    Raises:
        OutputError: an output cannot be written.
        OptionError: outputs that exclude each other.
    """
    for path in (output, json_path, timestamps_path):
        if path is not None:
            _check_folder(path)
    from .audio import check_suffix
    from .timing.captions import check_timestamps_suffix

    if timestamps_path is not None:
        check_timestamps_suffix(timestamps_path)
        for option, other in (("--output", output), ("--json", json_path)):
            if other is not None and _same_file(timestamps_path, other):
                raise OptionError(f"{option} and --timestamps cannot both go to {other}.")

    if kind is None and not (streaming and not Path(output).suffix):
        check_suffix(output)
    if json_path is not None and _same_file(output, json_path):
        raise OptionError(f"--output and --json cannot both go to {output}.")


def write_whole(synthesizer: Synthesizer, text: str, output: str, kind: str | None, options: SynthesisOptions) -> Audio:
    """Synthesize all audio, then write it."""
    from .output.encoding import open_encoder, open_writer

    open_encoder(_kind(output, kind), synthesizer.sample_rate)  # a format that cannot be written is refused before the work
    audio = synthesizer.synthesize(text, options)
    with _destination(output) as file:
        if output == "-" and _kind(output, kind) == "wav":  # its header says the length, also in a pipe
            file.write(audio.wav_bytes())
            return audio
        writer = open_writer(file, _kind(output, kind), audio.sample_rate)
        writer.write(audio.int16())
        writer.finish()
    return audio


def write_stream(stream: Stream, output: str, kind: str | None) -> Stream:
    """Write samples as they are generated; FLAC, which needs its length first, at the end."""
    from .output.encoding import open_writer

    with stream, _destination(output) as file:
        writer = open_writer(file, _kind(output, kind), stream.sample_rate)
        for chunk in stream:
            writer.write(chunk.int16())
        writer.finish()
    return stream


def check_player() -> None:
    """Raise OutputError where no player is installed."""
    from .output.playback import player_command

    player_command(24_000)


def play_stream(stream: Stream) -> Stream:
    """Play samples as they are generated. Raises OutputError where there is no player or no sound device."""
    from .output.playback import open_player

    with stream, open_player(stream.sample_rate) as player:
        for chunk in stream.buffered():
            player.write(chunk.pcm_bytes())
            player.flush()
    return stream


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Write figures to a file, or to standard output for `-`."""
    data = (json.dumps(figures, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    with _destination(path) as file:
        file.write(data)


def write_timestamps(path: str, timestamps: Timestamps, quiet: bool) -> None:
    """Write times of words as JSON, SubRip or WebVTT by the file's suffix; say so where only sentences have times."""
    data = timestamps.format(Path(path).suffix).encode("utf-8", "backslashreplace")
    with _destination(path) as file:
        file.write(data)
    if timestamps.words is None and not quiet and sys.stderr is not None:
        print(f"This bundle has no phoneme recogniser: {path} has the times of sentences, not of words.", file=sys.stderr)


def print_table(stats: Stats, output: str, aside: bool) -> None:
    """Print the figures a user looks for first.

    Args:
        stats: of the utterance.
        output: the file that was written; `-` where there is none.
        aside: print on standard error, as standard output carries the audio or JSON.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in (
        ("audio", f"{stats.audio_seconds:.2f} s"),
        ("RTF", f"{stats.rtf:.3f} (compute / audio)"),
        ("TTFA", f"{1000 * stats.ttfa_seconds:.0f} ms"),
        ("patches", f"{stats.patches:,}"),
        ("tokens", f"{stats.tokens:,}"),
        ("KV cache", f"{stats.kv_cache_bytes_used:,} bytes used of {stats.kv_cache_bytes_allocated:,}"),
        ("provider", stats.provider),
    ):
        table.add_row(name, value)
    with standard_output():
        console = Console(stderr=aside, highlight=False)
        if output != "-":
            console.print(f"Wrote {output}", markup=False)
        console.print(table)


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Yield standard output, flushed at the end. Raises OutputError where it is closed or fails."""
    if sys.stdout is None:
        raise OutputError("Standard output is closed; write into a file, with --quiet.")
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write to standard output: {error.strerror}.") from error


def _destination(path: str) -> contextlib.AbstractContextManager[BinaryIO]:
    from .atomic import atomic_file

    return standard_output() if path == "-" else atomic_file(path)


def _kind(output: str, kind: str | None) -> str:
    """Return the format of an output: `--format`, or its suffix; WAV for standard output and devices."""
    from .output.encoding import SUFFIXES

    return SUFFIXES.get(f".{kind}" if kind else Path(output).suffix.lower(), "wav")


def _check_folder(path: str) -> None:
    """Raise OutputError where the folder of an output does not exist."""
    folder = os.path.dirname(os.path.abspath(path))
    if path != "-" and not os.path.isdir(folder):
        raise OutputError(f"Cannot write {path[:300]}: there is no folder {folder[:300]}; make it, or choose another place.")


def _same_file(first: str, second: str) -> bool:
    """Return whether two outputs are one file, whatever links and spellings name it."""
    return first == second or ("-" not in (first, second) and os.path.realpath(first) == os.path.realpath(second))
