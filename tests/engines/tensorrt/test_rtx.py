"""Real TensorRT-RTX engines without a GPU: every graph, three GPU generations, compared with the contract."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import onnx_ir as ir
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from engines.tensorrt.builder import BuildOptions, build_engine
from engines.tensorrt.store import build_engine_set
from export.checkpoints.sources import PresetSource
from export.config import ExportConfig
from export.exporter import export_bundle
from export.graphs.core_graphs import BackboneGraph, language_model_plans, sizes_of
from export.graphs.fp32_modules import exportable
from export.graphs.graph_module import GraphPlan
from export.graphs.onnx_graph import write_graph
from export.graphs.quantization import quantize
from export.model.backbone import Backbone
from export.model.config import cosyvoice3
from export.model.config import embedded as embedded_preset
from export.model.language_model import PatchLM
from runtime.atomic import file_digest
from runtime.backends.tensorrt_library import Library, open_library
from runtime.bundle.contract import Graph, Tensor, language_model_graphs
from runtime.bundle.engine_set import Profile, Span, find_engine_set, graph_digest, read_engine_set
from runtime.bundle.manifest import Weights
from runtime.bundle.profiles import graph_profiles
from runtime.bundle.reader import EMBEDDED, Bundle
from tests.engines.tensorrt.inspection import EngineFigures, inspect_engine

SMS = ("8.6", "8.9", "12.0")
SIZES = sizes_of(embedded_preset(4))
TENSORRT_PAGE = Path(__file__).parents[3] / "docs" / "tensorrt.md"
MAGIC = b"vtrt"
"""What an engine of TensorRT-RTX begins with."""


@pytest.fixture(scope="module")
def rtx() -> Library:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    return open_library("tensorrt-rtx")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the embedded voice that engines may be put into."""
    return Path(shutil.copytree(EMBEDDED, tmp_path_factory.mktemp("rtx") / "bundle"))


def build_and_inspect(library: Library, path: Path, sm: str) -> None:
    """Build a set, which holds the parsed network's names, types and sizes to the contract, and read it back."""
    bundle = Bundle.open(path)
    stored = build_engine_set(bundle, library, BuildOptions(sm, joint=True))
    assert stored.path.name == f"tensorrt-rtx-{library.version}-sm{sm.replace('.', '')}"
    assert list(stored.built) == list(bundle.manifest.graphs)
    found = read_engine_set(stored.path)
    assert found == stored.engines and (found.target.sm, found.device, found.parity) == (sm, "", ())
    for graph, engine in found.engines.items():
        plan = (stored.path / engine.file).read_bytes()
        assert plan.startswith(MAGIC) and len(plan) == engine.size
        assert engine.profiles == graph_profiles(graph, bundle.manifest.graphs[graph], bundle.manifest, joint=True)
        assert engine.graph == graph_digest(bundle, graph) and engine.sha256 == file_digest(stored.path / engine.file)
        tensors = (*bundle.manifest.graphs[graph].inputs, *bundle.manifest.graphs[graph].outputs)
        assert not [tensor.name for tensor in tensors if tensor.name.encode() not in plan], "names as in the contract"
    assert find_engine_set(bundle, "tensorrt-rtx", library.version, sm)[0] == found
    assert build_engine_set(bundle, library, BuildOptions(sm, joint=True)).built == (), "equal keys are not built again"


@pytest.mark.parametrize("sm", SMS)
def test_every_graph_of_the_embedded_voice(rtx: Library, embedded: Path, sm: str) -> None:
    build_and_inspect(rtx, embedded, sm)


def figures_of(library: Library, plan: GraphPlan, profile: Profile, folder: Path, workspace: int = 256 << 20) -> EngineFigures:
    """Export one graph of a model with random weights and build its engine."""
    path = folder / f"{plan.name}.onnx"
    write_graph(exportable(plan.module(), plan.precision, plan.fp32_modules), plan.signature, SIZES, 100, path)
    options = BuildOptions("8.6", joint=True, workspace=workspace)
    return inspect_engine(library, plan.name, path, plan.signature, [profile], options)


def documented() -> dict[str, tuple[int, int, float]]:
    """Kernels, fused attention and scratch in MB of each graph, from the table in docs/tensorrt.md."""
    row = re.compile(r"^\| (\w+), embedded voice \| [^|]+\| (\d+) \| (\d+) \| ([\d.]+) \|$", re.MULTILINE)
    rows = row.findall(TENSORRT_PAGE.read_text())
    return {name: (int(kernels), int(fused), float(scratch)) for name, kernels, fused, scratch in rows}


