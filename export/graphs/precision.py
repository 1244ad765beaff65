"""Modules in the form that exports best: weights as [in, out] products, joined where they read the same, float16 with its
float32 islands written out.

FP16 is decided here, in the graph, never by a builder's flags: norms, softmax, rotary tables, sampling and the vocoder's
waveform head stay float32 behind Casts, whatever engine reads the graph.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from export.graphs.fused_projections import joined
from export.model.layers import Float32, RMSNorm
from runtime.bundle.contract import Precision


class Product(nn.Module):
    """A linear map whose weight is stored [in, out], so that the graph holds one MatMul and no transpose.

    It computes in its weight's type, or in float32 if `wide`, whatever comes in.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, wide: bool) -> None:
        super().__init__()
        self.computed = torch.float32 if wide else dtype
        self.weight = nn.Parameter(linear.weight.detach().t().to(dtype).contiguous(), requires_grad=False)
        bias = linear.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().to(dtype), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        product = x.to(self.computed) @ self.weight.to(self.computed)
        return product if self.bias is None else product + self.bias.to(self.computed)


class WideRMSNorm(nn.Module):
    """RMSNorm in float32, as the division by a root that ONNX Runtime and TensorRT recognise as one kernel."""

    def __init__(self, norm: RMSNorm) -> None:
        super().__init__()
        self.weight = nn.Parameter(norm.weight.detach().float(), requires_grad=False)
        self.eps = norm.eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scaled = wide / torch.sqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight).to(x.dtype)


class WideLayerNorm(nn.Module):
    """LayerNorm in float32."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = copy.deepcopy(norm).float().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x.float())
        return normed.to(x.dtype)


class WideGELU(nn.Module):
    """The exact GELU in float32, in the order of operations that ONNX Runtime recognises as one kernel."""

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (wide * (torch.erf(wide / math.sqrt(2)) + 1) * 0.5).to(x.dtype)


def exportable(module: nn.Module, precision: Precision, wide: tuple[str, ...] = ()) -> nn.Module:
    """A copy of `module` that computes the same with weights in `precision`; linear maps below the paths in `wide` compute
    in float32 nevertheless."""
    dtype = torch.float16 if precision == "fp16" else torch.float32
    result = copy.deepcopy(module).requires_grad_(False)
    _convert(result, "", dtype, wide)
    return result.eval()


def stored_half(module: nn.Module) -> nn.Module:
    """The same with the weights of linear maps stored in float16: half the bytes, float32 arithmetic. Changes `module`."""
    for product in module.modules():
        if isinstance(product, Product):
            product.weight = nn.Parameter(product.weight.half(), requires_grad=False)
    return module


def _convert(module: nn.Module, path: str, dtype: torch.dtype, wide: tuple[str, ...]) -> None:
    for name, tensor in module.named_parameters(recurse=False):
        setattr(module, name, nn.Parameter(tensor.detach().to(dtype), requires_grad=False))
    for name, buffer in module.named_buffers(recurse=False):
        if buffer.is_floating_point() and not isinstance(module, Float32):
            setattr(module, name, buffer.to(dtype))
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Product(child, dtype, wide=path in wide))
        elif isinstance(child, RMSNorm):
            setattr(module, name, WideRMSNorm(child))
        elif isinstance(child, nn.LayerNorm):
            setattr(module, name, WideLayerNorm(child))
        elif isinstance(child, nn.GELU):
            setattr(module, name, WideGELU())
        else:
            form = joined(child)
            setattr(module, name, form)
            _convert(form, f"{path}.{name}".removeprefix("."), dtype, wide)
