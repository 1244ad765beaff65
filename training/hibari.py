"""The teacher of the voice `heart`: hibari-tts (Apache-2.0), its prosody network in ONNX and its spectral decoder in PyTorch.

The ONNX graph inside the package has two halves. The front half maps phoneme ids to durations, F0, energy and one text vector
per phoneme; the decoder maps these, repeated per frame, to spectra. `Front` runs the first half alone, a tenth of the cost;
`SpectralDecoder` is the second half with dequantised weights: a student starts from it and learns from its hidden states.

The package's frames are 300 samples apart. A codec token has 960 samples, which is no multiple of 300, so frames are
synthesised 320 samples apart here (three per token), and durations are divided by 320 / 300 to keep the pace.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from runtime.atomic import atomic_file
from runtime.backends.library import load_onnxruntime

SAMPLE_RATE, FRAME_HOP, OWN_HOP = 24_000, 320, 300
FFT, BINS = 1200, 601
TEXT_WIDTH, WIDTH, BLOCKS, EXPANSION, KERNEL = 128, 256, 8, 3, 7
FRAMES_PER_UNIT = 2
"""Frames per unit of the predicted durations."""

_DURATIONS, _TEXT, _PITCH, _INPUT = "/Clip_output_0", "/Transpose_22_output_0", "f0", "/Concat_43_output_0"


@dataclass(frozen=True)
class Prosody:
    """One utterance before the spectral decoder: ids int64 [P] with padding id 0 at both ends, durations in frames int64 [P],
    text vectors float32 [P, 128], F0 in Hz float32 [F] (0: unvoiced), energy float32 [F] on the decoder's scale."""

    ids: np.ndarray
    durations: np.ndarray
    text: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray

    def inputs(self) -> np.ndarray:
        """Decoder input, float32 [F, 130]."""
        text = np.repeat(self.text, self.durations, axis=0)
        return np.concatenate((text, scaled_pitch(self.pitch)[:, None], self.energy[:, None]), 1).astype(np.float32)


def scaled_pitch(pitch: np.ndarray) -> np.ndarray:
    """F0 in Hz as the decoder reads it."""
    scaled: np.ndarray = np.log(np.maximum(pitch, 0) + _PITCH_OFFSET) / _PITCH_SCALE
    return scaled


_PITCH_OFFSET, _PITCH_SCALE = 1.0, 5.0


def package_model() -> Any:
    """The package's ONNX model."""
    import onnx

    return onnx.ModelProto.FromString((importlib.resources.files("hibari") / "assets" / "hibari.onnx").read_bytes())


class Front:
    """Phonemes to prosody and text vectors. `folder` keeps the cut graph."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        onnxruntime = load_onnxruntime()

        path = folder / "front.onnx"
        if not path.exists():
            _write_front(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._ids = json.loads((importlib.resources.files("hibari") / "assets" / "vocab.json").read_text(encoding="utf-8"))

    def read(self, phonemes: str, speed: float = 1.0) -> Prosody:
        """Prosody of phonemes in Kokoro's alphabet; unknown symbols are dropped. `speed` 1 is the teacher's own pace."""
        ids = np.array([0, *(self._ids[each] for each in phonemes if each in self._ids), 0], np.int64)
        feeds = {"ids": ids[None], "speed": np.array([speed * FRAME_HOP / OWN_HOP], np.float32)}
        durations, text, pitch, inputs = self._session.run([_DURATIONS, _TEXT, _PITCH, _INPUT], feeds)
        return Prosody(ids, durations.reshape(-1).astype(np.int64) * FRAMES_PER_UNIT, text[0].T, pitch[0], inputs[0, -1])


def _write_front(path: Path) -> None:
    import onnx

    model = package_model()
    inner = [onnx.helper.make_empty_tensor_value_info(name) for name in (_DURATIONS, _TEXT, _PITCH, _INPUT)]
    del model.graph.output[:]
    model.graph.output.extend(inner)
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(model.SerializeToString())


class SpectralBlock(nn.Module):
    """ConvNeXt block of the decoder, x [B, F, C]; `past` frames before and `future` frames after the current one."""

    def __init__(self) -> None:
        super().__init__()
        self.dw = nn.Conv1d(WIDTH, WIDTH, KERNEL, groups=WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.pw1 = nn.Linear(WIDTH, EXPANSION * WIDTH)
        self.pw2 = nn.Linear(EXPANSION * WIDTH, WIDTH)
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        padded = nn.functional.pad(x.transpose(1, 2), (KERNEL // 2, KERNEL // 2))
        mixed = self.dw(padded).transpose(1, 2)
        return x + self.gamma * self.pw2(nn.functional.gelu(self.pw1(self.norm(mixed))))


class SpectralDecoder(nn.Module):
    """Decoder inputs [B, F, 130] to hidden states [B, F, 256], and those to five spectra [B, F, 601] each."""

    def __init__(self) -> None:
        super().__init__()
        self.dec_in = nn.Conv1d(TEXT_WIDTH + 2, WIDTH, KERNEL, padding=KERNEL // 2)
        self.dec = nn.ModuleList(SpectralBlock() for _ in range(BLOCKS))
        self.dec_norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.head = nn.Linear(WIDTH, 5 * BINS)

    def hidden(self, inputs: Tensor) -> Tensor:
        """Normalised hidden states, of which the spectra are a linear map."""
        x = self.dec_in(inputs.transpose(1, 2)).transpose(1, 2)
        for block in self.dec:
            x = block(x)
        normed: Tensor = self.dec_norm(x)
        return normed

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Harmonic log-magnitude, harmonic phase, noise log-magnitude, residual log-magnitude, residual phase."""
        return tuple(self.head(self.hidden(inputs)).chunk(5, dim=-1))


def load_decoder() -> SpectralDecoder:
    """The package's decoder with its weights dequantised to float32."""
    from onnx import numpy_helper

    arrays = {each.name: numpy_helper.to_array(each) for each in package_model().graph.initializer}
    decoder = SpectralDecoder()
    state = {name: torch.from_numpy(arrays[f"m.{name}"].copy()) for name in decoder.state_dict() if f"m.{name}" in arrays}
    for name in decoder.state_dict():
        if name not in state:
            stem = "/" + name.removesuffix(".weight").replace("dec.", "dec.", 1).replace(".pw", "/pw") + "/Transpose_output_0"
            weights = arrays[f"{stem}_quantized"].astype(np.float32) - arrays[f"{stem}_zero_point"].astype(np.float32)
            state[name] = torch.from_numpy((weights * arrays[f"{stem}_scale"]).T.copy())
    decoder.load_state_dict(state)
    return decoder.eval()
