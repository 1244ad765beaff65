"""Playback on this machine's sound device through the player that is installed: ALSA, PulseAudio, PipeWire, FFmpeg or SoX."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import IO

from ..errors import OutputError

PLAYERS: dict[str, tuple[str, ...]] = {
    "aplay": ("-q", "-t", "raw", "-f", "S16_LE", "-r", "{rate}", "-c", "1", "-"),
    "paplay": ("--raw", "--rate={rate}", "--channels=1", "--format=s16le"),
    "pw-cat": ("-p", "--raw", "--rate={rate}", "--channels=1", "--format=s16", "-"),
    "ffplay": ("-loglevel", "error", "-nodisp", "-autoexit", "-f", "s16le", "-ar", "{rate}", "-ch_layout", "mono", "-"),
    "play": ("-q", "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", "{rate}", "-"),
}
"""Commands that play raw little-endian int16 samples from standard input, in the order in which they are tried."""


@contextlib.contextmanager
def open_player(sample_rate: int) -> Iterator[IO[bytes]]:
    """Yield a file that plays the mono int16 bytes written to it; leaving the block waits until all is played.

    After an exception the player is stopped at once.

    Raises:
        OutputError: no player is installed, or it failed (no sound device).
    """
    command = player_command(sample_rate)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    complete = False
    try:
        with contextlib.suppress(BrokenPipeError):  # the exit status says why
            yield process.stdin
        complete = True
    finally:
        if not complete:
            process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        assert process.stderr is not None
        message = process.stderr.read().decode(errors="replace").strip().splitlines()
        process.stderr.close()
        process.wait()
    if process.returncode:
        raise OutputError(f"{command[0]} cannot play ({message[-1][:200] if message else f'exit code {process.returncode}'}); "
                          "write a file with -o instead.")


def player_command(sample_rate: int) -> list[str]:
    """Return the command of the first player that is installed. Raises OutputError where there is none."""
    for name, arguments in PLAYERS.items():
        if (path := shutil.which(name)) is not None:
            return [path, *(argument.format(rate=sample_rate) for argument in arguments)]
    raise OutputError(f"No player is installed ({', '.join(PLAYERS)}); install one, for example: apt-get install alsa-utils.")
