"""Check that `import runtime` finds this package, not a module of the user's or of another distribution."""

from __future__ import annotations

from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from .finding import Finding

NAME = "runtime"
DISTRIBUTION = "tldr-edge"
ADVICE = "in programs that start here write: from tldr_edge import Synthesizer"


def check_import_name() -> Finding:
    """Return a finding that names whatever else is called `runtime` on this path or in this environment."""
    own = Path(__file__).resolve().parents[1] / "__init__.py"
    others = sorted(set(metadata.packages_distributions().get(NAME, ())) - {DISTRIBUTION})
    if others:
        named = ", ".join(others)
        return Finding("import name", "fail", f"the distribution {named} installs a package {NAME!r} too, into the same folder",
                       f"uninstall {named}, then install {DISTRIBUTION} again (pip install --force-reinstall)")
    spec = PathFinder.find_spec(NAME)
    origin = None if spec is None else spec.origin or str(next(iter(spec.submodule_search_locations or ()), ""))
    if origin is not None and Path(origin).resolve() != own:
        return Finding("import name", "warn", f"`import {NAME}` finds {origin}", ADVICE)
    return Finding("import name", "ok", f"`import {NAME}` and `import tldr_edge` find {own.parent}")
