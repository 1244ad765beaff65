"""`engines.json`: what older versions wrote is still read, and engines that they built are not built again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engines.tensorrt.store import write_engine_set
from runtime.bundle.engine_set import SET_MANIFEST, EngineKey, EngineTarget, Profile, Span, read_engine_set
from runtime.errors import BundleError
from tests.conftest import sentence_of

DIGEST = "b2c8e59e9462cbaef3e3ad6a511d4a02f49ba91a9701cc51dde08ed793facb36"
"""Of the key below, as version 0.1.0 computed it."""
WRITTEN: dict[str, Any] = {
    "schema": 1, "kind": "tensorrt", "version": "10.3.0", "sm": "8.7", "hardware": "exact", "version_compatible": False,
    "precision": "fp16", "device": "Orin",
    "engines": {"extractor": {
        "file": "extractor.engine", "sha256": "cd" * 32, "size": 12, "key": DIGEST, "graph": "ab" * 32,
        "profiles": [{"name": "step", "shapes": {"tokens": {"smallest": [1, 1], "usual": [1, 4], "largest": [1, 32]}}}],
        "seconds": 1.5}},
    "parity": [{"graph": "extractor", "output": "logits", "max_abs": 0.1, "relative": 0.01, "tolerance": 0.02}],
}
TARGET = EngineTarget("tensorrt", "10.3.0", "8.7", "exact", False, "fp16")


def test_the_key_of_an_engine_stays_what_it_was() -> None:
    profiles = (Profile("step", {"tokens": Span((1, 1), (1, 4), (1, 32))}),)
    assert EngineKey(TARGET, "ab" * 32, profiles).digest() == DIGEST
    assert EngineKey(TARGET, "ac" * 32, profiles).digest() != DIGEST


def test_a_list_is_read_and_written_as_ever(tmp_path: Path) -> None:
    (tmp_path / SET_MANIFEST).write_text(json.dumps(WRITTEN))
    found = read_engine_set(tmp_path)
    assert found.target == TARGET and found.device == "Orin" and found.engines["extractor"].key == DIGEST
    write_engine_set(tmp_path, found)
    assert (tmp_path / SET_MANIFEST).read_text() == json.dumps(WRITTEN, indent=1) + "\n", "field by field, in that order"
    assert read_engine_set(tmp_path) == found


@pytest.mark.parametrize("damage", [{"precision": None}, {"sm": 87}, {"colour": "red"}, {"schema": 2}, {"kind": "onnx"}])
def test_other_lists_are_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    damaged = {name: value for name, value in {**WRITTEN, **damage}.items() if value is not None}
    (tmp_path / SET_MANIFEST).write_text(json.dumps(damaged))
    with pytest.raises(BundleError) as error:
        read_engine_set(tmp_path)
    assert "build" in sentence_of(error)


@pytest.mark.parametrize("text", ["[1]", "{", "\xff"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / SET_MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(BundleError) as error:
        read_engine_set(tmp_path)
    sentence_of(error)
