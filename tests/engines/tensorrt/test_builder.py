"""The builder against the API of every TensorRT it serves, against real TensorRT-RTX, and each of its refusals."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import engines.tensorrt.builder
import engines.tensorrt.progress
import runtime.backends.engine_session
import runtime.backends.tensorrt
import runtime.backends.tensorrt_library
from engines.tensorrt.builder import BuildOptions, build_engine, buildable
from engines.tensorrt.progress import monitor
from runtime.backends import create_backend
from runtime.backends.tensorrt_library import Library, open_library
from runtime.bundle.profiles import graph_profiles
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError, OptionError
from tests.conftest import sentence_of
from tests.fixtures.devices import VERSIONS, install
from tests.fixtures.fake_tensorrt import load_surface


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def build(bundle: Path, graph: str = "backbone", **options: Any) -> None:
    opened = Bundle.open(bundle)
    contract = opened.manifest.graphs[graph]
    build_engine(open_library("tensorrt"), graph, opened.graph_paths()[graph], contract,
                 graph_profiles(graph, contract, opened.manifest), BuildOptions("8.7", **options))


def refusal(kind: type[Exception], bundle: Path, **options: Any) -> str:
    with pytest.raises(kind) as error:
        build(bundle, **options)
    return sentence_of(error)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_building_and_running_use_nothing_that_a_version_lacks(monkeypatch: pytest.MonkeyPatch, own_bundle: Path,
                                                               version: str) -> None:
    """The fakes raise AttributeError or TypeError where a member or a signature is not that version's."""
    machine = install(monkeypatch, version)
    machine.build(own_bundle, version_compatible=True, optimization_level=5, hardware="ampere-plus")
    machine.build(own_bundle)
    create_backend(Bundle.open(own_bundle), "tensorrt").close()
    assert len(machine.tensorrt.built) == 10
    first, last = machine.tensorrt.built[0], machine.tensorrt.built[-1]
    flags = machine.tensorrt.BuilderFlag
    assert first["flags"] == {flags.VERSION_COMPATIBLE} and (first["hardware"], first["level"]) == (1, 5)
    assert not last["flags"] and last["pools"] == {machine.tensorrt.MemoryPoolType.WORKSPACE: 1 << 30}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "member"), [("Builder", "platform_has_fast_fp16"), ("ICudaEngine", "device_memory_size"),
                                              ("IExecutionContext", "is_stream_capturable"), ("Builder", "no_such_thing")])
def test_the_fake_refuses_what_a_version_lacks(monkeypatch: pytest.MonkeyPatch, version: str, kind: str, member: str) -> None:
    machine = install(monkeypatch, version)
    has = member in load_surface(version)["classes"][kind]
    assert has is (member in ("platform_has_fast_fp16", "device_memory_size") and version != "11.4")
    thing = getattr(machine.tensorrt, kind).__new__(getattr(machine.tensorrt, kind))
    if not has:
        with pytest.raises(AttributeError, match=f"TensorRT {version} has no {kind}.{member}"):
            getattr(thing, member)


def test_the_fake_refuses_calls_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = install(monkeypatch)
    config = machine.tensorrt.Builder(None).create_builder_config()
    with pytest.raises(TypeError, match="fits none of"):
        config.set_memory_pool_limit(1)
    with pytest.raises(AttributeError, match=r"has no IBuilderConfig\.max_workspace_size to set"):
        config.max_workspace_size = 1


def enum_members(module: ModuleType) -> set[tuple[str, str]]:
    """Every `trt.<Enum>.<MEMBER>` that a module's source names outright; guarded ones go through getattr."""
    found = set()
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr.isupper():
            found.add((node.value.attr, node.attr))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_enum_members_named_outright_are_in_every_version(version: str) -> None:
    """Also those on paths that no test takes: the sources are read, not run."""
    modules = (engines.tensorrt.builder, engines.tensorrt.progress, runtime.backends.tensorrt, runtime.backends.engine_session,
               runtime.backends.tensorrt_library)
    named = set().union(*map(enum_members, modules))
    enums = load_surface(version)["enums"]
    known = {pair for pair in named if pair[0] in enums}
    assert {("NetworkDefinitionCreationFlag", "STRONGLY_TYPED"), ("MemoryPoolType", "WORKSPACE")} <= known
    assert not [f"{kind}.{member}" for kind, member in known if member not in enums[kind]]
    assert not {"FP16", "BF16", "INT8", "FP8"} & {member for _, member in named}, "precision is the graph's"


def test_hardware_compatibility_is_guarded(monkeypatch: pytest.MonkeyPatch, own_bundle: Path) -> None:
    install(monkeypatch, "10.3")
    assert "has no hardware compatibility 'same-compute-capability'" in refusal(OptionError, own_bundle,
                                                                                hardware="same-compute-capability")
    machine = install(monkeypatch, "10.16")
    build(own_bundle, hardware="same-compute-capability")
    assert machine.tensorrt.built[-1]["hardware"] == 2


def test_no_driver(monkeypatch: pytest.MonkeyPatch, own_bundle: Path) -> None:
    install(monkeypatch).tensorrt.cuda = None
    assert "no working NVIDIA driver and GPU" in refusal(BackendError, own_bundle)


