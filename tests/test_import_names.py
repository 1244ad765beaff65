"""Programs and commands find the toolkit, whatever else on the path is called `runtime`, `serving` or `training`."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from runtime.doctor.import_names import check_import_name
from runtime.public_names import MODULES
from tldr_edge.commands import PACKAGES

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[no-redef, import-not-found]

ROOT = Path(__file__).parents[1]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    """A robot's working directory: a module or folder of every name that the toolkit uses."""
    for name in PACKAGES:
        (tmp_path / name).mkdir()
    (tmp_path / "runtime").rmdir()
    (tmp_path / "runtime.py").write_text("STATE = {}\n")
    (tmp_path / "training" / "__init__.py").write_text("raise RuntimeError('the robot trains elsewhere')\n")
    return tmp_path


def python(code: str, robot: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(robot), str(ROOT)))}
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=robot, env=environment, text=True, timeout=120,
                          capture_output=True, check=False)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_command_starts_beside_foreign_names(script: str, robot: Path) -> None:
    module, _, function = SCRIPTS[script].partition(":")
    done = python(f"import sys; sys.argv[0] = {script!r}; from {module} import {function}; {function}()", robot, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


def test_a_program_speaks_beside_its_own_runtime(robot: Path, tiny: Path) -> None:
    code = ("import sys, runtime, tldr_edge\nassert runtime.STATE == {}\n"
            "audio = tldr_edge.Synthesizer(sys.argv[1], provider='cpu').synthesize('Hello.')\nassert len(audio.samples)")
    done = python(code, robot, str(tiny))
    assert done.returncode == 0, done.stderr


def test_the_doctor_names_a_foreign_module(robot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_import_name().status == "ok"
    monkeypatch.syspath_prepend(str(robot))
    finding = check_import_name()
    assert (finding.status, str(robot / "runtime.py") in finding.found) == ("warn", True)
    assert "tldr_edge" in finding.advice


def test_the_doctor_names_a_foreign_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"runtime": ["tldr-edge", "runtime-utils"]})
    finding = check_import_name()
    assert (finding.status, "runtime-utils" in finding.found) == ("fail", True)


def test_public_names_are_the_same_under_both_packages() -> None:
    import runtime
    import tldr_edge

    assert set(runtime.__all__) == set(tldr_edge.__all__) == set(MODULES)
    for name in MODULES:
        assert getattr(tldr_edge, name).__module__ == f"tldr_edge.{MODULES[name]}"
    assert set(MODULES) <= set(dir(tldr_edge))
    with pytest.raises(AttributeError, match="colour"):
        _ = tldr_edge.colour


@pytest.mark.parametrize("path", sorted((ROOT / "runtime").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_runtime_imports_itself_relatively(path: Path) -> None:
    """What `tldr_edge`, and a program that holds a copy of the folder, rely on."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else \
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not PACKAGES & {name.split(".")[0] for name in names}, f"{path}:{getattr(node, 'lineno', 0)}"
