"""A CosyVoice3 directory of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def directory_copy(cosyvoice_directory: Path, tmp_path: Path) -> Path:
    """A copy that the test may damage."""
    return Path(shutil.copytree(cosyvoice_directory, tmp_path / "model"))
