"""`flow.pt` and `hift.pt` as modules; sizes from the weights, the rest from `cosyvoice3.yaml`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from export.checkpoints.cosyvoice.directory import FLOW, HIFT, SETTINGS
from export.checkpoints.cosyvoice.settings import read_settings
from export.checkpoints.cosyvoice.state import adopt, count_layers, part, read_state, shape_of, without_weight_norm
from export.model.config import FlowConfig, HiftConfig
from export.model.flow import FlowEncoder, FlowEstimator
from export.model.hift import PitchPredictor, Waveform
from runtime.errors import CheckpointError

ESTIMATOR, PITCH = "decoder.estimator.", "f0_predictor."
GENERATOR = "generator."
"""Prefix that some releases of `hift.pt` carry."""
NOISE_SEED, NOISE_FRAMES = 0, 15_000


def read_flow_config(directory: Path, state: dict[str, Tensor]) -> FlowConfig:
    """Raises CheckpointError."""
    path, settings = directory / FLOW, read_settings(directory / SETTINGS)
    blocks = f"{ESTIMATOR}transformer_blocks."
    codes, mel = shape_of(state, "input_embedding.weight", path)
    _, speaker = shape_of(state, "spk_embed_affine_layer.weight", path)
    encoder_width, _, ahead = shape_of(state, "pre_lookahead_layer.conv1.weight", path)
    width, grouped, kernel = shape_of(state, f"{ESTIMATOR}input_embed.conv_pos_embed.conv1.0.weight", path)
    head_dim = 2 * shape_of(state, f"{ESTIMATOR}rotary_embed.inv_freq", path)[0]
    inner, _ = shape_of(state, f"{blocks}0.attn.to_q.weight", path)
    intermediate, _ = shape_of(state, f"{blocks}0.ff.ff.0.0.weight", path)
    if not head_dim or inner % head_dim or not grouped or width % grouped:
        raise CheckpointError(f"{path}: {inner} attention channels do not divide into heads of {head_dim}.")
    return FlowConfig(codes=codes, mel=mel, speaker=speaker, encoder_width=encoder_width, lookahead=ahead - 1, width=width,
                      layers=count_layers(state, blocks, path), heads=inner // head_dim, head_dim=head_dim,
                      intermediate=intermediate, kernel=kernel, groups=width // grouped,
                      frames_per_token=settings.flow.frames_per_token, chunk_tokens=settings.chunk_size,
                      guidance=settings.flow.guidance)


def read_hift(directory: Path) -> dict[str, Tensor]:
    """The tensors of `hift.pt`, weight norms folded. Raises CheckpointError."""
    state = read_state(directory / HIFT)
    return without_weight_norm({name.replace(GENERATOR, ""): tensor for name, tensor in state.items()})


def read_hift_config(directory: Path, state: dict[str, Tensor]) -> HiftConfig:
    """Raises CheckpointError."""
    path, settings = directory / HIFT, read_settings(directory / SETTINGS)
    hift = settings.hift
    channels, mel, ahead = shape_of(state, "conv_pre.weight", path)
    pitch_width, _, _ = shape_of(state, f"{PITCH}condnet.0.weight", path)
    return HiftConfig(mel=mel, sample_rate=settings.sample_rate, channels=channels, pitch_width=pitch_width,
                      harmonics=hift.nb_harmonics, lookahead=ahead - 1, rates=hift.upsample_rates,
                      up_kernels=hift.upsample_kernel_sizes, kernels=hift.resblock_kernel_sizes,
                      dilations=hift.resblock_dilation_sizes, source_kernels=hift.source_resblock_kernel_sizes,
                      source_dilations=hift.source_resblock_dilation_sizes, fft=hift.istft_params["n_fft"],
                      step=hift.istft_params["hop_len"], slope=hift.lrelu_slope, limit=hift.audio_limit,
                      sine_level=hift.nsf_alpha, noise_level=hift.nsf_sigma, voiced_above=hift.nsf_voiced_threshold)


def flow_encoder(directory: Path, config: FlowConfig, state: dict[str, Tensor]) -> FlowEncoder:
    """Raises CheckpointError."""
    module = FlowEncoder(config)
    adopt(module, {name: tensor for name, tensor in state.items() if not name.startswith(ESTIMATOR)}, directory / FLOW)
    return module.eval().requires_grad_(False)


def flow_estimator(directory: Path, config: FlowConfig, state: dict[str, Tensor]) -> FlowEstimator:
    """Raises CheckpointError."""
    with torch.device("meta"):
        module = FlowEstimator(config)
    adopt(module, part(state, ESTIMATOR), directory / FLOW, ESTIMATOR.__add__)
    return module.eval().requires_grad_(False)


def pitch_predictor(directory: Path, config: HiftConfig, state: dict[str, Tensor]) -> PitchPredictor:
    """Raises CheckpointError."""
    module = PitchPredictor(config)
    adopt(module, part(state, PITCH), directory / HIFT, PITCH.__add__)
    return module.eval().requires_grad_(False)


def waveform(directory: Path, config: HiftConfig, state: dict[str, Tensor]) -> Waveform:
    """Raises CheckpointError."""
    module = Waveform(config)
    adopt(module, {name: tensor for name, tensor in state.items() if not name.startswith(PITCH)}, directory / HIFT)
    return module.eval().requires_grad_(False)


def flow_noise(mel: int) -> Tensor:
    """Return the initial noise of every flow, float32 [15,000, M]: a constant of the model, equal in every stream."""
    generator = torch.Generator().manual_seed(NOISE_SEED)
    return torch.randn(1, mel, NOISE_FRAMES, generator=generator)[0].t().contiguous()
