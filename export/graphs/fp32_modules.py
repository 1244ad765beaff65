"""Convert modules to the form that is exported: linear maps as MatMul with weights [in, out], maps of one input fused, FP16
with explicit casts around what stays in float32.

FP16 is decided here, in the graph, never by a builder's flags: norms, softmax, rotary tables, sampling and the vocoder's
waveform head stay float32 between Casts, whatever engine reads the graph.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from export.graphs.fused_projections import fuse_projections
from export.model.layers import Float32, RMSNorm
from runtime.bundle.contract import Precision, activation_dtype


class MatMulLinear(nn.Module):
    """A linear map whose weight is stored [in, out], so that the graph holds one MatMul and no transpose.

    It computes in its weight's type, or in float32 if `fp32`, whatever the input's type.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, fp32: bool) -> None:
        super().__init__()
        self.computed = torch.float32 if fp32 else dtype
        self.weight = nn.Parameter(linear.weight.detach().t().to(dtype).contiguous(), requires_grad=False)
        bias = linear.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().to(dtype), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        product = x.to(self.computed) @ self.weight.to(self.computed)
        return product if self.bias is None else product + self.bias.to(self.computed)


class Fp32RMSNorm(nn.Module):
    """RMSNorm in float32, as the division by a root that ONNX Runtime and TensorRT recognise as one kernel."""

    def __init__(self, norm: RMSNorm) -> None:
        super().__init__()
        self.weight = nn.Parameter(norm.weight.detach().float(), requires_grad=False)
        self.eps = norm.eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scaled = wide / torch.sqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight).to(x.dtype)


class Fp32LayerNorm(nn.Module):
    """LayerNorm in float32."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = copy.deepcopy(norm).float().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x.float())
        return normed.to(x.dtype)


class Fp32GELU(nn.Module):
    """The exact GELU in float32, in the order of operations that ONNX Runtime recognises as one kernel."""

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (wide * (torch.erf(wide / math.sqrt(2)) + 1) * 0.5).to(x.dtype)


def torch_dtype(precision: Precision) -> torch.dtype:
    """Return the torch type of weights and activations in `precision`."""
    dtype: torch.dtype = getattr(torch, activation_dtype(precision))
    return dtype


def exportable(module: nn.Module, precision: Precision, fp32_modules: tuple[str, ...] = ()) -> nn.Module:
    """Copy `module` with its weights in `precision`; linear maps directly below the paths in `fp32_modules` compute in
    float32, and below a path that ends in ".*" everything is float32."""
    dtype = torch_dtype(precision)
    result = copy.deepcopy(module).requires_grad_(False)
    _convert(result, "", dtype, fp32_modules)
    return result.eval()


def store_weights_in_fp16(module: nn.Module) -> nn.Module:
    """Store the weights of linear maps in float16, computed in float32: half the bytes. Changes `module` and returns it."""
    for product in module.modules():
        if isinstance(product, MatMulLinear):
            product.weight = nn.Parameter(product.weight.half(), requires_grad=False)
    return module


def _convert(module: nn.Module, path: str, dtype: torch.dtype, fp32_modules: tuple[str, ...]) -> None:
    if f"{path}.*" in fp32_modules:
        dtype = torch.float32
    for name, tensor in module.named_parameters(recurse=False):
        setattr(module, name, nn.Parameter(tensor.detach().to(dtype), requires_grad=False))
    for name, buffer in module.named_buffers(recurse=False):
        if buffer.is_floating_point() and not isinstance(module, Float32):
            setattr(module, name, buffer.to(dtype))
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, MatMulLinear(child, dtype, fp32=path in fp32_modules))
        elif isinstance(child, RMSNorm):
            setattr(module, name, Fp32RMSNorm(child))
        elif isinstance(child, nn.LayerNorm):
            setattr(module, name, Fp32LayerNorm(child))
        elif isinstance(child, nn.GELU):
            setattr(module, name, Fp32GELU())
        else:
            fused = fuse_projections(child)
            setattr(module, name, fused)
            _convert(fused, f"{path}.{name}".removeprefix("."), dtype, fp32_modules)
