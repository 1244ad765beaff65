"""Share of time per execution provider, from ONNX Runtime's profile of a few runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from ..backends.base import DTYPES
from ..backends.library import load_onnxruntime
from ..bundle.contract import Graph
from ..bundle.reader import Bundle
from ..bundle.shapes import resolve
from ..errors import BackendError

GRAPH = "backbone"
RUNS = 5
_SIZES = {"batch": 1, "length": 16, "past": 32}


def device_share(bundle: Bundle, provider: str, threads: int | None = None) -> tuple[float, int]:
    """Share of the backbone's node time that `provider` took, and the nodes that it ran, over `RUNS` runs of 16 positions."""
    onnxruntime = load_onnxruntime()

    with tempfile.TemporaryDirectory(prefix="tldr-doctor-") as folder:
        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(str(bundle.graph_paths()[GRAPH]), options,
                                                   providers=list(dict.fromkeys((provider, "CPUExecutionProvider"))))
            for _ in range(RUNS):
                session.run(None, _inputs(bundle.manifest.graphs[GRAPH]))
            events = json.loads(Path(session.end_profiling()).read_text())
        except Exception as error:  # ONNX Runtime's exceptions share no other base class
            raise BackendError(f"The profile of graph {GRAPH} failed: {str(error).splitlines()[0][:160]}.") from error
    return share_of(provider, events)


def share_of(provider: str, events: list[dict[str, object]]) -> tuple[float, int]:
    """The same from a profile's events."""
    spent: dict[str, float] = {}
    nodes: dict[str, set[str]] = {}
    for event in events:
        arguments = event.get("args")
        if event.get("cat") != "Node" or not isinstance(arguments, dict) or "provider" not in arguments:
            continue
        by = str(arguments["provider"])
        spent[by] = spent.get(by, 0.0) + float(str(event.get("dur", 0)))
        nodes.setdefault(by, set()).add(str(event.get("name")))
    total = sum(spent.values())
    return (spent.get(provider, 0.0) / total if total else 0.0), len(nodes.get(provider, ()))


def _inputs(graph: Graph) -> dict[str, np.ndarray]:
    source = np.random.default_rng(0)
    given = {}
    for tensor in graph.inputs:
        shape = resolve(tensor, _SIZES)
        values = source.normal(0, 0.1, shape) if tensor.dtype.startswith("float") else np.zeros(shape)
        given[tensor.name] = values.astype(DTYPES[tensor.dtype])
    given["past_length"] = np.full(_SIZES["batch"], _SIZES["past"], np.int64)
    return given
