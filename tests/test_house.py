"""The structure that docs/architecture.md promises: directions of imports, no circles, small folders, one class per name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("runtime", "export", "engines", "benchmarks", "training", "serving")
MAY_IMPORT = {
    "runtime": set[str](),
    "engines": {"runtime"},
    "export": {"engines", "runtime"},
    "training": {"export", "engines", "runtime"},
    "serving": {"runtime"},
    "benchmarks": {"training", "export", "engines", "serving", "runtime"},
}
"""Arrows between packages; everything else runs upwards."""
UNIQUE_IN = ("runtime", "export", "engines", "benchmarks", "training")
MOST_MODULES = 12
LARGER_FOLDERS = {"export/model": 16}
"""Folders that hold more modules, each one network or class of its kind."""


def modules(package: str) -> Iterator[Path]:
    """All modules of a package."""
    return (path for path in sorted((ROOT / package).rglob("*.py")) if "bundles" not in path.parts)


def name_of(path: Path) -> str:
    """`runtime.text.ssml`; a package has its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for package in PACKAGES for path in modules(package)}


def imports(name: str, path: Path, lazily: bool) -> set[str]:
    """Modules of ours that a module imports when it is loaded; `lazily`: inside functions, too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set[str]()
    for node in _statements(ast.parse(path.read_text()), lazily):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (base, node.module) if part)
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in NAMES else base for alias in node.names}
    return {found_name for found_name in found if found_name in NAMES and found_name != name}


def _statements(tree: ast.AST, lazily: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        if lazily or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _statements(node, lazily)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_downwards(package: str) -> None:
    wrong = [f"{name} -> {other}" for name, path in NAMES.items() if name.split(".")[0] == package
             for other in imports(name, path, lazily=True) if other.split(".")[0] not in MAY_IMPORT[package] | {package}]
    assert not wrong, wrong


def test_modules_import_in_no_circle() -> None:
    graph = {name: imports(name, path, lazily=False) for name, path in NAMES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_rooms_of_the_runtime_import_in_no_circle() -> None:
    rooms = {path.name for path in (ROOT / "runtime").iterdir() if (path / "__init__.py").is_file()}

    def room(name: str) -> str:
        parts = name.split(".")
        return parts[1] if len(parts) > 1 and parts[1] in rooms else ""

    graph = defaultdict(set[str])
    arrows = defaultdict(list[str])
    for name, path in NAMES.items():
        for other in imports(name, path, lazily=False) if name.startswith("runtime.") else ():
            if room(name) and room(other) and room(name) != room(other):
                graph[room(name)].add(room(other))
                arrows[room(name), room(other)].append(f"{name} -> {other}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
        pytest.fail("; ".join(arrows[pair][0] for pair in zip(circle[1:], circle, strict=False) if arrows[pair]))


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_hold_a_dozen_modules(package: str) -> None:
    counts = defaultdict(int)
    for path in modules(package):
        counts[path.parent.relative_to(ROOT).as_posix()] += path.name not in ("__init__.py", "__main__.py")
    large = {folder: count for folder, count in counts.items() if count > LARGER_FOLDERS.get(folder, MOST_MODULES)}
    assert not large, large


def test_no_class_name_occurs_twice() -> None:
    places = defaultdict(list[str])
    for name, path in NAMES.items():
        if name.split(".")[0] in UNIQUE_IN:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(name)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice, "\n".join(f"{name}: {', '.join(where)}" for name, where in sorted(twice.items()))


def test_runtime_names_no_torch() -> None:
    wrong = [name for name, path in NAMES.items() if name.split(".")[0] in ("runtime", "engines", "serving")
             for node in ast.walk(ast.parse(path.read_text()))
             if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "torch" for alias in node.names))
             or (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "torch")]
    assert not wrong, wrong
