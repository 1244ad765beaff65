"""FP16 weights on a CPU, which computes in float32: cast when a graph is loaded, not whenever it runs.

ONNX Runtime puts casts around every float16 node after it has folded constants, and folds those that this makes of a weight
only where one node reads it. Loading the graph in that form folds the rest, at the price of float32 weights in memory.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

REREAD = ("extractor", "step")
"""Graphs in which several nodes read a weight: the k steps of a patch."""
_BESIDE_BYTES = "1024"
"""Weights from this size on are stored beside the graph, which may not exceed 2 GiB."""
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def cast_once(ort: ModuleType, path: Path) -> Iterator[Path]:
    """A temporary form of the graph at `path`, its casts written out; the graph itself where there is no room for one."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tldr-", ignore_cleanup_errors=True))
            written = _write(ort, path, Path(folder) / path.name)
        except Exception as error:  # the library's share no base class; OSError of the disk
            _log.info("FP16 weights of %s are cast on every call: %s", path.name, error)
            written = path
        yield written


def _write(ort: ModuleType, path: Path, target: Path) -> Path:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    for key, value in (("optimized_model_external_initializers_file_name", target.name + ".data"),
                       ("optimized_model_external_initializers_min_size_in_bytes", _BESIDE_BYTES),
                       ("disable_prepacking", "1")):
        options.add_session_config_entry("session." + key, value)
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return target
