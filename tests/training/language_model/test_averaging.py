"""Rounds become one model, by their weights."""

from pathlib import Path

import pytest
import torch
from torch import nn

from export.checkpoints.embedded import load_token_model
from runtime.errors import OptionError
from training.language_model import patch_level
from training.language_model.averaging import average_into
from training.language_model.token_level import initialise
from training.recipe import Recipe

VOICE = Path(__file__).parents[3] / "voices" / "embedded"


def test_every_weight_is_a_mean() -> None:
    models = [nn.Linear(3, 2) for _ in range(4)]
    before = [{name: weight.clone() for name, weight in each.state_dict().items()} for each in models]
    average_into(models[0], models[1:])
    for name, weight in models[0].state_dict().items():
        assert torch.allclose(weight, torch.stack([each[name] for each in before]).mean(0), atol=1e-6)
    for model, own in zip(models[1:], before[1:], strict=True):
        assert all(torch.equal(weight, own[name]) for name, weight in model.state_dict().items())


def test_models_of_other_parts_are_refused() -> None:
    with pytest.raises(AttributeError, match="bias"):
        average_into(nn.Linear(3, 2), [nn.Linear(3, 2, bias=False)])


def test_a_run_is_averaged_with_a_checkpoint(tmp_path: Path) -> None:
    trained = patch_level.build(Recipe(tmp_path, VOICE).patch_config, load_token_model(VOICE), 0)
    initialise(trained.compressor, seed=1)
    (tmp_path / "patch_4").mkdir()
    torch.save({"done": 1, "model": trained.state_dict()}, tmp_path / "patch_4" / "state.pt")
    made = Recipe(tmp_path, tmp_path, start=VOICE, average_with=(VOICE,)).patch_model()
    before = patch_level.build(made.config, load_token_model(VOICE), 0, VOICE)
    own, theirs = dict(trained.compressor.named_parameters()), dict(before.compressor.named_parameters())
    for name, weight in made.compressor.named_parameters():
        assert torch.allclose(weight, torch.lerp(own[name], theirs[name], 0.5), atol=1e-6)
    assert all(torch.equal(weight, dict(before.named_parameters())[name]) for name, weight in made.named_parameters()
               if name.startswith("text_embedding"))


def test_a_checkpoint_without_the_patch_size_is_named(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, tmp_path, start=VOICE, average_with=(VOICE,), patch=6)
    model = patch_level.build(recipe.patch_config, load_token_model(VOICE), 0)
    (tmp_path / "patch_6").mkdir()
    torch.save({"done": 1, "model": model.state_dict()}, tmp_path / "patch_6" / "state.pt")
    with pytest.raises(OptionError, match="no TLDR of patch size 6"):
        recipe.patch_model()