@pytest.mark.parametrize(("complaint", "words"), [
    ("Could not find any implementation for node X.", "(10.3.0 )?could not build the engine of graph backbone: Could not find"),
    ("[defaultAllocator.cpp] Error Code 1: Cuda Runtime (out of memory)", "raise --workspace, or close other programs"),
])
def test_failed_builds(monkeypatch: pytest.MonkeyPatch, own_bundle: Path, complaint: str, words: str) -> None:
    import re

    install(monkeypatch).tensorrt.fail_build = complaint
    assert re.search(words, refusal(BackendError, own_bundle))


def test_a_graph_that_does_not_parse(monkeypatch: pytest.MonkeyPatch, own_bundle: Path) -> None:
    install(monkeypatch)
    opened = Bundle.open(own_bundle)
    (own_bundle / "onnx" / "backbone.onnx").write_bytes(b"no graph")
    with pytest.raises(BackendError) as error:
        build_engine(open_library("tensorrt"), "backbone", opened.graph_paths()["backbone"], opened.manifest.graphs["backbone"],
                     [], BuildOptions("8.7"))
    assert "does not take graph backbone: node Node_3 (Failed to parse" in sentence_of(error)


def test_a_graph_of_another_contract(monkeypatch: pytest.MonkeyPatch, own_bundle: Path) -> None:
    install(monkeypatch)
    opened = Bundle.open(own_bundle)
    contract = opened.manifest.graphs["extractor"]
    with pytest.raises(BackendError, match=r"reads \['tokens'\] from graph extractor, its contract says"):
        build_engine(open_library("tensorrt"), "extractor", opened.graph_paths()["compressor"], contract, [],
                     BuildOptions("8.7"))


def test_a_timing_cache_is_kept_and_a_foreign_one_dropped(monkeypatch: pytest.MonkeyPatch, own_bundle: Path,
                                                          tmp_path: Path) -> None:
    machine = install(monkeypatch)
    path = tmp_path / "cache" / "tldr-edge" / "tensorrt-10.3.0-sm87.timing"
    machine.build(own_bundle)
    assert path.read_bytes() == b"timings" * 5, "each graph's build adds to what the one before left"
    path.write_bytes(b"foreign")
    machine.build(own_bundle, optimization_level=1)  # not part of the key: nothing is built
    assert path.read_bytes() == b"foreign"
    machine.build(own_bundle, version_compatible=True)
    assert path.read_bytes() == b"timings" * 5


def test_progress_only_grows_and_ctrl_c_stops_the_builder(machine_monitor: tuple[Any, list[float]]) -> None:
    watcher, shares = machine_monitor
    watcher.phase_start("Building", None, 2)
    watcher.phase_start("Inner", "Building", 4)
    assert watcher.step_complete("Inner", 0) and watcher.step_complete("Inner", 3)
    watcher.phase_finish("Inner")
    assert watcher.step_complete("Building", 0) and watcher.step_complete("Building", 1)
    watcher.phase_finish("Building")
    assert shares == sorted(shares) and shares[:2] == [0.125, 0.5] and shares[-1] == 1.0


@pytest.fixture
def machine_monitor(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[float]]:
    shares: list[float] = []
    return monitor(install(monkeypatch).tensorrt, shares.append), shares


def test_ctrl_c_travels_around_the_builder(monkeypatch: pytest.MonkeyPatch, own_bundle: Path) -> None:
    def press(share: float) -> None:
        raise KeyboardInterrupt

    install(monkeypatch)
    opened = Bundle.open(own_bundle)
    contract = opened.manifest.graphs["extractor"]
    with pytest.raises(KeyboardInterrupt):
        build_engine(open_library("tensorrt"), "extractor", opened.graph_paths()["extractor"], contract,
                     graph_profiles("extractor", contract, opened.manifest), BuildOptions("8.7"), report=press)


# -- real TensorRT-RTX, which builds without a GPU


@pytest.fixture(scope="module")
def rtx() -> Library:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    return open_library("tensorrt-rtx")


def test_rtx_says_what_it_builds_for(rtx: Library, own_bundle: Path) -> None:
    assert {"8.6", "8.9", "12.0"} <= set(buildable(rtx)) and "8.7" not in buildable(rtx)
    opened = Bundle.open(own_bundle)
    contract = opened.manifest.graphs["compressor"]
    with pytest.raises(OptionError) as error:
        build_engine(rtx, "compressor", opened.graph_paths()["compressor"], contract,
                     graph_profiles("compressor", contract, opened.manifest), BuildOptions("8.7"))
    assert "does not build for SM 8.7; it builds for 7.5, 8.0, 8.6" in sentence_of(error)


def test_rtx_needs_a_driver_to_run(rtx: Library, machine_without_gpu: None, tiny: Path) -> None:
    with pytest.raises(BackendError, match="no NVIDIA driver or GPU"):
        create_backend(Bundle.open(tiny), "tensorrt-rtx")


@pytest.fixture
def machine_without_gpu() -> None:
    runtime_api = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    status, count = runtime_api.cudaGetDeviceCount()
    if int(status) == 0 and count:
        pytest.skip("this machine has a GPU")


