"""Find the checkpoint of a name, without loading PyTorch."""

from __future__ import annotations

from pathlib import Path

from export.model.config import PRESETS
from runtime.errors import CheckpointError

EMBEDDED = "embedded"
CONFIG = "config.json"
COSYVOICE3 = "cosyvoice3.yaml"
OTHER_VERSIONS = {"cosyvoice2.yaml": "CosyVoice2", "cosyvoice.yaml": "CosyVoice 1"}


def find_checkpoint(name: str | None, backbone: Path | None = None) -> Path | None:
    """Return the directory of a checkpoint by its path or name (None: the embedded voice), or None for a preset's name.

    With a `backbone` the name is the path of TLDR weights, or None.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    if backbone is not None:
        return None if name is None else Path(name)
    path = Path(name or EMBEDDED)
    if name is not None and path.is_dir():
        return path
    if name is None or name == EMBEDDED:
        return embedded_directory()
    if name in PRESETS:
        return None
    names = dict.fromkeys((EMBEDDED, *PRESETS))
    raise CheckpointError(f"There is no checkpoint directory {name!r}; the names known here are {', '.join(names)}.")


def embedded_directory() -> Path:
    """Return the embedded voice's checkpoint in the source checkout: the one of this file, else the working directory's.

    Raises:
        CheckpointError: neither place has it.
    """
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        directory = root / "voices" / EMBEDDED
        if (directory / CONFIG).is_file():
            return directory
    raise CheckpointError("The embedded voice's checkpoint is neither beside the installed packages nor in "
                          "voices/embedded of the "
                          "working directory; run in a source checkout, or name it with --checkpoint DIR.")


def is_cosyvoice(directory: Path) -> bool:
    """Return whether this is meant to be a CosyVoice directory of any version."""
    return any((directory / name).is_file() for name in (COSYVOICE3, *OTHER_VERSIONS))
