"""Voices that clients upload: cloned from a recording, kept in memory until they are deleted or the server ends."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import OrderedDict
from pathlib import Path

from runtime import Synthesizer, Voice
from runtime.errors import VoiceError
from serving.errors import ApiError

MAX_VOICES = 64
MAX_RECORDING = 12 << 20
"""Bytes: 30 s of 48 kHz stereo in 32 bits."""
MAX_INSTRUCTED = 32
"""Voices with instructions that are kept."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ClonedVoices:
    """Voices by name, with their recordings, as an instruction needs its recording again."""

    def __init__(self, synthesizer: Synthesizer, allowed: bool) -> None:
        self._synthesizer = synthesizer
        manifest = synthesizer.bundle.manifest
        self.possible = allowed and manifest.encoders is not None
        """Whether clients may upload voices."""
        self.takes_instructions = self.possible and manifest.text == "qwen2"
        """Whether a cloned voice takes instructions: CosyVoice3's do."""
        self._voices: dict[str, tuple[Voice, bytes]] = {}
        self._instructed: OrderedDict[tuple[str, str], Voice] = OrderedDict()
        self._cloning = asyncio.Lock()

    @property
    def names(self) -> list[str]:
        """Names of the cloned voices."""
        return list(self._voices)

    async def add(self, name: str, recording: bytes, transcript: str | None) -> None:
        """Clone a voice. Raises ApiError, VoiceError, TextError, BackendError."""
        if not self.possible:
            raise ApiError(400, "This server cannot clone voices: its bundle has no encoders, or cloning is switched off.")
        if not _NAME.fullmatch(name):
            raise ApiError(400, "name must have 1 to 64 letters, digits, dots, dashes or underscores.", param="name")
        if name.lower() in (known.lower() for known in (*self._synthesizer.voices, *self._voices)):
            raise ApiError(409, f"There is a voice {name!r} already; delete it first or choose another name.", param="name")
        if len(self._voices) >= MAX_VOICES:
            raise ApiError(400, f"There are {MAX_VOICES} cloned voices; delete one first.")
        self._voices[name] = await self._clone(name, recording, transcript, None), recording

    def remove(self, name: str) -> bool:
        """Delete a cloned voice and its recording."""
        for key in [key for key in self._instructed if key[0] == name]:
            del self._instructed[key]
        return self._voices.pop(name, None) is not None

    async def choose(self, name: str | None, instructions: str | None) -> str | Voice | None:
        """The voice to speak with, by its name and, where it takes them, instructions."""
        if name not in self._voices:
            return name
        voice, recording = self._voices[name]
        if not instructions or not self.takes_instructions:
            return voice
        key = (name, instructions)
        if key not in self._instructed:
            self._instructed[key] = await self._clone(name, recording, None, instructions)
            while len(self._instructed) > MAX_INSTRUCTED:
                self._instructed.popitem(last=False)
        self._instructed.move_to_end(key)
        return self._instructed[key]

    def close(self) -> None:
        """Forget all."""
        self._voices.clear()
        self._instructed.clear()

    async def _clone(self, name: str, recording: bytes, transcript: str | None, instruction: str | None) -> Voice:
        def work() -> Voice:
            with tempfile.NamedTemporaryFile(prefix="tldr-voice-") as file:
                file.write(recording)
                file.flush()
                try:
                    return self._synthesizer.clone_voice(Path(file.name), transcript, instruction=instruction, name=name)
                except VoiceError as error:
                    raise VoiceError(str(error).replace(f" {file.name}", "")) from error

        async with self._cloning:  # one at a time: the encoders take memory and all cores
            return await asyncio.to_thread(work)
