"""Lines of speech-dispatcher's module protocol: commands come on standard input, replies and samples go to standard output."""

from __future__ import annotations

import threading
from typing import BinaryIO

import numpy as np

MAX_SAMPLES = 4800
"""Samples per audio event: a stop takes effect between two of them."""
MAX_LINE = 1 << 20
"""Bytes of the longest line that is read."""
_ESCAPE, _FLIP = 0x7D, 0x20


class Channel:
    """Both directions of the protocol; replies may be sent from any thread."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer
        self._lock = threading.Lock()

    def read_command(self) -> str | None:
        """Return the next line without its end, or None where the other side has closed."""
        line = self._reader.readline(MAX_LINE)
        return line.decode("utf-8", "replace").rstrip("\r\n") if line else None

    def read_block(self) -> str:
        """Return the lines up to a single dot; a doubled dot at a line's start means one."""
        lines = []
        while (line := self.read_command()) is not None and line != ".":
            lines.append(line[1:] if line.startswith("..") else line)
        return "\n".join(lines)

    def reply(self, *lines: str) -> None:
        """Send lines."""
        self._send("".join(f"{line}\n" for line in lines).encode())

    def send_audio(self, samples: np.ndarray, sample_rate: int) -> None:
        """Send mono samples int16 [T], at most `MAX_SAMPLES`, as one event that the server plays."""
        head = (f"705-bits=16\n705-num_channels=1\n705-sample_rate={sample_rate}\n705-num_samples={len(samples)}\n"
                "705-big_endian=0\n")
        self._send(head.encode() + b"705-AUDIO\0" + escape(samples.astype("<i2").tobytes()) + b"\n705 AUDIO\n")

    def _send(self, data: bytes) -> None:
        with self._lock:
            self._writer.write(data)
            self._writer.flush()


def escape(data: bytes) -> bytes:
    """Return bytes without a line end: it and the escape byte follow an escape byte, with bit 5 inverted."""
    return data.replace(bytes((_ESCAPE,)), bytes((_ESCAPE, _ESCAPE ^ _FLIP))).replace(b"\n", bytes((_ESCAPE, 0x0A ^ _FLIP)))


def unescape(data: bytes) -> bytes:
    """Invert `escape`."""
    found = bytearray()
    escaped = False
    for byte in data:
        if escaped:
            found.append(byte ^ _FLIP)
            escaped = False
        elif byte == _ESCAPE:
            escaped = True
        else:
            found.append(byte)
    return bytes(found)
