"""What comes in from outside: no pickle is ever read, every dependency is declared and pinned, documents say how to report."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.bundle.reader import read_manifest

tomllib = pytest.importorskip("tomllib")
ROOT = Path(__file__).parents[1]
PACKAGES = ("runtime", "serving", "engines", "export", "training", "benchmarks", "examples")
UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}
"""Modules that run code from the files they read."""
ALLOWED = {
    "export/checkpoints/cosyvoice/state.py: pickle",  # for the name of the error that torch.load(weights_only=True) raises
    "export/checkpoints/cosyvoice/settings.py: yaml",  # its loader derives from SafeLoader and builds plain data only
    "runtime/command.py: exec()",  # of an empty string, for what Python does beside it
}
OWN = {*PACKAGES, "tests", "tldr_edge"}
DISTRIBUTIONS = {"yaml": "pyyaml", "faster_whisper": "faster-whisper", "onnx_ir": "onnx-ir", "pycrfsuite": "python-crfsuite"}
GPU = {"tensorrt", "tensorrt_rtx", "cuda"}
"""Come with the machine, from other indexes, or by an extra of another name."""
ROS = {"rclpy", "std_msgs", "tldr_speech_interfaces", "setuptools", "launch", "launch_ros", "ament_index_python", "tts_msgs",
       "tldr_speech", "lifecycle_msgs", "diagnostic_msgs", "diagnostic_updater", "rcl_interfaces", "audio_common_msgs",
       "builtin_interfaces"}
HOSTS = {"realtimetts", "livekit", "pipecat"}
"""Programs that an example is a plugin of."""


def sources(package: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and _name(node.func).endswith("import_module") and node.args \
                and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value).split(".")[0]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(tree: ast.AST) -> Iterator[str]:
    """Calls that would run what a file says."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, options = _name(node.func), {option.arg: option.value for option in node.keywords}
        if name in ("pickle.load", "pickle.loads", "pickle.Unpickler", "yaml.full_load", "yaml.unsafe_load"):
            yield f"{name}()"
        if name == "yaml.load" and not {"_Loader", "yaml.SafeLoader"} & {_name(option) for option in node.args}:
            yield "yaml.load without a safe loader"
        if name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
            yield f"{name}()"
        if name == "torch.load" and not _is(options.get("weights_only"), True):
            yield "torch.load without weights_only=True"
        if "allow_pickle" in options and not _is(options["allow_pickle"], False):
            yield "allow_pickle"
        if "shell" in options and not _is(options["shell"], False):
            yield "shell=True"


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_unpickles_or_runs_what_it_reads(package: str) -> None:
    found = {f"{path.relative_to(ROOT)}: {danger}" for path, tree in sources(package)
             for danger in [*dangers(tree), *(UNPICKLERS & set(imports(tree)))]}
    assert found == {line for line in ALLOWED if line.startswith(f"{package}/")}


@pytest.mark.parametrize("code", [
    "import pickle", "from yaml import load", "import importlib; importlib.import_module('dill')",
    "np.load(x, allow_pickle=True)", "torch.load(x)", "pickle.loads(x)", "yaml.load(x)", "yaml.load(x, yaml.Loader)",
    "torch.load(x, weights_only=False)", "eval(x)", "subprocess.run(x, shell=True)", "os.system(x)",
])
def test_the_search_finds(code: str) -> None:
    tree = ast.parse(code)
    assert [*dangers(tree), *(UNPICKLERS & set(imports(tree)))]


@pytest.fixture(scope="module")
def project() -> dict[str, list[str]]:
    """Names of distributions by extra; "" is what a plain install brings."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": described["dependencies"], **described["optional-dependencies"]}
    return {extra: [re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in lines]  # type: ignore[index]
            for extra, lines in groups.items()}


def foreign(package: str) -> set[str]:
    names = {name for _, tree in sources(package) for name in imports(tree)}
    return {DISTRIBUTIONS.get(name, name).lower() for name in names - OWN - ROS - set(sys.stdlib_module_names)}


def test_the_runtime_imports_only_what_it_declares(project: dict[str, list[str]]) -> None:
    declared = {name.replace("_", "-") for names in project.values() for name in names}
    assert {name.replace("_", "-") for name in foreign("runtime") - GPU} <= declared
    assert {"numpy", "onnxruntime", "msgspec", "click", "rich", "soundfile"} <= foreign("runtime")
    assert len(project[""]) <= 10


def test_examples_import_only_what_their_extras_declare(project: dict[str, list[str]]) -> None:
    assert foreign("examples") - HOSTS <= {*project[""], *project["serve"], *project["player"]}


def test_serving_imports_only_what_its_extras_declare(project: dict[str, list[str]]) -> None:
    with_others = {"starlette", "h11", "ray", "triton_python_backend_utils"}  # by fastapi, uvicorn, ray[serve], Triton itself
    declared = {name.replace("_", "-") for extra in ("", "serve", "wyoming", "aac") for name in project[extra]}
    assert {name.replace("_", "-") for name in foreign("serving") - with_others} <= declared and "ray" in project["ray"]


def test_what_ci_installs_is_pinned(project: dict[str, list[str]]) -> None:
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split()}
    extras = ("", "export", "dev", "serve", "wyoming", "aac", "ray")
    wanted = {name.replace("_", "-") for extra in extras for name in project[extra]}
    assert wanted - {"tldr-edge"} <= pinned


def test_every_constraint_is_exact() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_security_says_which_bundles_clone() -> None:
    text = " ".join((ROOT / "SECURITY.md").read_text().split())
    embedded = read_manifest(ROOT / "runtime" / "bundles" / "embedded" / "bundle.json")
    assert (embedded.encoders is not None) == ("Its encoders do not imitate strangers." in text)
    assert "CosyVoice3 bundles clone" in text and "cannot clone" not in text
    assert "## Reporting" in text and "**consent**" in text
