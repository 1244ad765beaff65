"""The `tensorrt` and `tensorrt_rtx` modules, which share one Python API: import, version, and what they complain about."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field
from typing import Any

from ..bundle.engine_set import EngineKind
from ..errors import BackendError

MODULES: dict[EngineKind, str] = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
_INSTALL: dict[EngineKind, str] = {
    "tensorrt": "it is part of JetPack; elsewhere `pip install tensorrt`, or tensorrt-cu12 for a CUDA 12 driver",
    "tensorrt-rtx": "`pip install tensorrt-rtx`",
}
_CODE = re.compile(r"^.*?Error Code \d+: [^(]*\(?|^\[[^\]]*\]\s*")
MAX_REASON = 200


@dataclass(frozen=True)
class Library:
    """One of the two modules, imported."""

    kind: EngineKind
    module: Any
    version: str
    complaints: list[str] = field(default_factory=list)
    """Errors that it logged since `reason` was last asked."""

    @property
    def title(self) -> str:
        """Name and version for messages."""
        return f"{'TensorRT' if self.kind == 'tensorrt' else 'TensorRT-RTX'} {self.version}"

    def logger(self, messages: list[str] | None = None) -> Any:
        """Return a logger object that keeps errors in `complaints`, everything in `messages`, and prints nothing."""
        trt, complaints = self.module, self.complaints

        def log(_: object, severity: Any, message: str) -> None:
            if messages is not None:
                messages.append(message)
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                complaints.append(message)

        members = {"__init__": lambda self: trt.ILogger.__init__(self), "log": log}
        return type("Complaints", (trt.ILogger,), members)()

    def reason(self) -> str:
        """What it complained about first, in one line; forgets all complaints."""
        said = self.complaints[0] if self.complaints else "it gave no reason"
        self.complaints.clear()
        line = _CODE.sub("", " ".join(said.split())).rstrip("). ")
        return line if len(line) <= MAX_REASON else line[:MAX_REASON - 3] + "..."

    @property
    def out_of_memory(self) -> bool:
        """Whether a complaint is about memory that could not be had."""
        return any("memory" in said.lower() and ("out" in said.lower() or "alloc" in said.lower()) for said in self.complaints)


def open_library(kind: EngineKind) -> Library:
    """Import the module of a kind; BackendError where it is not installed or its libraries do not load."""
    try:
        module = importlib.import_module(MODULES[kind])
    except ModuleNotFoundError as error:
        raise BackendError(f"Provider {kind} needs the package {MODULES[kind]}: {_INSTALL[kind]} "
                           f"(no module named {error.name}).") from error
    except (ImportError, OSError) as error:
        line = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
        raise BackendError(f"The package {MODULES[kind]} is installed, but does not load: {line}; install it again.") from error
    return Library(kind, module, str(module.__version__))
