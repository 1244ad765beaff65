"""Selection of the engines to build, from the request and from what this machine has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engines.tensorrt.builder import BuildOptions, buildable, open_builder
from runtime.backends.cuda_runtime import Cuda
from runtime.backends.tensorrt_library import MODULES, Library, open_library
from runtime.bundle.engine_set import EngineKind
from runtime.errors import BackendError, OptionError

CHOICES = ("auto", "none", "tensorrt", "tensorrt-rtx")


@dataclass(frozen=True)
class Target:
    """One set of engines to build."""

    library: Library
    options: BuildOptions
    device: str
    """Name of the GPU that is here and will run them; empty where they are built for another machine."""


def check_target_options(kind: str, sms: Sequence[str]) -> None:
    """Raise OptionError for a kind or compute capabilities that make no sense, before anything is imported or exported."""
    if kind not in CHOICES:
        raise OptionError(f"--engines is one of {', '.join(CHOICES)}, not {kind!r}.")
    if sms and kind != "tensorrt-rtx":
        raise OptionError("--sm chooses what engines are built for; it needs tensorrt-rtx, as TensorRT builds for the GPU that "
                          "is here.")
    for sm in sms:
        if not re.fullmatch(r"\d{1,2}\.\d", sm):
            raise OptionError(f"--sm is a compute capability such as 8.6, not {sm!r}.")


def find_targets(kind: str, sms: Sequence[str] = (), options: BuildOptions | None = None) -> list[Target]:
    """Return the targets of `--engines` (or `--kind`) and `--sm`.

    Args:
        kind: one of `CHOICES`. `auto` takes TensorRT, else TensorRT-RTX, for the GPU that is here, and is empty without one.
        sms: compute capabilities, for TensorRT-RTX.
        options: everything but the compute capability.

    Raises:
        OptionError: options that make no sense, or a compute capability that the library does not build for.
        BackendError: the named library is not there, or has no GPU to build for.
    """
    check_target_options(kind, sms)
    if kind == "none":
        return []
    wanted = options or BuildOptions("")
    if kind == "auto":
        for each in MODULES:
            try:
                return [_local(each, wanted)]
            except (BackendError, OptionError):
                continue
        return []
    if kind == "tensorrt" or not sms:
        return [_local("tensorrt" if kind == "tensorrt" else "tensorrt-rtx", wanted)]
    library = open_library("tensorrt-rtx")
    for sm in sms:
        _check_buildable(library, sm)
    here = _present_sm()
    return [Target(library, replace(wanted, sm=sm, joint=True), here.get(sm, "")) for sm in dict.fromkeys(sms)]


def _local(kind: EngineKind, wanted: BuildOptions) -> Target:
    """The target of the GPU that is here."""
    library = open_library(kind)
    try:
        cuda = Cuda()
    except BackendError as error:
        if kind == "tensorrt":
            raise
        raise OptionError(f"{library.title} has no GPU here to build for; name what to build for with --sm, of "
                          f"{', '.join(buildable(library))}.") from error
    sm, device = cuda.compute_capability, cuda.device_name
    cuda.close()
    if kind == "tensorrt":
        open_builder(library)  # says so early where the library and the driver do not go together
        return Target(library, replace(wanted, sm=sm), device)
    if not hasattr(library.module.ComputeCapability, "CURRENT"):
        _check_buildable(library, sm)
    return Target(library, replace(wanted, sm=sm, joint=True, current=True), device)


def _present_sm() -> dict[str, str]:
    """The GPU that is here, name by compute capability."""
    try:
        cuda = Cuda()
    except BackendError:
        return {}
    found = {cuda.compute_capability: cuda.device_name}
    cuda.close()
    return found


def _check_buildable(library: Library, sm: str) -> None:
    if sm not in buildable(library):
        raise OptionError(f"{library.title} does not build for SM {sm}; it builds for {', '.join(buildable(library))}.")
