"""Engines against ONNX Runtime on the device: recorded calls of real utterances, by Polygraphy's comparator; then tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.calibration import Arrays, Call, greedy, record, some_voice, utterances
from engines.comparison import HALF_TOLERANCE, first_difference
from engines.comparison import errors as own_errors
from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.engine_set import EngineKind, EngineParity
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder
from runtime.errors import ParityError

FLOAT_TOLERANCE = 1e-3
UTTERANCES = 5
SPECIAL = ("logits", "waveform", "next_state")
"""Outputs that are compared by a rule of their own."""


@dataclass(frozen=True)
class DeviceParity:
    """Result of a comparison on the device."""

    rows: tuple[EngineParity, ...]
    utterances: int
    equal: int
    """Utterances whose greedy tokens are those of ONNX Runtime on the CPU."""

    @property
    def wrong(self) -> tuple[EngineParity, ...]:
        """Outputs that are not finite or too far off."""
        return tuple(row for row in self.rows if not row.relative <= row.tolerance)


def compare_on_device(bundle: Bundle, kind: EngineKind) -> DeviceParity:
    """Run the bundle's engines beside ONNX Runtime's CPU; no utterance is spoken where an output is wrong.

    Raises:
        BackendError: the engines do not load or run.
    """
    calls = record(bundle)
    reference, candidate = create_backend(bundle, "cpu"), create_backend(bundle, kind)
    try:
        tolerance = HALF_TOLERANCE if bundle.manifest.precision == "fp16" else FLOAT_TOLERANCE
        rows = tuple(row for graph in bundle.manifest.graphs
                     for row in _compare(bundle, graph, [call for call in calls if call.graph == graph], reference, candidate,
                                         tolerance))
        found = DeviceParity(rows, 0, 0)
        return found if found.wrong else DeviceParity(rows, *_tokens(bundle, reference, candidate))
    finally:
        reference.close()
        candidate.close()


def refuse(wrong: EngineParity) -> ParityError:
    """Return the reason why engines are discarded."""
    return ParityError(f"The engine of graph {wrong.graph} does not compute what the graph does: output {wrong.output} is off "
                       f"by {wrong.relative:.1e}, above {wrong.tolerance:.0e}; the engines were not kept.")


def _compare(bundle: Bundle, graph: str, calls: Sequence[Call], reference: Backend, candidate: Backend,
             tolerance: float) -> list[EngineParity]:
    """One row an output, the worst over all calls of one graph."""
    outputs = [tensor.name for tensor in bundle.manifest.graphs[graph].outputs]
    worst: dict[str, tuple[float, float]] = {}
    for call in calls:
        found, wanted = (dict(each.run(graph, call.inputs, fetch=outputs)) for each in (candidate, reference))
        for name, row in {**_polygraphy(found, wanted), **_special(found, wanted)}.items():
            worst[name] = max(row, worst.get(name, (0.0, 0.0)), key=lambda pair: pair[1])
    return [EngineParity(graph, name, *row, tolerance) for name, row in worst.items()]


def _polygraphy(found: Arrays, wanted: Arrays) -> dict[str, tuple[float, float]]:
    """Largest absolute error, and that over the largest value, of every plain floating output, as Polygraphy finds them."""
    from polygraphy import comparator
    from polygraphy.logger import G_LOGGER

    plain = [name for name, array in found.items() if array.dtype.kind == "f" and name not in SPECIAL]
    if not plain:
        return {}
    first, second = (comparator.IterationResult({name: each[name].astype(np.float32) for name in plain}, runner_name=title)
                     for each, title in ((found, "engine"), (wanted, "ONNX Runtime")))
    make: Any = getattr(comparator, "SimpleCompareFunc", None) or comparator.CompareFunc.simple  # its name up to 0.52
    with G_LOGGER.verbosity(G_LOGGER.CRITICAL):
        results = make(atol=np.inf, rtol=np.inf, check_error_stat="max")(first, second)
    rows = {}
    for name in plain:
        largest = float(results[name].max_absdiff)
        finite = bool(np.isfinite(found[name]).all())
        scale = float(np.abs(wanted[name].astype(np.float64)).max(initial=0))
        rows[name] = (largest, largest / scale if scale else largest) if finite else (np.inf, np.inf)
    return rows


def _special(found: Arrays, wanted: Arrays) -> dict[str, tuple[float, float]]:
    """Outputs that are compared by a rule of their own: see `engines.comparison.errors`."""
    own = own_errors(found, wanted)
    return {name: own[name] for name in SPECIAL if name in own}


def _tokens(bundle: Bundle, reference: Backend, candidate: Backend) -> tuple[int, int]:
    """Greedy utterances compared, and how many are equal token for token."""
    manifest, voice = bundle.manifest, some_voice(bundle)
    patches = min(40, manifest.max_patches)
    wanted, found = Decoder(manifest, reference), Decoder(manifest, candidate)
    texts = utterances(bundle)[:UTTERANCES]
    equal = sum(first_difference(greedy(found, ids, voice, patches), greedy(wanted, ids, voice, patches)) is None
                for ids in texts)
    return len(texts), equal
