"""The bundle inside the wheel: small enough, opened by default, and what the checkpoint exports to."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import numpy_helper

from runtime import Synthesizer
from runtime.bundle.contract import auxiliary_graphs
from runtime.bundle.manifest import Manifest
from runtime.bundle.reader import EMBEDDED, Bundle
from runtime.text.phonemes import IDS

ROOT = Path(__file__).parents[1]
MAX_BYTES = 40_000_000
RESULTS = ("files", "parity", "greedy_sentences", "tools", "half", "audio")
"""Fields of the manifest that tell how an export went, and may differ with the machine and its libraries."""


def weights(path: Path) -> dict[str, np.ndarray]:
    """Weights of a graph; constants, which the exporter numbers (`val_1`), depend on the form of its operators."""
    return {tensor.name: numpy_helper.to_array(tensor, str(path.parent)) for tensor in onnx.load(path).graph.initializer
            if not re.fullmatch(r"(val|scalar_tensor_default)_\d+", tensor.name)}


def what_it_is(manifest: Manifest) -> dict[str, object]:
    return {name: value for name, value in msgspec.to_builtins(manifest).items() if name not in RESULTS}


def test_it_fits_a_robot() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*") if path.is_file()) <= MAX_BYTES


def test_it_was_held_against_pytorch() -> None:
    manifest = Bundle.open().manifest
    assert manifest.greedy_sentences > 10  # of 20: float16 rounds, and a near tie may fall the other way
    assert {row.graph for row in manifest.parity} == set(manifest.graphs) | set(auxiliary_graphs(manifest.sizes.speaker, IDS))
    assert {row.graph for row in manifest.half} == set(manifest.graphs)


def test_it_is_what_the_checkpoint_exports_to(embedded_voice: Path) -> None:
    shipped, exported = Bundle.open(), Bundle.open(embedded_voice)
    assert what_it_is(shipped.manifest) == what_it_is(exported.manifest)
    assert shipped.manifest.files.keys() == exported.manifest.files.keys()
    for name, path in shipped.graph_paths().items():
        here, there = weights(path), weights(exported.graph_paths()[name])
        assert here.keys() == there.keys()
        for key, array in here.items():
            # Adapters are merged in float32 on either machine: a float16 weight may round the other way.
            np.testing.assert_allclose(array, there[key], rtol=2e-3, atol=1e-5, err_msg=f"{name}: {key}")
    for name in shipped.manifest.files:
        if name.startswith(("text/", "voices/")):
            assert shipped.manifest.files[name] == exported.manifest.files[name], name


def test_it_is_the_default_and_speaks() -> None:
    with Synthesizer() as synthesizer:
        audio = synthesizer.synthesize("hello", seed=0)
    assert 0.2 < len(audio.samples) / audio.sample_rate < 2.0
    assert audio.stats.stopped_by == "end"


def test_texts_in_one_batch_are_what_they_are_alone() -> None:
    """Bit for bit, FP16 weights and all: rows of other lengths and ends beside them change nothing."""
    texts = [line.split("\t")[-1] for line in (ROOT / "benchmarks" / "data" / "held_out.tsv").read_text().splitlines()[:12]]
    with Synthesizer(provider="cpu", threads=1) as tts:
        together = tts.synthesize_many(texts, seeds=range(12), batch=4).collect()
        for index, (text, audio) in enumerate(zip(texts, together, strict=True)):
            alone = tts.synthesize(text, seed=index)
            assert audio.stats.tokens == alone.stats.tokens
            np.testing.assert_array_equal(audio.samples, alone.samples)
