"""`engines/<kind>-<version>-sm<NN>/engines.json`: the engines of one target, and the key that each was built under.

A set is one folder that appears by one rename. It is no part of `bundle.json`: engines are added on the machine that
will run them, long after the export, and only the set that is used gets read and hashed.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..atomic import file_digest
from ..errors import BackendError, BundleError
from .contract import Precision
from .reader import MAX_MANIFEST_BYTES, Bundle

EngineKind = Literal["tensorrt", "tensorrt-rtx"]
Hardware = Literal["exact", "same-compute-capability", "ampere-plus"]
"""Which GPUs an engine runs on: its own SM as built, any GPU of its SM, or its SM and everything newer than Ampere."""
SCHEMA = 1
FOLDER = "engines"
SET_MANIFEST = "engines.json"
_FILE = re.compile(r"[a-z_0-9]+\.engine")


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Smallest, usual and largest shape of one input."""

    smallest: tuple[int, ...]
    usual: tuple[int, ...]
    largest: tuple[int, ...]

    @property
    def fixed(self) -> bool:
        """Return whether it is one shape only."""
        return self.smallest == self.largest

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Return whether a shape is within the range."""
        bounds = zip(self.smallest, shape, self.largest, strict=True)
        return len(shape) == len(self.smallest) and all(low <= size <= high for low, size, high in bounds)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One optimisation profile of a graph: its name (`prefill`, `step`, ...) and the span of each input."""

    name: str
    shapes: dict[str, Span]

    @property
    def fixed(self) -> bool:
        """Return whether every input has one shape only."""
        return all(span.fixed for span in self.shapes.values())

    def admits(self, shapes: dict[str, tuple[int, ...]]) -> bool:
        """Return whether inputs of these shapes may run under it."""
        return all(span.admits(shapes[name]) for name, span in self.shapes.items())


class EngineTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Library, GPU and options that all engines of a set share."""

    kind: EngineKind
    version: str
    sm: str
    """Compute capability, such as 8.7."""
    hardware: Hardware
    version_compatible: bool
    precision: Precision

    def runs_under(self, version: str, sm: str) -> bool:
        """Return whether a library of that version on a GPU of that compute capability may load its engines."""
        if self.version != version and not (self.version_compatible and _newer(version, self.version)):
            return False
        return self.sm == sm or (self.hardware == "ampere-plus" and number(sm) >= max(80, number(self.sm)))


class EngineKey(msgspec.Struct, frozen=True):
    """Everything that an engine depends on; equal keys mean that it need not be built again."""

    target: EngineTarget
    graph: str
    """sha256 over the names and hashes of the graph's files in the bundle."""
    profiles: tuple[Profile, ...]

    def digest(self) -> str:
        """The key as one sha256."""
        return hashlib.sha256(msgspec.json.encode(_flat(self), order="sorted")).hexdigest()


class Engine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One engine file."""

    file: str
    sha256: str
    size: int
    key: str
    graph: str
    profiles: tuple[Profile, ...]
    seconds: float
    """What building it took."""


class EngineParity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One output of an engine against ONNX Runtime on the same recorded calls; measured where a GPU was at hand."""

    graph: str
    output: str
    max_abs: float
    relative: float
    tolerance: float


class EngineSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`engines.json`, where the fields of the target stand among the others."""

    schema: int
    target: EngineTarget
    device: str
    """The GPU that it was built on; empty where it was built without one."""
    engines: dict[str, Engine]
    parity: tuple[EngineParity, ...] = ()
    """Empty: never compared on a device."""

    @property
    def version_compatible(self) -> bool:
        """Return whether each engine brings the small runtime that later versions of the library load it with."""
        return self.target.version_compatible

    def listed(self) -> dict[str, Any]:
        """Return the contents of `engines.json` as plain values."""
        return _flat(self)


def number(sm: str) -> int:
    """8.7 as 87."""
    major, _, minor = sm.partition(".")
    return 10 * int(major) + int(minor)


def folder_name(kind: EngineKind, version: str, sm: str) -> str:
    """`tensorrt-10.3.0-sm87`."""
    return f"{kind}-{version}-sm{number(sm)}"


def build_command(bundle: Path, kind: EngineKind, sm: str) -> str:
    """Return the command that builds the engines of a target."""
    target = f" --sm {sm}" if kind == "tensorrt-rtx" else ""
    return f"tldr-engines {bundle} --kind {kind}{target}"


def graph_digest(bundle: Bundle, graph: str) -> str:
    """sha256 over the names and hashes of a graph's file, its weights beside it, and the tables that graphs share."""
    manifest = bundle.manifest
    path = manifest.graph_path(graph)
    others = {f"{manifest.graph_path(name)}.data" for name in manifest.graphs if name != graph}
    weights = {name for name in manifest.files if name.startswith("onnx/") and name.endswith(".data")} - others
    lines = (f"{name} {manifest.files[name]}" for name in sorted({path, *weights}))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_engine_set(folder: Path) -> EngineSet:
    """The `engines.json` of a folder; BundleError where it is none of this version's."""
    path = folder / SET_MANIFEST
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
        fields = msgspec.json.decode(data, type=dict[str, Any])
        target = {name: fields.pop(name) for name in EngineTarget.__struct_fields__ if name in fields}
        found = msgspec.convert({**fields, "target": target}, EngineSet)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); delete {folder} and build its engines again.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is no engine list of this version ({error}); delete {folder} and build again.") from error
    if found.schema != SCHEMA:
        raise BundleError(f"{path} has schema {found.schema}, this version reads {SCHEMA}; build the engines again.")
    return found


