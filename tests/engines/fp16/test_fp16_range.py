"""FP16 that overflows or loses its result is found, and exactly the nodes that need it are kept in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from engines.calibration import Call, record
from engines.fp16.bisection import first_bad
from engines.fp16.fp16_graph import computed_wide, half_values, load_graph
from engines.fp16.fp16_range import LIMIT, secure, secure_bundle
from runtime.bundle.reader import Bundle
from runtime.errors import ParityError
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle

WIDTH = 8


def graph(path: Path, steps: list[tuple[str, list[str], str]], weights: dict[str, np.ndarray], output: str = "y") -> Path:
    """A float16 graph x [1, 8] -> y of the given (operator, inputs, output) steps, named by their outputs."""
    shape = ["batch", WIDTH]
    nodes = [helper.make_node(kind, inputs, [made], name=made.upper()) for kind, inputs, made in steps]
    made = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT16, shape)],
                             [helper.make_tensor_value_info(output, TensorProto.FLOAT16, shape)],
                             [numpy_helper.from_array(value.astype(np.float16), name) for name, value in weights.items()])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def overflowing(path: Path) -> Path:
    """x -> 100 x W (1.6e5) -> + itself -> back down -> tanh: two values beyond float16 in the middle."""
    return graph(path, [("MatMul", ["x", "up"], "a"), ("Add", ["a", "a"], "b"), ("Mul", ["b", "down"], "c"),
                        ("Tanh", ["c"], "d"), ("Add", ["d", "x"], "y")],
                 {"up": np.full((WIDTH, WIDTH), 100.0), "down": np.array(1e-6)})


def calls(scale: float = 200.0, count: int = 2) -> list[Call]:
    rng = np.random.default_rng(0)
    return [Call("g", {"x": (scale + rng.random((1, WIDTH))).astype(np.float16)}) for _ in range(count)]


def on_cpu(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, inputs)[0]
    return result


def test_what_the_cpu_hides_is_found(tmp_path: Path) -> None:
    """ONNX Runtime's CPU gives finite numbers here, so that comparing with it proves nothing about a GPU."""
    path = overflowing(tmp_path / "g.onnx")
    assert np.isfinite(on_cpu(path, calls()[0].inputs)).all()
    found = secure("g", path, calls(), 1)
    assert found.max_abs > LIMIT and [(each.node, each.operator) for each in found.kept] == [
        ("A", "MatMul"), ("B", "Add"), ("C", "Mul")]
    assert found.kept[0].reason.startswith("gives 1.6") and found.kept[2].reason.startswith("takes 3.2")
    assert found.relative < 1e-2 and found.nodes == 2


def test_the_mended_graph_rounds_nothing_beyond_range(tmp_path: Path) -> None:
    path = overflowing(tmp_path / "g.onnx")
    secure("g", path, calls(), 1)
    model = load_graph(path)
    onnx.checker.check_model(model, full_check=True)
    halves = half_values(model)
    assert {"a", "b"} & halves == set() and {"c", "d", "x", "y"} <= halves
    again = secure("g", path, calls(), 1)
    assert again.kept == () and again.max_abs < LIMIT
    np.testing.assert_allclose(on_cpu(path, calls()[0].inputs), np.tanh(0.32) + 200.5, rtol=1e-2)


def test_graphs_that_hold_are_left_alone(tmp_path: Path) -> None:
    path = overflowing(tmp_path / "g.onnx")
    before = path.read_bytes()
    found = secure("g", path, calls(scale=0.5), 1)
    assert path.read_bytes() == before and found.kept == () and 100 < found.max_abs < LIMIT and found.node == "B"


def test_a_lost_result_is_found_by_bisection(tmp_path: Path) -> None:
    """In range everywhere, but (x + 2048) - 2048 loses x: no range shows it, only the result does."""
    path = graph(tmp_path / "g.onnx", [("Mul", ["x", "one"], "a"), ("Add", ["a", "big"], "b"), ("Sub", ["b", "big"], "c"),
                                       ("Mul", ["c", "one"], "y")], {"one": np.array(1.0), "big": np.array(2048.0)})
    small = [Call("g", {"x": np.linspace(0.1, 0.9, WIDTH, dtype=np.float16)[None]})]
    found = secure("g", path, small, 1)
    assert {each.node for each in found.kept} == {"B"} and "first node whose rounding" in found.kept[0].reason
    assert found.relative < 3e-2
    model = load_graph(path)
    assert [node.op_type for node in model.graph.node].count("Cast") >= 2


def test_a_graph_whose_output_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = graph(tmp_path / "g.onnx", [("MatMul", ["x", "up"], "y")], {"up": np.full((WIDTH, WIDTH), 100.0)})
    before = path.read_bytes()
    with pytest.raises(ParityError) as error:
        secure("g", path, calls(), 1)
    assert "its y reaches 1.6" in sentence_of(error) and "--fp32" in str(error.value)
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["g.onnx"]


@pytest.mark.parametrize("bad", range(10))
def test_bisection_names_the_first_bad_node(bad: int) -> None:
    nodes, runs = [f"n{index}" for index in range(10)], 0

    def spoiled(first: object) -> bool:
        nonlocal runs
        runs += 1
        return f"n{bad}" in first  # type: ignore[operator]

    assert first_bad(nodes, spoiled) == f"n{bad}" and runs <= 5
    assert first_bad(nodes, lambda first: False) is None


def test_emulation_rounds_every_value(tmp_path: Path) -> None:
    path = graph(tmp_path / "g.onnx", [("Mul", ["x", "third"], "a"), ("Mul", ["a", "third"], "y")], {"third": np.array(1 / 3)})
    model = load_graph(path)
    halves = half_values(model)
    x = np.linspace(1, 2, WIDTH, dtype=np.float16)[None]
    third = np.float16(1 / 3)
    for wide, wanted in (({}, x * third * third), ({"A", "Y"}, (x.astype(np.float32) * third * third).astype(np.float16))):
        (tmp_path / "v.onnx").write_bytes(computed_wide(model, halves, wide, emulate=True).SerializeToString())
        np.testing.assert_array_equal(on_cpu(tmp_path / "v.onnx", {"x": x}), wanted)


def test_calls_of_a_whole_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(tiny_bundle.build(tmp_path / "bundle", precision="fp16"))
    kept = record(bundle, 1)
    assert {call.graph for call in kept} == set(bundle.manifest.graphs)
    pasts = {call.inputs["past_keys"].shape[0] for call in kept if call.graph == "backbone"}
    assert 0 in pasts and len(pasts) > 2, "prefill and steps"
    found = secure_bundle(bundle)
    assert [each.graph for each in found] == list(bundle.manifest.graphs)
    assert all(each.max_abs < LIMIT and each.relative < 3e-2 and not each.kept for each in found)
