"""One graph to one engine. The module (`tensorrt` or `tensorrt_rtx`) is a parameter; the same calls serve 10.3 to 11.x.

Networks are strongly typed: precision is what the ONNX graph says, and no builder flag ever chooses it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.tensorrt.progress import Report, monitor
from runtime.backends.tensorrt_library import Library
from runtime.bundle.contract import Graph
from runtime.bundle.engine_set import EngineKind, Hardware, Profile, number
from runtime.errors import BackendError, OptionError

WORKSPACE_BYTES = 1 << 30
"""Scratch memory that a layer may take; a Jetson shares it with everything else."""
_DTYPES = {"int64": "INT64", "float32": "FLOAT", "float16": "HALF", "bool": "BOOL"}


@dataclass(frozen=True)
class BuildOptions:
    """Target and options of one set of engines."""

    sm: str
    """Compute capability, such as 8.6. TensorRT builds for the GPU that is here; TensorRT-RTX for any."""
    hardware: Hardware = "exact"
    version_compatible: bool = False
    workspace: int = WORKSPACE_BYTES
    joint: bool = False
    """One profile a graph instead of one a way of calling it: smaller engines, not tuned for the prefill."""
    optimization_level: int | None = None
    """0 (fast build) to 5 (fast engine); None for the library's own choice."""
    current: bool = False
    """The target GPU is in this machine."""


@dataclass(frozen=True)
class Built:
    """A serialised engine, and the timing cache after it."""

    plan: memoryview
    timing_cache: bytes
    seconds: float


def build_engine(library: Library, name: str, path: Path, graph: Graph, profiles: Sequence[Profile], options: BuildOptions,
                 timing_cache: bytes = b"", report: Report = lambda share: None, messages: list[str] | None = None) -> Built:
    """Build the engine of one graph.

    Args:
        library: the opened module.
        name: the graph's name, for messages.
        path: its ONNX file; weights beside it are found.
        graph: its contract, which the parsed network is compared with.
        profiles: at least one.
        options: the target.
        timing_cache: what an earlier build of the same version on the same GPU left.
        report: called with the share done.
        messages: filled with all messages of the builder, its list of kernels among them.

    Raises:
        BackendError: no driver, no memory, a node that the library does not take, or a failed build.
        OptionError: the library does not build for that target.
    """
    begin = time.perf_counter()
    trt = library.module
    builder, logger = open_builder(library, messages)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        raise BackendError(f"{library.title} does not take graph {name}: {_parser_errors(parser)}.")
    _check_network(library, name, network, graph)
    config = _configure(library, builder, options)
    if messages is not None:
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    cache = _attach_timing_cache(library, config, timing_cache)
    watcher = monitor(trt, report)
    config.progress_monitor = watcher
    for profile in profiles:
        _add_profile(library, builder, config, name, profile)
    library.complaints.clear()
    plan = builder.build_serialized_network(network, config)
    if watcher.interrupted:
        raise KeyboardInterrupt
    if plan is None:
        advice = "; raise --workspace, or close other programs" if library.out_of_memory else ""
        raise BackendError(f"{library.title} could not build the engine of graph {name}: {library.reason()}{advice}.")
    return Built(memoryview(plan), b"" if cache is None else bytes(config.get_timing_cache().serialize()),
                 time.perf_counter() - begin)


def open_builder(library: Library, messages: list[str] | None = None) -> tuple[Any, Any]:
    """Return a builder and its logger, which must outlive it; see `Library.logger`. BackendError where there is no driver."""
    logger = library.logger(messages)
    try:
        builder = library.module.Builder(logger)
    except TypeError as error:  # the binding's way to say that the library gave nothing
        raise BackendError(f"{library.title} cannot start: this machine has no working NVIDIA driver and GPU; build on the "
                           "target, or build TensorRT-RTX engines with --kind tensorrt-rtx --sm.") from error
    return builder, logger


def buildable(library: Library) -> list[str]:
    """Compute capabilities that the library builds for without that GPU; empty for TensorRT."""
    capabilities = getattr(library.module, "ComputeCapability", None)
    if library.kind == "tensorrt" or capabilities is None:
        return []
    numbers = sorted(int(name[2:]) for name in capabilities.__members__ if name.startswith("SM"))
    return [f"{sm // 10}.{sm % 10}" for sm in numbers]


