"""A corpus of recordings for CosyVoice3: one JSON object a line, `audio` (a path, from the manifest's folder) and `text`.

LibriTTS in that form is a few lines of shell: its `.normalized.txt` files are beside its `.wav` files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from export.checkpoints.cosyvoice.directory import SPEAKER_ENCODER, SPEECH_TOKENIZER
from export.checkpoints.cosyvoice.tokenizer import build_tokenizer
from runtime.bundle.manifest import Encoders
from runtime.cloning.encoders import CosyVoiceEncoders, resample
from runtime.cloning.features import SPEECH_RATE
from runtime.cloning.reference import read_recording
from runtime.errors import CheckpointError, TldrError
from runtime.text.qwen import SYSTEM_PROMPT, QwenTokenizer
from training.data.shards import Utterance, read_folder, write_shard

SHARD = 500
"""Utterances of a shard."""


class Line(msgspec.Struct, frozen=True):
    """One line of the manifest."""

    audio: str
    text: str


@dataclass(frozen=True)
class Prompted:
    """One utterance: text ids [S] with the system prompt before them, codes [T], and its speaker's embedding [Es]."""

    ids: torch.Tensor
    codes: torch.Tensor
    speaker: torch.Tensor


def read_manifest(path: Path) -> list[Line]:
    """Raises CheckpointError where the file is missing or a line is not of the form above."""
    try:
        rows = path.read_bytes().splitlines()
    except OSError as error:
        raise CheckpointError(f"The manifest {path} cannot be read ({error.strerror}).") from error
    lines = []
    for number, row in enumerate(rows, 1):
        try:
            lines.append(msgspec.json.decode(row, type=Line))
        except msgspec.DecodeError as error:
            raise CheckpointError(f"{path}, line {number}: {error}; each line is {{\"audio\": ..., \"text\": ...}}.") from error
    if not lines:
        raise CheckpointError(f"The manifest {path} is empty; give it one JSON object a line, audio and text.")
    return lines


def encode_corpus(manifest: Path, backbone: Path, folder: Path) -> Iterator[str]:
    """Write the corpus as shards, those that are there left alone; gives a line for each shard and refused recording."""
    lines, tokenizer = read_manifest(manifest), QwenTokenizer(build_tokenizer(backbone))
    with CosyVoiceEncoders(backbone, Encoders(SPEAKER_ENCODER, SPEECH_TOKENIZER)) as encoders:
        for start in range(0, len(lines), SHARD):
            path = folder / f"{start:08d}.safetensors"
            if path.exists():
                continue
            arrays: list[Utterance] = []
            texts: list[dict[str, str]] = []
            for line in lines[start:start + SHARD]:
                try:
                    samples, rate = read_recording(manifest.parent / line.audio)
                except TldrError as error:
                    yield f"left out: {error}"
                    continue
                encoded = encoders.encode_speech(resample(samples, rate, SPEECH_RATE))
                ids = np.array(tokenizer.ids(SYSTEM_PROMPT + line.text), np.int32)
                arrays.append({"ids": ids, "codes": encoded.tokens.astype(np.int16), "speaker": encoded.speaker})
                texts.append({"audio": line.audio, "text": line.text})
            write_shard(path, arrays, texts)
            yield f"{path.name}: {len(texts)} utterances"


def read_corpus(folder: Path, patch: int, longest: int) -> list[Prompted]:
    """All utterances of at most `longest` positions: text, its two ends, and a position a patch. Raises CheckpointError."""
    found = []
    for _, arrays in read_folder(folder):
        ids, codes = (torch.from_numpy(arrays[name]).long() for name in ("ids", "codes"))
        if len(ids) + 2 + -(-(len(codes) + 1) // patch) <= longest:
            found.append(Prompted(ids, codes, torch.from_numpy(arrays["speaker"])))
    if not found:
        raise CheckpointError(f"{folder} holds no utterance of at most {longest} positions; encode a manifest first.")
    return found
