"""Joined maps compute what the separate ones do."""

from __future__ import annotations

import copy

import torch
from torch import nn

from export.graphs.core_graphs import BackboneGraph, CompressorGraph, ExtractorGraph
from export.graphs.fp32_modules import exportable
from export.graphs.fused_projections import FusedSelfProjections, fuse_projections
from export.model.backbone import SelfAttention
from export.model.layers import Projections, SelfProjections, SwiGLU, rotary_tables
from export.model.lora import LoRALinear, merge
from tests.export.tiny import tiny, tiny_patch_model, tiny_token_model

WIDTH = 16


def states() -> torch.Tensor:
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_each_form_gives_the_same_values() -> None:
    torch.manual_seed(0)
    x = states()
    attention = SelfAttention(tiny().backbone)
    cosines, sines = rotary_tables(torch.arange(3.0)[None].expand(2, 3), tiny().backbone.head_dim, 1e4)
    rotary = cosines[:, :, None], sines[:, :, None]
    both = fuse_projections(attention)
    assert isinstance(both, SelfAttention)
    torch.testing.assert_close(both.project(x, rotary), attention.project(x, rotary))
    projections, own = Projections(WIDTH, 2), SelfProjections(WIDTH, WIDTH // tiny().backbone.head_dim)
    pair, three = fuse_projections(projections), fuse_projections(own)
    assert isinstance(pair, Projections) and isinstance(three, FusedSelfProjections)
    torch.testing.assert_close(pair.keys_values(x), projections.keys_values(x))
    for tables in (None, (cosines[:, None], sines[:, None])):
        torch.testing.assert_close(three.states(x, tables), own.states(x, tables))


def test_what_has_no_joined_form_is_left_alone() -> None:
    for module in (nn.Linear(2, 2), SwiGLU(WIDTH, 24)):
        assert fuse_projections(module) is module


def test_the_graphs_hold_joined_maps_and_the_model_keeps_its_own() -> None:
    model = tiny_patch_model(tiny_token_model())
    merge(model.backbone)
    before = copy.deepcopy(model.state_dict())
    graphs = (BackboneGraph(model.backbone), CompressorGraph(model.compressor, model.speech_embedding),
              ExtractorGraph(model.extractor, model.speech_embedding, 81))
    names = [{name.rsplit(".", 2)[-2] for name, _ in exportable(graph, "fp32").named_parameters()} for graph in graphs]
    assert not any(found & {"k_proj", "v_proj"} for found in names)
    assert "qkv_proj" in names[0] and "kv_proj" in names[1] and {"qkv_proj", "kv_proj"} <= names[2]
    assert model.state_dict().keys() == before.keys()


def test_adapters_that_are_not_merged_are_left_alone() -> None:
    attention = SelfAttention(tiny().backbone)
    attention.v_proj = LoRALinear(attention.v_proj, 2, 2)  # type: ignore[assignment]
    assert fuse_projections(attention) is attention
