"""Import ONNX Runtime with its telemetry off, in one place for the whole toolkit."""

from __future__ import annotations

import importlib
import os
from typing import Any

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Environment variable that ONNX Runtime reads once, when it is imported. `disable_telemetry_events()` comes too late: builds
for Linux since 1.32 contact their maker when the first session is made."""


def load_onnxruntime() -> Any:
    """Return the module `onnxruntime`. A value of `SWITCH` that the program has set is kept.

    Raises:
        ImportError: it is not installed, or its libraries do not load.
    """
    os.environ.setdefault(SWITCH, "1")
    return importlib.import_module("onnxruntime")
