"""Recordings that clients upload to clone a voice from."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from serving.backends.cloned_voices import MAX_RECORDING
from serving.errors import ApiError

_OVERHEAD = 1 << 16
"""Bytes of an upload beside its recording."""


@dataclass(frozen=True)
class Upload:
    """A recording to clone, the voice's name, and what the recording says where that is known."""

    name: str
    recording: bytes
    transcript: str | None


async def read_upload(request: Request) -> Upload:
    """Read form data: `name`, a file `audio_sample` (or `file`, `audio`), and optionally `transcript` (or `ref_text`)."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_RECORDING + _OVERHEAD:
            raise ApiError(413, f"The recording has more than {MAX_RECORDING >> 20} MiB; 30 seconds are enough.")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ApiError(400, "Send multipart/form-data with the fields name and audio_sample.")
    fields = await _parse(request.headers, bytes(body))
    file = next((fields[key] for key in ("audio_sample", "file", "audio") if isinstance(fields.get(key), UploadFile)), None)
    if file is None:
        raise ApiError(400, "The file audio_sample is missing: a recording of 0.5 to 30 seconds.", param="audio_sample")
    recording = await file.read()
    transcript = next((fields[key] for key in ("transcript", "ref_text") if isinstance(fields.get(key), str)), None)
    name = fields.get("name")
    return Upload(name if isinstance(name, str) else "", recording, transcript or None)


async def _parse(headers: Headers, body: bytes) -> dict[str, Any]:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(headers, once(), max_files=2, max_fields=16, max_part_size=_OVERHEAD).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise ApiError(400, f"The form data is not understood: {getattr(error, 'message', error)}.") from error
    return dict(form)