def _configure(library: Library, builder: Any, options: BuildOptions) -> Any:
    """A configuration for the target; what a version lacks is asked for only where the options want it."""
    trt, config = library.module, builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace)
    config.clear_flag(trt.BuilderFlag.TF32)  # on by default; float32 graphs are compared with PyTorch to 1e-3
    if options.optimization_level is not None:
        config.builder_optimization_level = options.optimization_level
    if options.version_compatible:
        _set_flag(library, config, "VERSION_COMPATIBLE")
    if options.hardware != "exact":
        level = getattr(trt.HardwareCompatibilityLevel, options.hardware.upper().replace("-", "_"), None)
        if level is None:
            raise OptionError(f"{library.title} has no hardware compatibility {options.hardware!r}; leave it out.")
        config.hardware_compatibility_level = level
    if library.kind == "tensorrt-rtx":
        capability = getattr(trt.ComputeCapability, f"SM{number(options.sm)}", None)
        if capability is None and options.current:  # not in its list, but present: the library may still build for it
            capability = getattr(trt.ComputeCapability, "CURRENT", None)
        if capability is None:
            raise OptionError(f"{library.title} does not build for SM {options.sm}; it builds for "
                              f"{', '.join(buildable(library))}.")
        config.num_compute_capabilities = 1
        if not config.set_compute_capability(capability, 0):
            raise BackendError(f"{library.title} refused SM {options.sm}: {library.reason()}.")
    return config


def _set_flag(library: Library, config: Any, name: str) -> None:
    flag = getattr(library.module.BuilderFlag, name, None)
    if flag is None:
        raise OptionError(f"{library.title} has no builder flag {name}; leave the option out.")
    config.set_flag(flag)


def keeps_timing_cache(kind: EngineKind) -> bool:
    """Return whether timings are measured: TensorRT-RTX does not, and warns about the calls."""
    return kind == "tensorrt"


def _attach_timing_cache(library: Library, config: Any, data: bytes) -> Any:
    """The cache, filled from `data` where that is of this library and GPU; None where there is none to keep."""
    if not keeps_timing_cache(library.kind):
        return None
    cache = config.create_timing_cache(data)
    if cache is None or not config.set_timing_cache(cache, False):  # made by another version: begin afresh
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def _add_profile(library: Library, builder: Any, config: Any, name: str, profile: Profile) -> None:
    made = builder.create_optimization_profile()
    for tensor, span in profile.shapes.items():
        made.set_shape(tensor, span.smallest, span.usual, span.largest)
    if config.add_optimization_profile(made) < 0:
        raise BackendError(f"{library.title} refused profile {profile.name} of graph {name}: {library.reason()}.")


def _check_network(library: Library, name: str, network: Any, graph: Graph) -> None:
    """Raise BackendError unless the parsed network has the contract's inputs and outputs: names, order, types, fixed sizes."""
    trt = library.module
    sides = ((graph.inputs, [network.get_input(index) for index in range(network.num_inputs)]),
             (graph.outputs, [network.get_output(index) for index in range(network.num_outputs)]))
    for wanted, found in sides:
        if [tensor.name for tensor in wanted] != [real.name for real in found]:
            raise BackendError(f"{library.title} reads {[real.name for real in found]} from graph {name}, its contract says "
                               f"{[tensor.name for tensor in wanted]}; export the bundle again.")
        for tensor, real in zip(wanted, found, strict=True):
            shape = tuple(real.shape)
            fits = len(shape) == len(tensor.axes) and all(
                size in (-1, axis) or not isinstance(axis, int) for size, axis in zip(shape, tensor.axes, strict=True))
            if real.dtype != getattr(trt.DataType, _DTYPES[tensor.dtype]) or not fits:
                raise BackendError(f"{library.title} reads {tensor.name} of graph {name} as {real.dtype} {shape}, its contract "
                                   f"says {tensor.dtype} {tensor.axes}; export the bundle again.")


def _parser_errors(parser: Any) -> str:
    errors = [parser.get_error(index) for index in range(min(parser.num_errors, 2))]
    said = [f"node {error.node_name() or error.node()} ({error.desc()})" for error in errors]
    return "; ".join(" ".join(each.split()).rstrip(".") for each in said) or "it gave no reason"
