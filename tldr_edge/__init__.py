"""The runtime under a name of its distribution, for programs that have a module `runtime` of their own.

    from tldr_edge import Synthesizer

The modules are the files of the package `runtime`, found through `__path__`: `tldr_edge.synthesizer` is
`runtime/synthesizer.py`. Use one of the two names in a program: classes imported under both are not the same objects.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
"""Folder that holds the toolkit's packages: a checkout, or site-packages."""
__path__.append(str(ROOT / "runtime"))

if TYPE_CHECKING:
    from runtime import *  # noqa: F403
    from runtime.public_names import MODULES, lazy_names
else:
    from .public_names import MODULES, lazy_names

__all__ = [*MODULES]
logging.getLogger(__name__).addHandler(logging.NullHandler())
_public, __dir__ = lazy_names(__name__, globals())


def __getattr__(name: str) -> object:
    if name != "__version__":
        return _public(name)
    from importlib import metadata  # slower to import than the rest of this module

    try:
        return metadata.version("tldr-edge")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