def test_kernels_and_scratch_are_those_of_the_documentation(rtx: Library, embedded: Path, tmp_path: Path) -> None:
    """Built with 256 MiB of workspace, which did not suffice while the attention broadcast over groups of heads."""
    torch.manual_seed(0)
    manifest = Bundle.open(embedded).manifest
    found = {}
    for plan in language_model_plans(PatchLM(embedded_preset(4)).eval(), "fp16", None):
        if plan.name != "text_embedding":
            profile, = graph_profiles(plan.name, plan.signature, manifest, joint=True)
            figures = figures_of(rtx, plan, profile, tmp_path)
            assert figures.scratch_bytes < 64e6
            found[plan.name] = figures.kernels, figures.fused_attention, round(figures.scratch_bytes / 1e6, 1)
    if not rtx.version.startswith("1.7.1."):
        pytest.skip(f"the page has the figures of TensorRT-RTX 1.7.1, this is {rtx.version}")
    assert documented() == found


@pytest.mark.slow
def test_full_width_needs_little_scratch(rtx: Library, tmp_path: Path) -> None:
    """Four of 24 layers, a cache of 2,048 positions; layers run one after another in the same scratch."""
    torch.manual_seed(0)
    config = msgspec.structs.replace(cosyvoice3(4).backbone, layers=4)
    rows, most = (1, 64, 1152), 2048
    past = [(size, 4, 1, config.kv_heads, config.head_dim) for size in (0, most // 2, most)]
    shapes = {"inputs_embeds": Span(*((1, size, config.hidden) for size in rows)),
              "positions": Span(*((1, size) for size in rows)), "past_length": Span((1,), (1,), (1,)),
              "past_keys": Span(*past), "past_values": Span(*past)}
    sizes = msgspec.structs.replace(SIZES, hidden=config.hidden, layers=4, kv_heads=config.kv_heads, head_dim=config.head_dim)
    plan = GraphPlan(name="backbone", signature=language_model_graphs(sizes, "fp16")["backbone"],
                     module=lambda: BackboneGraph(Backbone(config)).eval(), precision="fp16", weights=None)
    found = figures_of(rtx, plan, Profile("run", shapes), tmp_path, 1 << 30)
    assert found.scratch_bytes < 128e6 and found.fused_attention == 4


def test_only_a_changed_engine_is_built_again(rtx: Library, embedded: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(embedded, tmp_path / "bundle"))
    options = BuildOptions("8.6", joint=True)
    stored = build_engine_set(Bundle.open(copy), rtx, options)
    (stored.path / "compressor.engine").write_bytes(b"cut short")
    assert build_engine_set(Bundle.open(copy), rtx, options).built == ("compressor",)
    assert (stored.path / "compressor.engine").stat().st_size > 10**6


@pytest.mark.parametrize(("weights", "share"), [("int8", 0.55), ("int4", 0.3)])
def test_an_engine_keeps_quantised_weights(rtx: Library, weights: Weights, share: float, tmp_path: Path) -> None:
    rows, columns = 896, 1024
    weight = np.random.default_rng(0).standard_normal((rows, columns)).astype(np.float16)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT16, ["batch", size])
            for name, size in (("x", rows), ("y", columns)))
    product = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y],
                                [numpy_helper.from_array(weight, "w")])
    model = ir.from_proto(helper.make_model(product, opset_imports=[helper.make_opsetid("", 18)], ir_version=8))
    quantize(model, weights, "fp16")
    ir.save(model, tmp_path / "g.onnx")
    contract = Graph((Tensor("x", "float16", ("batch", rows)),), (Tensor("y", "float16", ("batch", columns)),))
    profile = Profile("step", {"x": Span((1, rows), (1, rows), (8, rows))})
    built = build_engine(rtx, "g", tmp_path / "g.onnx", contract, [profile], BuildOptions("8.6"))
    assert weight.nbytes * share / 2 < built.plan.nbytes < weight.nbytes * share


@pytest.mark.slow
def test_every_graph_of_the_full_size_preset(rtx: Library, tmp_path: Path) -> None:
    order = ExportConfig(patch=4, precision="fp16", verify=False)
    path = export_bundle(PresetSource("cosyvoice3-0.5b"), order, tmp_path / "bundle").path
    for sm in SMS:
        build_and_inspect(rtx, path, sm)
        shutil.rmtree(path / "engines")
