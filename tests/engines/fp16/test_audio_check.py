"""Whole utterances in float16 against float32: equal where it holds, refused where it does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import onnx
import pytest

from engines.fp16 import audio_check
from engines.fp16.audio_check import UTTERANCES, check_audio
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError, ParityError
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle


@pytest.fixture
def half(tmp_path: Path) -> Bundle:
    return Bundle.open(tiny_bundle.build(tmp_path / "bundle", precision="fp16"))


def test_a_sound_bundle(half: Bundle) -> None:
    before = sorted(half.root.rglob("*"))
    found = check_audio(half)
    assert found is not None and (found.utterances, found.equal) == (UTTERANCES, UTTERANCES)
    assert found.spectral < 0.01
    assert sorted(half.root.rglob("*")) == before, "its variants are gone"


def test_other_speech_from_the_same_tokens_is_refused(half: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounded vocoder is made louder than the float32 one."""
    real = audio_check._variant

    def louder(bundle: Bundle, folder: Path, in_float: bool) -> Bundle:
        made = real(bundle, folder, in_float)
        if not in_float:
            path = made.graph_paths()["vocoder"]
            model = onnx.load(path)
            last = next(node for node in model.graph.node if "waveform" in node.output)
            last.output[list(last.output).index("waveform")] = "quiet"
            model.graph.node.append(onnx.helper.make_node("Add", ["quiet", "quiet"], ["waveform"]))
            onnx.save(model, path)
        return made

    monkeypatch.setattr(audio_check, "_variant", louder)
    with pytest.raises(ParityError) as error:
        check_audio(half)
    assert "makes other speech of the same tokens" in sentence_of(error) and "--fp32" in str(error.value)


def test_a_bundle_that_fails_while_it_speaks(half: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object) -> None:
        raise BackendError("no")

    monkeypatch.setattr(audio_check, "greedy", failing)
    with pytest.raises(ParityError, match="does not speak as float32 does: no"):
        check_audio(half)


@pytest.mark.parametrize("change", [{"text": "none"}, {"vocoder": None}])
def test_what_cannot_be_spoken_is_not_checked(half: Bundle, change: dict[str, None]) -> None:
    assert check_audio(Bundle(half.root, msgspec.structs.replace(half.manifest, **change))) is None
