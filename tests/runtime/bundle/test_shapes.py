"""Axes of the contract, solved and filled in."""

from __future__ import annotations

import pytest

from runtime.bundle.contract import Tensor
from runtime.bundle.shapes import bind, resolve, symbol_of

PROMPT = Tensor("tokens", "int64", ("batch", "15+4*patches"))


def test_binds_offsets_and_factors() -> None:
    symbols: dict[str, int] = {}
    assert bind(PROMPT, (2, 27), symbols) is None
    assert symbols == {"batch": 2, "patches": 3}
    assert resolve(PROMPT, symbols) == (2, 27)
    assert resolve(Tensor("embeds", "float32", ("text+2", 8)), {"text": 5}) == (7, 8)


@pytest.mark.parametrize(("shape", "part"), [((1,), "axes"), ((1, 28), "shape"), ((1, 14), "shape"), ((3, 19), "shape")])
def test_refuses_a_shape_that_does_not_fit(shape: tuple[int, ...], part: str) -> None:
    wrong = bind(PROMPT, shape, {"batch": 1})
    assert wrong is not None and part in wrong


def test_fixed_axes_must_be_equal() -> None:
    tensor = Tensor("state", "float32", ("batch", 4))
    assert bind(tensor, (1, 4), {}) is None
    assert bind(tensor, (1, 5), {}) is not None


def test_unknown_size_and_form() -> None:
    assert symbol_of(3) is None and symbol_of("960*tokens") == "tokens"
    with pytest.raises(KeyError):
        resolve(PROMPT, {"batch": 1})
    with pytest.raises(ValueError, match="form"):
        symbol_of("a b")
