"""Sampling inside the graph against numpy's way of doing it, draw by draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from export.graphs.core_graphs import HeadGraph, sizes_of
from export.graphs.fp32_modules import exportable
from export.graphs.onnx_graph import write_graph
from export.model.sampling import mask_end, sample
from export.verification.parity import open_session
from runtime.bundle.contract import language_model_graphs
from tests.export.tiny import tiny, tiny_token_model

DRAWS = 4000


def reference_draw(logits: np.ndarray, temperature: float, top_k: int, top_p: float, uniform: float) -> tuple[int, float]:
    """The token, and how far `uniform` is from the next boundary between tokens; float64, one row."""
    order = np.argsort(-logits, kind="stable")[:top_k]
    scaled = logits[order].astype(np.float64) / temperature
    probabilities = np.exp(scaled - scaled.max())
    probabilities /= probabilities.sum()
    kept = 1 + int((np.cumsum(probabilities)[:-1] < top_p).sum())
    inside = np.cumsum(probabilities[:kept]) / probabilities[:kept].sum()
    cut = np.abs(np.cumsum(probabilities)[:-1] - top_p).min(initial=1.0)
    rank = int(np.searchsorted(inside, uniform, side="right"))
    return int(order[min(rank, kept - 1)]), min(float(np.abs(inside[:-1] - uniform).min(initial=1.0)), float(cut))


def cases(rows: int, vocabulary: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "logits": (rng.standard_normal((rows, vocabulary)) * rng.uniform(0.5, 4, (rows, 1))).astype(np.float32),
        "temperature": rng.uniform(0.3, 1.5, rows).astype(np.float32),
        "top_k": rng.integers(1, 65, rows),
        "top_p": rng.uniform(0.05, 1.0, rows).astype(np.float32),
        "uniforms": rng.random(rows, np.float32),
    }


def test_thousands_of_draws_equal_numpy() -> None:
    given = cases(DRAWS, 200)
    found = sample(*(torch.from_numpy(given[name]) for name in given)).numpy()
    clear = ranks = 0
    for row in range(DRAWS):
        token, distance = reference_draw(*(given[name][row] for name in given))
        if distance > 1e-5:
            clear += 1
            assert found[row] == token, f"row {row}"
            ranks += token != given["logits"][row].argmax()
    assert clear > 0.99 * DRAWS and ranks > 0.3 * DRAWS


def test_frequencies_follow_the_distribution() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, -9.0]]).expand(20_000, 5)
    rows = torch.ones(20_000)
    uniforms = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    drawn = sample(logits, rows, rows.long() * 3, rows, uniforms)
    wanted = torch.tensor([2.0, 1.0, 0.0]).softmax(0)
    torch.testing.assert_close(drawn.bincount(minlength=5)[:3] / 20_000, wanted, atol=0.01, rtol=0)
    assert drawn.max() == 2, "top_k must cut"


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-24])
@pytest.mark.parametrize(("top_k", "top_p"), [(1, 0.7), (1, 1.0), (25, 1e-6)])
def test_greedy_whatever_the_uniform(top_k: int, top_p: float, uniform: float) -> None:
    logits = torch.randn(50, 200, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(50)
    drawn = sample(logits, ones * 0.7, ones.long() * top_k, ones * top_p, ones * uniform)
    assert torch.equal(drawn, logits.argmax(-1))


@pytest.mark.parametrize("top_k", [2, 25, 64])
def test_the_largest_uniform_stays_within_top_k(top_k: int) -> None:
    logits = torch.randn(500, 200, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(500)
    drawn = sample(logits, ones, ones.long() * top_k, ones, ones * (1 - 2**-24))
    allowed = logits.topk(top_k).indices
    assert (allowed == drawn[:, None]).any(1).all()


def test_ends_are_masked_only_where_asked() -> None:
    logits = torch.zeros(2, 10)
    logits[:, 8] = 5.0
    masked = mask_end(logits, torch.tensor([True, False]), codes=8)
    assert torch.equal(masked[0], logits[0])
    assert masked[1, :8].eq(0).all() and (masked[1, 8:] < -1e8).all()


def test_draws_inside_the_graph_equal_numpy(tmp_path: Path) -> None:
    config, model = tiny(1), tiny_token_model()
    graph = language_model_graphs(sizes_of(config), "fp32")["extractor"]
    module = HeadGraph(model.head, config.vocabulary.codes)
    write_graph(exportable(module, "fp32"), graph, sizes_of(config), config.vocabulary.text, tmp_path / "head.onnx")
    given, rows = cases(1000, 84), 1000
    contexts = (np.random.default_rng(1).standard_normal((rows, config.backbone.hidden)) * 3).astype(np.float32)
    inputs = {"context": contexts, "temperature": given["temperature"], "top_k": given["top_k"], "top_p": given["top_p"],
              "uniforms": given["uniforms"][:, None], "end_allowed": np.ones(rows, bool)}
    tokens, logits = open_session(tmp_path / "head.onnx").run(["tokens", "logits"], inputs)
    clear = 0
    for row in range(rows):
        token, distance = reference_draw(logits[row, 0], *(given[name][row] for name in ("temperature", "top_k", "top_p",
                                                                                       "uniforms")))
        clear += distance > 1e-5
        assert distance <= 1e-5 or tokens[row, 0] == token
    assert clear > 0.99 * rows
