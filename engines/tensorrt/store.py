"""All engines of one target into a bundle: built graph by graph beside their place, then renamed into it."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engines.card import engine_card
from engines.tensorrt.builder import BuildOptions, Built, build_engine, keeps_timing_cache
from runtime.atomic import atomic_file, cache_folder, file_digest, new_directory, output_errors
from runtime.backends.tensorrt_library import Library
from runtime.bundle.contract import STEP
from runtime.bundle.engine_set import (
    FOLDER,
    SCHEMA,
    SET_MANIFEST,
    Engine,
    EngineKey,
    EngineSet,
    EngineTarget,
    folder_name,
    graph_digest,
    read_engine_set,
)
from runtime.bundle.manifest import Parity
from runtime.bundle.profiles import graph_profiles
from runtime.bundle.reader import Bundle
from runtime.errors import BundleError, OptionError, OutputError

Progress = Callable[[str, float], None]
"""Called with the graph being built and the share of it that is done."""


@dataclass(frozen=True)
class Stored:
    """A set of engines in a bundle."""

    path: Path
    engines: EngineSet
    built: tuple[str, ...]
    """Graphs that were built now; the others were there under the same key."""


def build_engine_set(bundle: Bundle, library: Library, options: BuildOptions, device: str = "", force: bool = False,
                     progress: Progress = lambda graph, share: None) -> Stored:
    """Build what is missing or stale of one target's engines.

    Args:
        bundle: opened, so that its graphs are known to be whole.
        library: the opened module.
        options: the target.
        device: name of the GPU that is here, empty without one.
        force: build even what is there under the same key.
        progress: see `Progress`.

    Raises:
        BackendError, OptionError: see `build_engine`. The bundle is left as it was.
        OptionError: the bundle's graphs or weights are for CPUs, in operators that only ONNX Runtime has, or it has the graph
            `step`.
        OutputError: the bundle cannot be written, the disk is full.
    """
    if bundle.manifest.weights is not None and bundle.manifest.precision == "fp32":
        raise OptionError(f"TensorRT does not read the {bundle.manifest.weights.upper()} weights of {bundle.root}, which are "
                          f"for CPUs; export the bundle with --fp16 --{bundle.manifest.weights} for engines.")
    if bundle.manifest.cpu:
        raise OptionError(f"TensorRT does not read the graphs of {bundle.root}, which are for CPUs; export the bundle with "
                          "--fp16 for engines.")
    if STEP in bundle.manifest.graphs:
        raise OptionError(f"{bundle.root} makes a patch in one graph, for ONNX Runtime; export the bundle without --fuse for "
                          "engines.")
    manifest, folder = bundle.manifest, bundle.root / FOLDER / folder_name(library.kind, library.version, options.sm)
    target = EngineTarget(library.kind, library.version, options.sm, options.hardware, options.version_compatible,
                          manifest.precision)
    keys = {graph: EngineKey(target, graph_digest(bundle, graph), graph_profiles(graph, contract, manifest, options.joint))
            for graph, contract in manifest.graphs.items()}
    present = {} if force else _present(folder, keys)
    if present.keys() == keys.keys():
        return Stored(folder, read_engine_set(folder), ())
    with new_directory(folder) as partial:
        engines = {}
        for graph, key in keys.items():
            if graph in present:
                with output_errors(folder):
                    os.link(folder / present[graph].file, partial / present[graph].file)
                engines[graph] = present[graph]
            else:
                engines[graph] = _build(bundle, library, options, graph, key, partial, progress)
        found = EngineSet(SCHEMA, target, device, engines)
        write_engine_set(partial, found, manifest.parity)
    return Stored(folder, found, tuple(graph for graph in keys if graph not in present))


def discard(stored: Stored) -> None:
    """Delete a set that turned out to be wrong; its list goes first, so that no reader takes what is left."""
    with output_errors(stored.path):
        (stored.path / SET_MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(stored.path)


def write_engine_set(folder: Path, found: EngineSet, torch: Sequence[Parity] = ()) -> None:
    """Write `engines.json` and the page that says the same to people, each whole or not at all.

    Args:
        folder: where.
        found: what is written.
        torch: the graphs against PyTorch, for the page.
    """
    with atomic_file(folder / SET_MANIFEST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(found.listed()), indent=1) + b"\n")
    with atomic_file(folder / "README.md") as file:
        file.write(engine_card(found, torch).encode())


def _build(bundle: Bundle, library: Library, options: BuildOptions, graph: str, key: EngineKey, partial: Path,
           progress: Progress) -> Engine:
    """One engine, written and forgotten: on a Jetson the next one needs its memory."""
    cache = timing_cache_path(library, options)
    built = build_engine(library, graph, bundle.graph_paths()[graph], bundle.manifest.graphs[graph], key.profiles, options,
                         _read_cache(cache), lambda share: progress(graph, share))
    name = f"{graph}.engine"
    with atomic_file(partial / name) as file:
        file.write(built.plan)
    if keeps_timing_cache(library.kind):
        _write_cache(cache, built)
    engine = Engine(name, hashlib.sha256(built.plan).hexdigest(), built.plan.nbytes, key.digest(), key.graph, key.profiles,
                    round(built.seconds, 3))
    del built
    gc.collect()
    return engine


def _present(folder: Path, keys: dict[str, EngineKey]) -> dict[str, Engine]:
    """Engines in `folder` that are whole and were built under the key that is wanted now."""
    try:
        found = read_engine_set(folder).engines
    except BundleError:  # none yet, or one that this version cannot read: it is replaced
        return {}
    good = {}
    for graph, key in keys.items():
        engine = found.get(graph)
        if engine is not None and engine.key == key.digest() and engine.file == f"{graph}.engine":
            path = folder / engine.file
            if path.is_file() and path.stat().st_size == engine.size and file_digest(path) == engine.sha256:
                good[graph] = engine
    return good


def timing_cache_path(library: Library, options: BuildOptions) -> Path:
    """Return the path of the timing cache of this version and GPU, shared by all bundles."""
    return cache_folder() / f"{folder_name(library.kind, library.version, options.sm)}.timing"


def _read_cache(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write_cache(path: Path, built: Built) -> None:
    """Keep the timings; a home that cannot be written costs time at the next build and nothing else."""
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write(built.timing_cache)
