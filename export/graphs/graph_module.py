"""The base class of exported modules, and the plan by which one graph is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from runtime.bundle.contract import Graph, Precision
from runtime.bundle.manifest import Weights


class GraphModule(nn.Module):
    """A module with the inputs and outputs of one graph, in order."""


ModuleFactory = Callable[[], GraphModule]
"""Builds the float32 module of a graph when it is called, so that not all modules need to be in memory at once."""


@dataclass(frozen=True, kw_only=True)
class GraphPlan:
    """One graph: what it computes, and in which number formats."""

    name: str
    signature: Graph
    module: ModuleFactory
    precision: Precision
    """Of weights and activations, `fp32_modules` apart."""
    fp32_modules: tuple[str, ...] = ()
    """Paths of submodules whose linear maps compute in float32 in an FP16 graph."""
    weights: Weights | None = None
    """Integer format of the weights of linear maps; None keeps them in `precision`."""
    fp16_storage: bool = False
    """Store the weights of linear maps in float16 though they compute in float32: for graphs that run once per voice or once
    per sentence, where size matters and speed does not."""
    auxiliary: bool = False
    """Not part of `Manifest.graphs`: see `runtime.bundle.contract.auxiliary_graphs`."""
    parity: bool = True
    """Compare with PyTorch by itself; False where the decoding loop compares it."""
