"""Find or export the bundles to measure: directories, presets with random weights, token-level baselines.

What has to be exported first goes to a cache, under a hash of everything that it depends on, and is used again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from runtime.atomic import file_digest
from runtime.bundle.contract import Precision
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.reader import EMBEDDED, Bundle, read_manifest
from runtime.errors import OptionError

TOKEN_LEVEL = "token-level"
MIN_CACHE_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[1]
_SOURCES = ("export", "runtime")
_TOOLS = ("torch", "onnxscript", "onnx-ir")


def default_cache() -> Path:
    """$XDG_CACHE_HOME/tldr-edge, or ~/.cache/tldr-edge."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tldr-edge"


@dataclass(frozen=True)
class BundleRequest:
    """Bundles or a preset to measure, as requested; neither: the embedded voice."""

    bundles: tuple[Path, ...]
    preset: str | None
    patches: tuple[int, ...]
    """Of the preset; none: 4."""
    precision: Precision
    """Of the preset."""
    cpu: bool
    """Export the preset's graphs for CPUs."""
    against: str | None
    """`token-level`, or a bundle's directory."""
    seconds: float
    """Longest speech to make room for."""


def find_bundles(wanted: BundleRequest, cache: Path, progress: Callable[[str], None]) -> tuple[list[Path], Path | None]:
    """Return the bundles to measure, and the baseline. OptionError for contradicting or unknown requests."""
    if wanted.preset is not None and wanted.bundles:
        raise OptionError("Give either --preset or --bundle, not both.")
    if wanted.preset is None and wanted.patches:
        raise OptionError("--patch chooses sizes of a preset; add --preset, or name bundles.")
    if wanted.preset is None and wanted.cpu:
        raise OptionError("--cpu is for a preset; add --preset, or name bundles that tldr-export --cpu wrote.")
    twin = wanted.against == TOKEN_LEVEL
    baseline = None if wanted.against is None or twin else Path(wanted.against)
    if wanted.preset is not None:
        sizes = [*dict.fromkeys(wanted.patches or (4,)), *([1] if twin else [])]
        form = GraphFormat(wanted.precision, wanted.cpu)
        found = [_exported(wanted.preset, None, size, form, wanted.seconds, cache, progress) for size in sizes]
        return (found[:-1], found[-1]) if twin else (found, baseline)
    bundles = list(wanted.bundles) or [EMBEDDED]
    return bundles, token_level_twin(bundles[0], wanted.seconds, cache, progress) if twin else baseline


def token_level_twin(bundle: Path, seconds: float, cache: Path, progress: Callable[[str], None]) -> Path:
    """The token-level baseline of the embedded voice, exported in the form of `bundle`, which has to be one of it."""
    manifest = read_manifest(bundle / MANIFEST)
    if manifest.model != "embedded" or manifest.text == "none":
        raise OptionError(f"The token-level baseline of {manifest.model} is not known here: export it with tldr-export "
                          "--token-level and name its directory with --against.")
    checkpoint = _ROOT / "voices" / "embedded"
    if not checkpoint.is_dir():
        raise OptionError("The embedded voice's checkpoint is not here: work in a source checkout, or name a bundle with "
                          "--against.")
    return _exported("embedded", checkpoint, 1, GraphFormat(manifest.precision, manifest.cpu), seconds, cache, progress)


def names(bundles: Sequence[Bundle]) -> list[str]:
    """Name each bundle, with its directory where two names would be equal."""
    plain = [f"{bundle.manifest.model} {system(bundle)} {bundle.manifest.numbers}" for bundle in bundles]
    found = [name if plain.count(name) == 1 else f"{name} ({bundle.root.name})"
             for name, bundle in zip(plain, bundles, strict=True)]
    if len(set(found)) != len(found):
        raise OptionError(f"The same bundle was named twice: {', '.join(found)}.")
    return found


def system(bundle: Bundle) -> str:
    """`k=4` or `token-level`."""
    sizes = bundle.manifest.sizes
    return TOKEN_LEVEL if sizes.token_level else f"k={sizes.patch}"


class GraphFormat(NamedTuple):
    """Precision and target of exported graphs."""

    precision: Precision
    cpu: bool

    @property
    def name(self) -> str:
        """For a directory's name."""
        return f"{self.precision}-cpu" if self.cpu else self.precision


def _exported(name: str, checkpoint: Path | None, patch: int, form: GraphFormat, seconds: float, cache: Path,
              progress: Callable[[str], None]) -> Path:
    seconds = max(seconds, MIN_CACHE_SECONDS)
    what = "random" if checkpoint is None else "trained"
    label = f"{name}-{what}-{TOKEN_LEVEL if patch == 1 else f'k{patch}'}-{form.name}-{seconds:g}s"
    target = cache / f"{label}-{_key(checkpoint)}"
    if (target / MANIFEST).is_file():
        return target
    try:
        from export.checkpoints.sources import open_source
        from export.config import ExportConfig
        from export.exporter import export_bundle
    except ImportError as error:
        raise OptionError(f"Exporting {label} needs {error.name}: pip install '.[export]', or name bundles.") \
            from error
    source = open_source(str(checkpoint), None) if checkpoint else open_source(None, name)
    config = ExportConfig(patch=patch, precision=form.precision, max_seconds=seconds, verify=False, cpu=form.cpu)
    export_bundle(source, config, target, lambda stage, share: progress(f"{label}: {stage}"))
    return target


def _key(checkpoint: Path | None) -> str:
    """Hash of the exporter's own source, its tools' versions and the checkpoint."""
    digest = hashlib.sha256()
    for tool in _TOOLS:
        digest.update(f"{tool} {_version(tool)}\n".encode())
    folders = [_ROOT / name for name in _SOURCES]
    for path in [*_files(folders, "*.py"), *_files([checkpoint] if checkpoint else [], "*")]:
        digest.update(f"{path.relative_to(_ROOT)} {file_digest(path)}\n".encode())
    return digest.hexdigest()[:12]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _files(folders: Iterable[Path], pattern: str) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob(pattern)) if path.is_file()]
