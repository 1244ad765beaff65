"""Configuration of an export, checked before PyTorch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from runtime.bundle.contract import Precision
from runtime.bundle.manifest import Weights, numbers_of
from runtime.bundle.reader import MAX_SECONDS
from runtime.errors import OptionError

Target = Literal["cpu", "gpu", "tensorrt"]
WeightsOption = Literal["fp32", "fp16", "int8", "int4"]
TARGETS: tuple[Target, ...] = get_args(Target)
WEIGHTS: tuple[WeightsOption, ...] = get_args(WeightsOption)


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """Number formats of a bundle, and the runtime that its graphs are written for."""

    precision: Precision = "fp16"
    """Of activations, and of weights that `weights` leaves as they are."""
    weights: Weights | None = None
    """Weight-only quantisation: for ONNX Runtime on CPUs with fp32, for TensorRT with fp16."""
    cpu: bool = False
    """Write the backbone in ONNX Runtime's own operators for CPUs, as quantised weights with fp32 always have it."""

    @property
    def for_cpu(self) -> bool:
        """Return whether only ONNX Runtime's CPU kernels can run it (`Manifest.cpu`)."""
        return self.cpu or (self.weights is not None and self.precision == "fp32")

    @property
    def name(self) -> str:
        """The end of a bundle's name."""
        return numbers_of(self.precision, self.weights) + ("-cpu" if self.cpu and self.weights is None else "")


@dataclass(frozen=True, kw_only=True)
class ExportConfig(NumberFormat):
    """One bundle to export."""

    patch: int
    """1: the token-level baseline."""
    max_seconds: float = 30.0
    """Audio per utterance that the KV cache is sized for; a recording that is continued comes on top."""
    verify: bool = True
    fuse: bool = False
    """Add the graph `step`."""

    def __post_init__(self) -> None:
        """Raise OptionError where options contradict each other or are out of range."""
        if not 1 <= self.max_seconds <= MAX_SECONDS:
            raise OptionError(f"--max-seconds must be from 1 to {MAX_SECONDS:g}, not {self.max_seconds:g}.")
        if self.cpu and self.precision == "fp16":
            raise OptionError("--cpu writes float32 graphs for CPUs; use it with --fp32, --int8 or --int4, and without --fp16.")
        if self.fuse and self.weights is not None and self.precision == "fp16":
            raise OptionError("--fuse is for CPUs, and --fp16 with quantised weights for TensorRT; leave one of the two out.")


def choose_number_format(target: Target | None, weights: WeightsOption | None, *, fp16: bool | None, int8: bool, int4: bool,
                         cpu: bool) -> NumberFormat:
    """Combine --target and --weights with the short options that say the same.

    Args:
        target, weights: the long options; None where they were left out.
        fp16: --fp16 (True), --fp32 (False) or neither.
        int8, int4, cpu: the flags.

    Raises:
        OptionError: two options contradict each other.
    """
    if int8 and int4:
        raise OptionError("Choose one of --int8 and --int4; with --fp16 as well the bundle is for TensorRT, else for CPUs.")
    if weights is not None and (fp16 is not None or int8 or int4):
        raise OptionError("--weights says the same as --fp16, --fp32, --int8 and --int4: use one or the other.")
    if cpu and target not in (None, "cpu"):
        raise OptionError(f"--cpu is --target cpu; leave out --target {target}, or --cpu.")
    integer: Weights | None = "int8" if int8 or weights == "int8" else "int4" if int4 or weights == "int4" else None
    half = fp16 if weights is None else {"fp16": True, "fp32": False}.get(weights)
    if target == "cpu" or cpu:
        if half:
            raise OptionError("--cpu writes float32 graphs for CPUs; use it with --fp32, --int8 or --int4, and without --fp16 "
                              "(--target cpu: --weights fp32, int8 or int4).")
        return NumberFormat(precision="fp32", weights=integer, cpu=True)
    if target == "gpu" and integer is not None:
        raise OptionError("Integer weights are for ONNX Runtime on CPUs (--target cpu) or for TensorRT (--target tensorrt).")
    if target == "tensorrt":
        if integer is not None and half is False:
            raise OptionError("TensorRT computes integer weights in FP16: leave out --fp32.")
        return NumberFormat(precision="fp32" if half is False else "fp16", weights=integer)
    if half is None:
        half = integer is None or target == "gpu"
    return NumberFormat(precision="fp16" if half else "fp32", weights=integer)


def patch_sizes(options: tuple[str, ...], token_level: bool) -> list[int]:
    """Parse --patch: each size once, in the order given; 1 is the token-level baseline. Raises OptionError."""
    words = [word.strip() for option in options for word in option.split(",")]
    for word in words:
        if not (word.isascii() and word.isdigit() and 2 <= int(word[:4]) <= 32):
            raise OptionError(f"--patch takes whole numbers from 2 to 32, not {word!r}; the baseline is --token-level.")
    sizes = [int(word) for word in words] or ([] if token_level else [4])
    return list(dict.fromkeys([*sizes, *([1] if token_level else [])]))
