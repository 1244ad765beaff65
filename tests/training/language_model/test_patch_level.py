"""A patch size goes on from the nearest that a checkpoint has."""

from pathlib import Path

import torch

from export.checkpoints.embedded import load_token_model
from export.model.config import embedded
from export.model.language_model import PatchLM
from training.language_model.patch_level import build, keep_direction, nearest

VOICE = Path(__file__).parents[3] / "voices" / "embedded"


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert nearest(tmp_path, 4) is None


def test_eight_tokens_a_patch_start_from_four() -> None:
    assert nearest(VOICE, 8) == 4
    token_level = load_token_model(VOICE)
    four, eight = (build(embedded(patch), token_level, 0, VOICE) for patch in (4, 8))
    own = eight.state_dict()
    assert all(torch.equal(weight, own[name]) for name, weight in four.state_dict().items())
    assert eight.config.patch == 8


@torch.no_grad()
def test_an_extractor_sees_only_the_direction_of_its_training() -> None:
    model = PatchLM(embedded(4))
    trained = torch.randn(embedded().speaker, generator=torch.Generator().manual_seed(0))
    before = model.extractor.speaker_proj(trained)
    keep_direction(model, trained)
    assert torch.allclose(model.extractor.speaker_proj(trained), before, atol=1e-4)
    other = torch.randn(embedded().speaker, generator=torch.Generator().manual_seed(1))
    other = other - trained * (other @ trained) / trained.square().sum()
    assert float(model.extractor.speaker_proj(other).abs().max()) < 1e-4
