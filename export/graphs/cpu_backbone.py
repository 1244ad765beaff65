"""The backbone step in ONNX Runtime's own operators, for its CPU kernels: grouped attention that writes keys and values where
they stay, and the residual sum and the norm after it in one.

The plain graph (`export.model.backbone`) makes of an attention fifteen nodes that TensorRT reads too, and copies the past of
each layer twice a step. Each operator here is written down twice: as the node that is exported, and in PyTorch for parity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.graphs.graph_module import GraphModule
from export.model.backbone import Backbone, BackboneLayer
from export.model.layers import rotary_tables, rotate

DOMAIN = "com.microsoft"


class CpuBackboneGraph(GraphModule):
    """Prefill of one row, or one step of several: `runtime.bundle.contract.language_model_graphs` with `cpu`."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, inputs_embeds: Tensor, positions: Tensor, past_length: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Context [B, D] and each layer's keys and values [B, H, capacity, E], in the order of `past`."""
        backbone, length = self.backbone, inputs_embeds.shape[1]
        call = _StepInputs(positions, past_length, length, past[0].shape[2], backbone)
        layers: list[BackboneLayer] = list(backbone.layers)  # type: ignore[arg-type]
        norms = [*(layer.input_layernorm for layer in layers[1:]), backbone.norm]
        x, normed, present = inputs_embeds, layers[0].input_layernorm(inputs_embeds), list[Tensor]()
        for index, (layer, norm) in enumerate(zip(layers, norms, strict=True)):
            attended, keys, values = call.attend(layer.self_attn.packed(normed), *past[2 * index:2 * index + 2])
            normed, x = add_norm(x, layer.self_attn.o_proj(attended), layer.post_attention_layernorm)
            normed, x = add_norm(x, layer.mlp(normed), norm)
            present += [keys, values]
        return normed[:, -1], *present


class _StepInputs:
    """Inputs that the attentions of all layers share: lengths and rotary tables."""

    def __init__(self, positions: Tensor, past_length: Tensor, length: int, capacity: int, backbone: Backbone) -> None:
        config = backbone.config
        self._heads, self._kv_heads = config.heads, config.kv_heads
        self._past_length = past_length
        self._last = (past_length + (length - 1)).to(torch.int32)
        self._total = (past_length.max() + length).to(torch.int32)
        self._tables = rotary_tables(positions, config.head_dim, config.rope_theta)
        # The operator looks angles up by an integer position: here by the place in tables of this call's positions alone,
        # which it wants as long as the cache.
        rows = positions.shape[0] * positions.shape[1]
        self._places = torch.arange(rows, device=positions.device).reshape(positions.shape)
        half = config.head_dim // 2
        self._cosines, self._sines = (nn.functional.pad(table[..., half:].reshape(rows, half), (0, 0, 0, capacity))
                                      for table in self._tables)

    def attend(self, states: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Packed queries, keys and values [B, S, (Hq + 2 H) E] over the past and themselves: [B, S, Hq E], and the past with
        the new keys and values after it, zeros where there is neither."""
        if torch.onnx.is_in_onnx_export():
            batch, length, width = states.shape
            inside = width * self._heads // (self._heads + 2 * self._kv_heads)
            attended, keys, values = torch.onnx.ops.symbolic_multi_out(
                f"{DOMAIN}::GroupQueryAttention",
                (states, None, None, keys, values, self._last, self._total, self._cosines, self._sines, self._places),
                {"num_heads": self._heads, "kv_num_heads": self._kv_heads, "do_rotary": 1},
                dtypes=(states.dtype, keys.dtype, values.dtype), shapes=((batch, length, inside), keys.shape, values.shape),
                version=1)
            return attended, keys, values
        return self._attend(states, keys, values)

    def _attend(self, states: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, _ = states.shape
        width = keys.shape[-1]
        split = states.reshape(batch, length, -1, width).transpose(1, 2)
        cosines, sines = (table[:, None] for table in self._tables)
        turned, fresh = torch.split(split, [self._heads + self._kv_heads, self._kv_heads], 1)
        queries, new = torch.split(rotate(turned, (cosines, sines)), [self._heads, self._kv_heads], 1)
        columns, steps = torch.arange(keys.shape[2]), torch.arange(length)
        keys, values = (torch.where((columns < self._past_length[:, None])[:, None, :, None], past, 0.0)
                        for past in (keys, values))
        places = self._past_length[:, None] + steps
        for row, place in enumerate(places):
            keys[row, :, place], values[row, :, place] = new[row], fresh[row]
        seen = columns <= places[:, None, :, None]
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values, seen, enable_gqa=True)
        return attended.transpose(1, 2).reshape(batch, length, -1), keys, values


def add_norm(x: Tensor, more: Tensor, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """norm(x + more) and x + more, [B, S, D] each."""
    if torch.onnx.is_in_onnx_export():
        weight: Tensor = norm.weight  # type: ignore[assignment]
        normed, _, _, total = torch.onnx.ops.symbolic_multi_out(
            f"{DOMAIN}::SkipSimplifiedLayerNormalization", (x, more, weight), {"epsilon": float(norm.eps)},  # type: ignore[arg-type]
            dtypes=(x.dtype,) * 4, shapes=(x.shape, x.shape[:2], x.shape[:2], x.shape), version=1)
        return normed, total
    total = x + more
    return norm(total), total
