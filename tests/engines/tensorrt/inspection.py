"""Kernels and scratch memory of an engine, as its builder reports them: TensorRT-RTX does so without a GPU."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.tensorrt.builder import BuildOptions, build_engine
from runtime.backends.tensorrt_library import Library
from runtime.bundle.contract import Graph
from runtime.bundle.engine_set import Profile
from runtime.errors import BackendError

_KERNEL = re.compile(r"^Name: (\S+), LayerType: (\w+)", re.MULTILINE)
_SCRATCH = re.compile(r"Total Activation Memory: (\d+)")


@dataclass(frozen=True, kw_only=True)
class EngineFigures:
    """Figures of one engine."""

    kernels: int
    """Entries of the builder's list: about the launches of a call."""
    fused_attention: int
    """Of these, attention in one kernel."""
    scratch_bytes: int
    """Device memory of an execution context: activations and scratch."""
    plan_bytes: int


def inspect_engine(library: Library, name: str, path: Path, graph: Graph, profiles: Sequence[Profile],
                   options: BuildOptions) -> EngineFigures:
    """Build an engine and return its figures; arguments and errors as for `build_engine`."""
    messages: list[str] = []
    built = build_engine(library, name, path, graph, profiles, options, messages=messages)
    text = "\n".join(messages)
    kernels, scratch = _KERNEL.findall(text), _SCRATCH.findall(text)
    if not kernels or not scratch:
        raise BackendError(f"{library.title} lists no kernels of graph {name}; its figures cannot be read.")
    fused = sum("mha" in kernel.lower() for kernel, _ in kernels)
    return EngineFigures(kernels=len(kernels), fused_attention=fused, scratch_bytes=int(scratch[-1]),
                         plan_bytes=built.plan.nbytes)
