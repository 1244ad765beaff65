"""The device check of docs/jetson, on a fake Jetson and on a machine without a GPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.fixtures.devices import install

FOLDER = Path(__file__).parents[1] / "docs" / "jetson"


@pytest.fixture
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_device", FOLDER / "check_device.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_good_device(check: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    install(monkeypatch)
    monkeypatch.setattr(check, "LEAST_MEMORY", 1.0)
    assert check.main() == 0
    out = capsys.readouterr().out
    assert "Fake Orin, SM 8.7" in out and "TensorRT 10.3.0" in out and "FAILED" not in out


def test_what_is_missing(check: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machine = install(monkeypatch)
    machine.cuda.devices, machine.tensorrt.cuda = 0, None
    monkeypatch.setattr(check, "LEAST_MEMORY", 1e15)
    assert check.main() == 1
    out = capsys.readouterr().out
    assert out.count("FAILED") == 3 and "no NVIDIA driver or GPU" in out and "add swap" in out


def test_the_container_installs_the_extra_that_exists() -> None:
    project = (FOLDER.parents[1] / "pyproject.toml").read_text()
    assert "[tensorrt]" in (FOLDER / "Dockerfile").read_text() and "\ntensorrt = [" in project
