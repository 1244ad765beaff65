"""Peers: stand-ins measured in turn, absent ones in one line, and what each real one needs to know."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.peers import peer_class, split_peers
from benchmarks.peers.base import PeerMissing, SpeechPeer, StepPeer
from benchmarks.peers.llama_cpp import tensors
from benchmarks.peers.speakers import open_speakers, speaker_figures
from benchmarks.peers.step_comparison import measure_steps
from benchmarks.speed.config import BenchConfig
from benchmarks.speed.speech import TimedSpeech
from export.model.config import PRESETS, ModelConfig
from runtime.bundle.reader import Bundle


def config(cache: Path) -> BenchConfig:
    return BenchConfig(seconds=(1.0,), repeats=3, cache=cache)


class Steady(StepPeer):
    distribution: ClassVar[str] = "numpy"
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    what: ClassVar[str] = "nothing"
    calls: ClassVar[list[tuple[int, int]]] = []

    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        assert config.vocabulary.codes == 6561 and folder.is_dir() and threads == 1

    def decode(self, prefix: int, tokens: int) -> float:
        self.calls.append((prefix, tokens))
        return 0.25


class Absent(Steady):
    distribution: ClassVar[str] = "no-such-distribution"


class Broken(Steady):
    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        raise RuntimeError("its file is\nof another version")


class Whisper(SpeechPeer):
    distribution: ClassVar[str] = "numpy"

    def load(self, threads: int) -> None:
        raise PeerMissing("no weights here")

    def speak(self, text: str) -> TimedSpeech:
        raise AssertionError(text)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Steady, Absent, Broken, Whisper):
        monkeypatch.setitem(peers.PEERS, kind.__name__.lower(), f"{__name__}:{kind.__name__}")
    imported = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name, package=None: sys.modules.get(name) or imported(name, package))


def test_each_beside_ours_in_turn(registered: None, tiny: Path, tiny_token_level: Path, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", PRESETS["embedded"])
    Steady.calls.clear()
    bundles = [("k=4", Bundle.open(tiny)), ("token level", Bundle.open(tiny_token_level))]
    found = {row.name: row for row in measure_steps(["steady", "absent", "broken"], bundles, config(tmp_path),
                                                    lambda text: None)}
    steady = found["steady:fp32"]
    assert steady.step_ms is not None and steady.step_ms.median == 250 and steady.step_ms.count == 3
    assert steady.ours_over_peer is not None and 0 < steady.ours_over_peer < 0.2 and steady.beside == "token level"
    assert len(Steady.calls) == 4 and {prefix for prefix, _ in Steady.calls} == {4}
    assert found["absent:fp32"].missing == "not installed: pip install no-such-distribution"
    assert found["broken:fp32"].missing == "failed: RuntimeError: its file is of another version"


def test_without_a_token_level_system_there_is_nothing_beside(registered: None, tiny: Path) -> None:
    (row,) = measure_steps(["steady"], [("k=4", Bundle.open(tiny))], config(Path()), lambda text: None)
    assert "--against token-level" in row.missing


def test_voices_are_compared_sentence_by_sentence(registered: None) -> None:
    _, missing = open_speakers(["whisper"], 1)
    assert [row.missing for row in missing] == ["no weights here"]
    second = np.zeros(8000, np.float32)
    ours = [TimedSpeech(second, 8000, 0.01, 0.1), TimedSpeech(second, 8000, 0.01, 0.3)]
    theirs = [TimedSpeech(np.tile(second, 2), 8000, 0.2, 0.4), TimedSpeech(second, 8000, 0.2, 0.6)]
    faster = [TimedSpeech(second, 8000, 0.01, 0.05), TimedSpeech(second, 8000, 0.01, 0.15)]
    spoken = {"ours": ours, "int8": faster, "whisper": theirs}
    row, other = speaker_figures(Whisper("whisper"), ["ours", "int8"], spoken, ["a", "b"])
    assert other.beside == "int8" and other.ours_over_peer == pytest.approx(0.25)
    assert other.rtf == row.rtf and not other.clips  # the page plays each sentence once
    assert row.ours_over_peer == pytest.approx(0.5) and row.ttfa_ms is not None and row.ttfa_ms.median == pytest.approx(200)
    assert row.rtf is not None and row.rtf.median == pytest.approx(0.4) and row.clips[0].ogg[:4] == b"OggS"


def test_the_real_ones_are_known() -> None:
    assert split_peers(["transformers", "llama.cpp:q8_0", "piper", "onnxruntime-genai:int4", "pocket-tts"]) == (
        ["transformers", "llama.cpp:q8_0", "onnxruntime-genai:int4"], ["piper", "pocket-tts"])
    for name in peers.PEERS:
        made: Any = peer_class(name)(name)
        assert made.precision == (made.precisions[0] if made.precisions else "")


def test_llama_has_the_sizes_of_the_backbone() -> None:
    config = PRESETS["cosyvoice3-0.5b"](1)
    total = sum(int(np.prod(shape)) for name, shape in tensors(config) if name.startswith("blk"))
    assert total == pytest.approx(357.9e6, rel=0.001)  # the paper's backbone
