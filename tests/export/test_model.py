"""The model itself: causality, the windowed compressor, sizes, streaming."""

from __future__ import annotations

import pytest
import torch

from export.model.config import cosyvoice3
from export.model.language_model import PatchLM
from export.verification.reference import greedy_run, silent_voice
from tests.export.tiny import PATCH, tiny, tiny_patch_model, tiny_token_model, tiny_vocoder

PAPER_TRAINED = 136.2e6


def trained_parameters(patch: int) -> int:
    with torch.device("meta"):
        model = PatchLM(cosyvoice3(patch))
        model.adapt()
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("patch", [4, 6, 8])
def test_trained_parameters_are_the_papers(patch: int) -> None:
    assert trained_parameters(patch) == pytest.approx(PAPER_TRAINED, rel=0.003)


@torch.no_grad()
def test_a_later_token_never_changes_an_earlier_context() -> None:
    model = tiny_patch_model(tiny_token_model())
    ids, tokens = torch.arange(1, 8), torch.randint(0, 81, (7 * PATCH,), generator=torch.Generator().manual_seed(0))
    before = contexts(model, ids, tokens)
    for place in range(len(tokens)):
        changed = tokens.clone()
        changed[place] = (changed[place] + 40) % 81
        after = contexts(model, ids, changed)
        seen_by = place // PATCH + 1  # g_i sees patches 1..i, and a token stands in patch place // k + 1
        torch.testing.assert_close(after[:seen_by], before[:seen_by], rtol=0, atol=0)
        assert (after[seen_by] - before[seen_by]).abs().max() > 1e-6, "its own patch's context must change"


def contexts(model: PatchLM, ids: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    padded = torch.nn.functional.pad(tokens[None], (model.compressor.context, 0), value=-1)
    return model.contexts([ids], [model.compress(padded)[0]])[0]


@torch.no_grad()
@pytest.mark.parametrize("patch", [2, PATCH, 4])
def test_windowed_compressor_equals_the_whole_sequence(patch: int) -> None:
    model = tiny_patch_model(tiny_token_model(), patch)
    context = model.compressor.context
    tokens = torch.randint(0, 81, (2, 9 * patch), generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(tokens, (context, 0), value=-1)
    whole = model.compress(padded)
    steps = [model.compress(padded[:, start:start + context + patch]) for start in range(0, 9 * patch, patch)]
    torch.testing.assert_close(torch.cat(steps, 1), whole, rtol=1e-5, atol=1e-5)
    shorter = model.compress(padded[:, patch:patch + context + patch].clone().index_fill_(1, torch.arange(context), -1))
    assert (shorter - whole[:, 1:2]).abs().max() > 1e-4, "the tokens before a patch must matter"


@torch.no_grad()
def test_patch_loop_equals_the_whole_sequence_form() -> None:
    """The loop with its cache draws, at every step, the likeliest token of the teacher-forced training form."""
    model = tiny_patch_model(tiny_token_model())
    voice, ids = silent_voice(tiny().speaker), [3, 1, 4, 1, 5]
    run = greedy_run(model, ids, voice, min_tokens=1000, max_patches=9)
    assert len(run.tokens) == 9 * PATCH
    logits, _ = model.logits([torch.tensor(ids)], [torch.tensor(run.tokens)], torch.from_numpy(voice.speaker)[None])
    assert logits[:9, :, :81].argmax(-1).reshape(-1).tolist() == run.tokens


@torch.no_grad()
def test_extractor_steps_equal_the_whole_patch_form() -> None:
    model = tiny_patch_model(tiny_token_model())
    context, speaker = torch.randn(4, 16), torch.randn(4, 5)
    ones = torch.ones(4)
    tokens, logits = model.extract(context, speaker, ones, torch.full((4,), 5), ones, torch.rand(4, PATCH), ones.bool())
    forced = model.extractor(context, speaker, model.speech_embedding(tokens[:, :-1]))
    torch.testing.assert_close(logits, forced, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("chunks", [[1] * 11, [2, 3, 6], [10, 1]])
def test_vocoder_chunks_equal_the_whole(chunks: list[int]) -> None:
    vocoder, generator = tiny_vocoder(), torch.Generator().manual_seed(0)
    tokens, speaker = torch.randint(0, 81, (2, 9), generator=generator), torch.randn(2, 5, generator=generator)
    whole = vocoder.utterance(tokens, speaker)
    flushed = torch.nn.functional.pad(tokens, (0, vocoder.config.lookahead), value=-1)
    state, parts = torch.zeros(2, vocoder.state_size), []
    for piece in flushed.split(chunks, 1):
        samples, state = vocoder(piece, speaker, state)
        parts.append(samples)
    joined = torch.cat(parts, 1)[:, vocoder.config.lookahead * vocoder.config.samples_per_token:]
    assert joined.shape == (2, 9 * 8)
    # The source's jumps turn a rounding error of the phase into a small error of single samples.
    torch.testing.assert_close(joined, whole, rtol=1e-3, atol=2e-4)
    assert whole.abs().max() > 0.01


@torch.no_grad()
def test_vocoder_looks_no_further_ahead_than_it_says() -> None:
    vocoder = tiny_vocoder()
    tokens, speaker = torch.arange(12)[None] * 5 % 81, torch.ones(1, 5)
    changed = tokens.clone()
    changed[0, 8] = 80
    before, after = vocoder.utterance(tokens, speaker), vocoder.utterance(changed, speaker)
    first = (8 - vocoder.config.lookahead) * vocoder.config.samples_per_token
    torch.testing.assert_close(after[:, :first], before[:, :first], rtol=0, atol=1e-6)
    assert (after[:, first:] - before[:, first:]).abs().max() > 1e-4
