"""Entry points of the commands: they import this distribution's packages, whatever else on the path has the same names.

A robot's working directory or PYTHONPATH often holds a `runtime.py`, `training/` or `serving/` (every ROS 2 shell sets
PYTHONPATH); a plain `import runtime` would find those first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from . import ROOT

PACKAGES = frozenset(("runtime", "serving", "engines", "export", "training", "benchmarks"))


class OwnPackages(MetaPathFinder):
    """Find the toolkit's top-level packages in its own folder; everything else is left to the other finders."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of one of `PACKAGES`, or None for any other name."""
        if path is not None or name not in PACKAGES:
            return None
        return PathFinder.find_spec(name, [str(ROOT)], target)


def use_own_packages() -> None:
    """Let imports of `PACKAGES` in this process find the toolkit's own. For commands only: it changes the process's imports."""
    if not any(isinstance(finder, OwnPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, OwnPackages())


def _run(module: str) -> None:
    use_own_packages()
    importlib.import_module(module).main()


def speak() -> None:
    """Run `tldr-speak`; with --client only what that needs is imported."""
    if "--client" in sys.argv[1:]:
        use_own_packages()
        client = importlib.import_module("runtime.resident.client")
        raise SystemExit(client.main([word for word in sys.argv[1:] if word != "--client"]))
    _run("runtime.cli")


def serve() -> None:
    """Run `tldr-serve`."""
    _run("serving.server")


def speechd() -> None:
    """Run `tldr-speechd`, the module of speech-dispatcher."""
    _run("serving.speech_dispatcher.module")


def engines() -> None:
    """Run `tldr-engines`."""
    _run("engines.cli")


def export() -> None:
    """Run `tldr-export`."""
    _run("export.cli")


def bench() -> None:
    """Run `tldr-bench`."""
    _run("benchmarks.cli")
