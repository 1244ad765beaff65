"""`tldr-engines` on a fake device: builds, compares, prints; every refusal is one sentence and leaves the bundle as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from engines import cli
from runtime.bundle.engine_set import read_engine_set
from tests.fixtures.devices import install


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def tldr_engines(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["tldr-engines", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_builds_and_compares_on_the_device(own_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    install(monkeypatch)
    assert tldr_engines(monkeypatch, own_bundle, "--json", tmp_path / "figures.json") == 0
    out = capsys.readouterr().out
    assert "SM 8.7 on Fake Orin: 5 of 5 utterances have ONNX Runtime's greedy tokens" in out
    folder = own_bundle / "engines" / "tensorrt-10.3.0-sm87"
    rows = {(row.graph, row.output): row for row in read_engine_set(folder).parity}
    assert {("backbone", "context"), ("extractor", "logits"), ("vocoder", "waveform")} <= rows.keys()
    assert all(row.relative == 0 for row in rows.values()), "the fake device computes with ONNX Runtime too"
    assert "| backbone | context |" in (folder / "README.md").read_text()
    assert json.loads((tmp_path / "figures.json").read_text())["sets"][0]["compared"]["equal"] == 5
    assert tldr_engines(monkeypatch, own_bundle, "--no-verify") == 0
    assert "present" in capsys.readouterr().out


def test_engines_that_compute_something_else_are_not_kept(own_bundle: Path, monkeypatch: pytest.MonkeyPatch,
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    machine = install(monkeypatch)
    real = machine.cuda.write

    def poisoned(pointer: int, data: bytes) -> None:
        size = len(data) // 4 * 4
        real(pointer, np.full(size // 4, np.nan, np.float32).tobytes() if size == 4 * 8 else data)

    machine.cuda.write = poisoned  # type: ignore[method-assign]  # every tensor of the width of a context
    assert tldr_engines(monkeypatch, own_bundle) == 2
    err = capsys.readouterr().err
    assert "does not compute what the graph does: output" in err and "off by inf" in err and err.count("\n") == 1
    assert not list((own_bundle / "engines").iterdir())


@pytest.mark.parametrize(("arguments", "sentence"), [
    ([], "This machine has no TensorRT with a GPU to build for. No engines were built; build them on the target with"),
    (["--kind", "none"], "--kind is one of auto, tensorrt, tensorrt-rtx, not 'none'"),
    (["--kind", "tensorrt", "--sm", "8.6"], "--sm chooses what engines are built for; it needs tensorrt-rtx"),
    (["--kind", "tensorrt-rtx", "--sm", "x"], "--sm is a compute capability such as 8.6, not 'x'"),
    (["--kind", "tensorrt"], "no NVIDIA driver or GPU"),
])
def test_refusals(own_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                  arguments: list[str], sentence: str) -> None:
    install(monkeypatch, devices=0)
    before = sorted(own_bundle.rglob("*"))
    assert tldr_engines(monkeypatch, own_bundle, *arguments) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1, err
    assert sorted(own_bundle.rglob("*")) == before


def test_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert tldr_engines(monkeypatch, tmp_path / "nowhere") == 2
    assert "There is no bundle at" in capsys.readouterr().err
