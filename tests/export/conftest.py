"""Fixtures of the export tests: one tiny checkpoint, and bundles exported from it once a session."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from torch import nn

from export import exporter
from export.checkpoints import embedded as checkpoint
from export.checkpoints.sources import CheckpointSource
from export.exporter import Exported, Order, export_bundle
from runtime.bundle.contract import STEP, Graph, Sizes
from tests.export.tiny import OTHER_PATCH, PATCH, TEXT, Export, tiny, tiny_patch_model, tiny_token_model, tiny_vocoder


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def saved_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete checkpoint with two patch sizes and one voice. Do not change it: copy it."""
    directory = tmp_path_factory.mktemp("tiny") / "checkpoint"
    base = tiny_token_model()
    checkpoint.save_token_model(directory, base)
    for patch in (PATCH, OTHER_PATCH):
        checkpoint.save_patch_model(directory, tiny_patch_model(base, patch))
    checkpoint.save_vocoder(directory, tiny_vocoder())
    checkpoint.save_card(directory, checkpoint.VoiceCard("anna", "MIT", max_text_ids=120))
    checkpoint.save_voice(directory, "anna", np.random.default_rng(0).standard_normal(tiny().speaker))
    checkpoint.save_voice(directory, "ben", np.random.default_rng(1).standard_normal(tiny().speaker),
                          prompt_tokens=np.arange(10), prompt_text_ids=np.arange(1, 6))
    shutil.copytree(TEXT, directory / "text")
    return directory


@pytest.fixture
def checkpoint_copy(saved_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint of one's own, to break."""
    return Path(shutil.copytree(saved_checkpoint, tmp_path / "checkpoint"))


@pytest.fixture(scope="session")
def exported(saved_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """exported(patch, precision): the verified bundle, made once a session."""
    made: dict[tuple[int, str], Exported] = {}

    def export(patch: int = PATCH, precision: str = "fp32") -> Exported:
        if (patch, precision) not in made:
            order = Order(patch, precision, 10.0)  # type: ignore[arg-type]
            target = tmp_path_factory.mktemp("bundles") / f"k{patch}-{precision}"
            made[patch, precision] = export_bundle(CheckpointSource(saved_checkpoint), order, target)
        return made[patch, precision]

    return export


def _copy(made: dict[int, Path], sizes: Sizes, path: Path) -> list[Path]:
    for source in (made[sizes.patch] / "onnx" / path.name, *(made[sizes.patch] / "onnx").glob("*.data")):
        shutil.copy(source, path.parent)
    return [path]


@pytest.fixture
def copied_graphs(exported: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports copy their float32 graphs from the bundles that are there: tracing takes most of the time."""
    made = {patch: exported(patch).path for patch in (PATCH, 1)}  # before they would copy from themselves

    def copy(module: object, graph: object, sizes: Sizes, text_ids: int, path: Path, finish: object) -> list[Path]:
        return _copy(made, sizes, path)

    monkeypatch.setattr(exporter, "write_graph", copy)


@pytest.fixture(scope="module")
def other_forms(exported: Export) -> Iterator[None]:
    """The same in a module whose bundles have another backbone, `step` or weights: these are traced."""
    made, trace = {patch: exported(patch).path for patch in (PATCH, 1)}, exporter.write_graph  # type: ignore[attr-defined]

    def write(module: nn.Module, graph: Graph, sizes: Sizes, text_ids: int, path: Path,
              finish: Callable[[ir.Model], None] | None) -> list[Path]:
        if finish is not None or path.stem in ("backbone", STEP):
            return trace(module, graph, sizes, text_ids, path, finish)
        return _copy(made, sizes, path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exporter, "write_graph", write)
        yield
