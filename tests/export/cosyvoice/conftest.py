"""A small CosyVoice3 directory, and one of one's own to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures import cosyvoice3


@pytest.fixture
def directory_copy(cosyvoice_directory: Path, tmp_path: Path) -> Path:
    """A directory that the test may damage."""
    return Path(shutil.copytree(cosyvoice_directory, tmp_path / "model"))


__all__ = ["cosyvoice3", "directory_copy"]
