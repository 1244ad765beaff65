"""An ONNX model beside a bundle's graphs, which no backend loads: on the CPU, wherever the rest computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BackendError
from .library import load_onnxruntime

_FATAL = 4
"""ONNX Runtime's log level."""


class CpuGraph:
    """One model, loaded when it is made."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """`threads` 0 lets ONNX Runtime choose. Raises BackendError."""
        self._name = path.name
        try:
            onnxruntime = load_onnxruntime()
            options = onnxruntime.SessionOptions()
            options.log_severity_level, options.intra_op_num_threads = _FATAL, threads
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no other base class
            raise self._failure(error) from error

    def run(self, *inputs: np.ndarray) -> np.ndarray:
        """The first output, of inputs in the model's order. Raises BackendError."""
        try:
            names = [node.name for node in self._session.get_inputs()]
            output: np.ndarray = self._session.run(None, dict(zip(names, inputs, strict=True)))[0]
        except Exception as error:  # as above
            raise self._failure(error) from error
        return output

    def _failure(self, error: Exception) -> BackendError:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return BackendError(f"The model {self._name} failed on the CPU: {said[:200]}.")