def find_engine_set(bundle: Bundle, kind: EngineKind, version: str, sm: str) -> tuple[EngineSet, dict[str, Path]]:
    """Return the engine set of a bundle that runs here, every file checked, and the path of each graph's engine.

    Raises:
        BackendError: there are none for this library and GPU, or they are of another graph, incomplete or corrupt; it names
            the command that builds them.
        BundleError: an `engines.json` cannot be read.
    """
    command = build_command(bundle.root, kind, sm)
    folders = sorted((bundle.root / FOLDER).glob(f"{kind}-[0-9]*/"))
    sets = [(folder, read_engine_set(folder)) for folder in folders if (folder / SET_MANIFEST).is_file()]
    if not sets:
        raise BackendError(f"The bundle {bundle.root} holds no {kind} engines; build them with `{command}`.")
    usable = [(folder, found) for folder, found in sets if found.target.kind == kind and found.target.runs_under(version, sm)]
    if not usable:
        have = ", ".join(f"SM {found.target.sm} under {found.target.version}" for _, found in sets)
        raise BackendError(f"The bundle's {kind} engines are for {have}, this machine has SM {sm} under {version}; "
                           f"build its own with `{command}`.")
    folder, found = max(usable, key=lambda pair: (pair[1].target.sm == sm, pair[1].target.version == version))
    return found, {graph: _checked(bundle, folder, found, graph, command) for graph in bundle.manifest.graphs}


def _checked(bundle: Bundle, folder: Path, found: EngineSet, graph: str, command: str) -> Path:
    """Return the path of a graph's engine after its key and bytes were checked."""
    engine = found.engines.get(graph)
    if engine is None:
        raise BackendError(f"{folder} lacks the engine of graph {graph}; build the engines again with `{command}`.")
    if engine.graph != graph_digest(bundle, graph):
        raise BackendError(f"The engine of graph {graph} was built from another graph than this bundle's, so it is another "
                           f"bundle's or older than the last export; build it again with `{command}`.")
    if not _FILE.fullmatch(engine.file):
        raise BackendError(f"{folder} names {engine.file!r}, which is not one of its engine files; do not trust it.")
    path = folder / engine.file
    if not path.is_file():
        raise BackendError(f"{path} is missing; build the engines again with `{command}`.")
    size = path.stat().st_size
    if size != engine.size:
        raise BackendError(f"{path} is truncated or was changed: it has {size} bytes of {engine.size}; build it again with "
                           f"`{command}`.")
    if file_digest(path) != engine.sha256:
        raise BackendError(f"{path} is corrupt: its sha256 is not the one in {SET_MANIFEST}; build it again with `{command}`.")
    return path


def _flat(value: EngineKey | EngineSet) -> dict[str, Any]:
    """Plain values, those of the target among the others, where `schema` comes first."""
    fields: dict[str, Any] = {}
    for name, plain in msgspec.to_builtins(value).items():
        fields |= plain if name == "target" else {name: plain}
    return fields


def _newer(version: str, built: str) -> bool:
    """Return whether a library may run a version-compatible engine: the same major version or the next one, and no older."""
    mine, its = ([int(part) for part in re.findall(r"\d+", text)] for text in (version, built))
    return mine >= its and mine[0] <= its[0] + 1
