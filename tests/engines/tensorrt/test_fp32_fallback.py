"""An engine that overflows where its graph does not: the node is found on the device, kept in float32, and written down."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from engines import cli
from engines.fp16.bisection import keep_bad
from engines.fp16.fp16_graph import half_values, load_graph
from engines.fp16.fp16_range import secure_bundle
from runtime.bundle.engine_set import read_engine_set
from runtime.bundle.reader import Bundle
from tests.fixtures import tiny_bundle
from tests.fixtures.devices import install

CHAIN = ("FIRST", "SECOND", "THIRD", "FOURTH")


@pytest.fixture
def proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An FP16 bundle whose compressor ends in four products by one, each named, and whose graphs were proved to hold."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tiny_bundle.build(tmp_path / "bundle", precision="fp16")
    path = root / "onnx" / "compressor.onnx"
    model = onnx.load(path)
    last = next(node for node in model.graph.node if node.output[0] == "patches")
    last.output[0] = "made"
    model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.float16), "one"))
    values = ["made", "a", "b", "c", "patches"]
    for name, source, result in zip(CHAIN, values, values[1:], strict=False):
        model.graph.node.append(helper.make_node("Mul", [source, "one"], [result], name=name))
    onnx.save(model, path)
    tiny_bundle.seal(root, tiny_bundle.read(root))
    bundle = Bundle.open(root)
    tiny_bundle.seal(root, msgspec.structs.replace(bundle.manifest, half=secure_bundle(bundle)))
    return root


def tldr_engines(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["tldr-engines", str(bundle)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("spoiled", CHAIN[1:3])
def test_the_node_to_blame_stays_float32(proved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                                         spoiled: str) -> None:
    machine = install(monkeypatch)
    machine.tensorrt.spoiled = spoiled
    before = Bundle.open(proved).manifest
    assert tldr_engines(monkeypatch, proved) == 0, capsys.readouterr().err
    bundle = Bundle.open(proved)
    row = next(row for row in bundle.manifest.half if row.graph == "compressor")
    assert [(node.node, node.operator) for node in row.kept] == [(spoiled, "Mul")]
    assert "first node that makes the engine's error inf (TensorRT 10.3.0, SM 8.7)" in row.kept[0].reason
    assert f"| compressor | {spoiled} | Mul |" in (proved / "MODEL_CARD.md").read_text()
    graph = load_graph(proved / "onnx" / "compressor.onnx")
    half = half_values(graph)
    wide = {node.name for node in graph.graph.node if node.name in CHAIN and not set(node.output) & half}
    assert wide == {spoiled}
    assert {name for name, digest in bundle.manifest.files.items() if before.files.get(name) != digest} == {
        "MODEL_CARD.md", "onnx/compressor.onnx"}
    found = read_engine_set(proved / "engines" / "tensorrt-10.3.0-sm87")
    assert {each.graph for each in found.parity} >= {"compressor", "backbone"}
    assert all(each.relative == 0 for each in found.parity)
    assert not list(proved.parent.glob(".bundle*"))
    assert tldr_engines(monkeypatch, proved) == 0
    assert "present" in capsys.readouterr().out


def test_what_cannot_be_mended_is_refused(proved: Path, monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    machine = install(monkeypatch)
    machine.tensorrt.spoiled = "FIRST"
    monkeypatch.setattr("engines.tensorrt.fp32_fallback.MAX_KEPT", 0)
    before = {path: path.read_bytes() for path in proved.rglob("*") if path.is_file()}
    assert tldr_engines(monkeypatch, proved) == 2
    err = capsys.readouterr().err
    assert "The engine of graph compressor does not hold in float16 under TensorRT 10.3.0, SM 8.7" in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in proved.rglob("*") if path.is_file()} == before


def test_nodes_are_kept_until_the_result_is_right() -> None:
    nodes = [f"n{index}" for index in range(9)]
    bad = {"n2": 3.0, "n5": 2.0, "n7": 1.0}

    def error(wide: object) -> float:
        return max((size for name, size in bad.items() if name not in wide), default=0.0)  # type: ignore[operator]

    kept: dict[str, str] = {}
    assert keep_bad(nodes, kept, error, 0.5, 9, "made {error:.0f}") == 0.0
    assert kept == {"n2": "made 3", "n5": "made 2", "n7": "made 1"}
    kept = {}
    assert keep_bad(nodes, kept, error, 0.5, 2, "") == 1.0 and list(kept) == ["n2", "n5"]
    assert keep_bad([], {}, lambda wide: 7.0, 0.5, 9, "") == 7.0
