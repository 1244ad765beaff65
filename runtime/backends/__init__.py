"""Inference backends by name. A new one is a new module here with an `open_backend`, and a line in `PROVIDERS`."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

from ..errors import BackendError, OptionError

if TYPE_CHECKING:
    from ..bundle.reader import Bundle
    from .base import Backend

PROVIDERS = {
    "cpu": ".onnxruntime",
    "cuda": ".onnxruntime",
    "tensorrt": ".tensorrt",
    "tensorrt-rtx": ".tensorrt",
    "tensorrt-onnxruntime": ".onnxruntime_tensorrt",
}
CHOICES = ("auto", *PROVIDERS)
AUTOMATIC = ("tensorrt", "tensorrt-rtx", "cuda", "cpu")
"""What `auto` tries, best first; not ONNX Runtime's TensorRT, which takes minutes to load at first."""
MAX_THREADS = 256
_log = logging.getLogger(__name__)


def create_backend(bundle: Bundle, provider: str = "auto", threads: int | None = None) -> Backend:
    """Load every graph of `bundle` on `provider`.

    Args:
        bundle: an opened bundle.
        provider: one of `CHOICES`; `auto` takes the best that works here, a named one is used or refused.
        threads: CPU threads of one graph; None lets the library choose.

    Raises:
        OptionError: unknown provider, threads out of range.
        BackendError: the provider's library or device is missing, or a graph does not load.
        BundleError: a graph is not what the bundle's contract says.
    """
    if provider not in CHOICES:
        raise OptionError(f"There is no provider {provider!r}; choose one of {', '.join(CHOICES)}.")
    if threads is not None and (isinstance(threads, bool) or not 1 <= threads <= MAX_THREADS):
        raise OptionError(f"threads must be from 1 to {MAX_THREADS}, not {threads!r}.")
    if provider != "auto":
        return _open(bundle, provider, threads)
    for name in AUTOMATIC[:-1]:
        try:
            return _open(bundle, name, threads)
        except BackendError as error:
            _log.info("%s is not used: %s", name, error)
    return _open(bundle, AUTOMATIC[-1], threads)


def _open(bundle: Bundle, provider: str, threads: int | None) -> Backend:
    if bundle.manifest.cpu and provider != "cpu":
        raise BackendError(f"The graphs of {bundle.root} are written for ONNX Runtime on a CPU; take provider cpu, or export "
                           "with --fp16 for GPUs.")
    try:
        module = importlib.import_module(PROVIDERS[provider], __name__)
    except ModuleNotFoundError as error:
        if error.name != __name__ + PROVIDERS[provider]:
            raise BackendError(f"Provider {provider} needs the package {error.name}; install it first.") from error
        raise BackendError(f"Provider {provider} is not in this version; use auto, cpu or cuda.") from error
    try:
        backend: Backend = module.open_backend(bundle, provider, threads)
    except (TypeError, RuntimeError, OSError, AttributeError) as error:  # bindings that do not fit the driver raise such ones
        if provider == "cpu":
            raise
        reason = f"{type(error).__name__}: {(str(error).splitlines() or ['no reason given'])[0][:200]}"
        raise BackendError(f"Provider {provider} cannot start here ({reason}); use provider cpu.") from error
    return backend
