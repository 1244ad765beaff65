"""What the module behind every exported graph is."""

from __future__ import annotations

from torch import nn

from runtime.bundle.contract import Precision


class GraphModule(nn.Module):
    """A graph's module; `wide` names the submodules whose linear maps compute in float32 in an FP16 bundle."""

    wide: tuple[str, ...] = ()
    precision: Precision | None = None
    """Set where the graph's weights keep one precision whatever the bundle has."""
    stored_half = False
    """Whether its linear maps lie in float16 though they compute in float32: it runs too seldom for speed to matter."""
