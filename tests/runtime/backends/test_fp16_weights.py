"""FP16 weights are cast when the shipped bundle's extractor is loaded, and the tokens stay the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from runtime.backends import onnxruntime as module
from runtime.backends.fp16_weights import cast_once
from runtime.bundle.reader import EMBEDDED, Bundle
from runtime.decoding.decoder import Decoder
from runtime.options import SamplingOptions
from runtime.text.frontend import TextFrontEnd

GRAPH = EMBEDDED / "onnx" / "extractor.onnx"


def test_the_temporary_form_lies_elsewhere_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with cast_once(onnxruntime, GRAPH) as path:
        assert path.is_relative_to(tmp_path) and path.is_file()
    assert list(tmp_path.iterdir()) == []


def test_without_room_the_graph_itself_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with cast_once(onnxruntime, GRAPH) as path:
        assert path == GRAPH


def test_the_tokens_are_those_of_casts_on_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def tokens() -> list[list[int]]:
        bundle = Bundle.open()
        ids = TextFrontEnd.load(bundle.root / "text").ids("Move two meters to the left, please.")
        backend = module.open_backend(bundle, "cpu", 1)
        random = np.random.default_rng(0)
        found = Decoder(bundle.manifest, backend).decode(ids, bundle.voice(), SamplingOptions(), random, lambda: False)
        patches = [patch.tolist() for patch in found]
        backend.close()
        return patches

    now = tokens()
    monkeypatch.setattr(module, "REREAD", ())
    assert now == tokens()
    assert sum(map(len, now)) > 20


def test_brief_spinning_is_for_versions_that_can() -> None:
    assert module._spinning("1.20.1") == {"session.intra_op.allow_spinning": "0"}
    assert "session.intra_op.spin_duration_us" in module._spinning("1.32.0")
