"""A directory that is kept open, so that files come from it even where an export has put another one in its place."""

from __future__ import annotations

import os
import weakref
from pathlib import Path


class OpenFolder:
    """An open directory. It refers to the directory, not to its name."""

    def __init__(self, root: Path) -> None:
        """Raises OSError where `root` is no directory that may be opened."""
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        weakref.finalize(self, os.close, descriptor)
        path = Path(f"/proc/self/fd/{descriptor}")
        self.path = path if path.is_dir() else root
        """The directory by its descriptor; by its name on systems without /proc."""
