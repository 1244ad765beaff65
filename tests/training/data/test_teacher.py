"""The teacher's graphs are put together once, whichever worker comes first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training.data import teacher


def test_workers_that_start_at_once_all_find_whole_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, prune = threading.Barrier(2), teacher._prune

    def prune_together(model: object) -> None:
        both.wait(20)  # neither has written its second graph yet
        prune(model)

    monkeypatch.setattr(teacher, "MODEL_PACKAGES", ())
    monkeypatch.setattr(teacher, "_prune", prune_together)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(teacher.prepare, [tmp_path / "models"] * 2))
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["front.onnx", "full.onnx"]
