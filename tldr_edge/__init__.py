"""The runtime under a name of its distribution, for programs that have a module `runtime` of their own.

    from tldr_edge import Synthesizer

The modules are the files of the package `runtime`, found through `__path__`: `tldr_edge.synthesizer` is
`runtime/synthesizer.py`. Use one of the two names in a program: classes imported under both are not the same objects.
"""

from __future__ import annotations

import logging
from importlib import metadata
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

try:
    __version__ = metadata.version("tldr-edge")
except metadata.PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0"

__all__ = [*MODULES]
logging.getLogger(__name__).addHandler(logging.NullHandler())
__getattr__, __dir__ = lazy_names(__name__, globals())
