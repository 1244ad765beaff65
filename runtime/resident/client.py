"""`tldr-speak --client`: hand a text to a resident voice. It imports the standard library only, so that it starts at once."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

MAX_REQUEST = 4 << 20
_USAGE = """Usage: tldr-speak --client [OPTIONS] TEXT...   (`-`, or a pipe: TEXT from standard input)

  -o, --output FILE   a .wav file, or `-` for a WAV on standard output  [default: out.wav]
  --voice NAME        --rate R        --seed N        --socket PATH
"""


def default_socket() -> str:
    """Return the socket's path: in the user's runtime folder, or in a folder of /tmp that only the user may enter."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return os.path.join(folder, "tldr-speak.sock") if folder else f"/tmp/tldr-speak-{os.getuid()}/socket"


def main(arguments: Sequence[str]) -> int:
    """Run the client with the arguments after `--client`; returns the exit code."""
    try:
        options, words = _parse(list(arguments))
        text = " ".join(words)
        if text == "-" or (not words and not sys.stdin.isatty()):
            text = sys.stdin.buffer.read(MAX_REQUEST).decode("utf-8", "replace")
        request = {"text": text, "voice": options.get("voice"), "rate": float(options.get("rate", 1)),
                   "seed": int(options.get("seed", 0))}
        speak(request, options.get("output", "out.wav"), options.get("socket") or default_socket())
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Error: {error.filename or 'the voice'}: {error.strerror or error}; is `tldr-speak --daemon` running?",
              file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def speak(request: Mapping[str, object], output: str, path: str) -> None:
    """Have a resident voice speak, and write its samples.

    Args:
        request: text, voice, rate, seed.
        output: a .wav file, which appears when it is complete, or "-".
        path: the voice's socket.

    Raises:
        ValueError: the request was refused.
        OSError: there is no such voice, or the output cannot be written.
    """
    if output != "-" and not output.endswith(".wav"):
        raise ValueError(f"{output} must end in .wav, or be `-`.")
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
        connection.sendall(json.dumps(request).encode() + b"\n")
        reader = connection.makefile("rb")
        head = json.loads(reader.readline() or b"{}")
        if "sample_rate" not in head:
            raise ValueError(head.get("error") or "the voice has ended.")
        if output == "-":
            _copy(reader, sys.stdout.buffer, int(head["sample_rate"]))
            return
        partial = os.path.join(os.path.dirname(output), f".{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            with open(partial, "wb") as file:
                _copy(reader, file, int(head["sample_rate"]))
            os.replace(partial, output)
        finally:
            if os.path.exists(partial):
                os.unlink(partial)


def _copy(reader: BinaryIO, file: BinaryIO, rate: int) -> None:
    """Write a WAV of the samples that come; its sizes are right where the file allows it."""
    file.write(_header(rate, 0xFFFFFFFF - 44))
    size = 0
    while data := reader.read1(1 << 16) if hasattr(reader, "read1") else reader.read(1 << 16):
        size += file.write(data)
        file.flush()
    if file.seekable():
        file.seek(0)
        file.write(_header(rate, size))


def _header(rate: int, size: int) -> bytes:
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate,
                       2, 16,
                       b"data", size)


def _parse(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    names = {"-o": "output", "--output": "output", "--voice": "voice", "--rate": "rate", "--seed": "seed", "--socket": "socket"}
    options: dict[str, str] = {}
    words: list[str] = []
    while arguments:
        word = arguments.pop(0)
        if word in ("-h", "--help"):
            print(_USAGE, end="")
            raise SystemExit(0)
        name, equals, value = word.partition("=")
        if word == "--":
            words += arguments
            break
        if name in names:
            if not equals and not arguments:
                raise ValueError(f"{name} needs a value.")
            options[names[name]] = value if equals else arguments.pop(0)
        elif word.startswith("-") and word != "-":
            raise ValueError(f"There is no option {word}; see tldr-speak --client --help.")
        else:
            words.append(word)
    return options, words
