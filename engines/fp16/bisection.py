"""Finds the first node that spoils a result, in logarithmically many runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence


def first_bad(nodes: Sequence[str], bad: Callable[[Sequence[str]], bool]) -> str | None:
    """The first node in float16 that makes the result bad.

    Args:
        nodes: in the graph's order.
        bad: whether the result is bad with these first nodes in float16 and all others in float32. It must hold for all
            of them if it holds for some; where it does not (two errors that cancel), a bad node is found, not the first.

    Returns:
        Its name, None where the result is not bad with all of them in float16.
    """
    if not bad(nodes):
        return None
    good, spoiled = 0, len(nodes)
    while spoiled - good > 1:
        middle = (good + spoiled) // 2
        if bad(nodes[:middle]):
            spoiled = middle
        else:
            good = middle
    return nodes[spoiled - 1]


def keep_bad(nodes: Sequence[str], kept: dict[str, str], error: Callable[[Collection[str]], float], tolerance: float,
             limit: int, reason: str) -> float:
    """Keep node after node in float32, the first bad one each time, until the result is right.

    Args:
        nodes: all nodes that can be in float16, in the graph's order.
        kept: nodes in float32 already, with reasons; gets the ones that are found.
        error: relative error of the result with so many nodes in float32.
        tolerance: what is right.
        limit: nodes that may be kept.
        reason: why a node is kept, `{error}` in it the error that led to it.

    Returns:
        The error at the end, above the tolerance where so few nodes do not suffice.
    """
    found = error(kept)
    while found > tolerance and len(kept) < limit:
        order = [name for name in nodes if name not in kept]
        bad = first_bad(order, _spoils(order, list(kept), error, tolerance)) if order else None
        if bad is None:
            break
        kept[bad] = reason.format(error=found)
        found = error(kept)
    return found


def _spoils(order: list[str], kept: list[str], error: Callable[[Collection[str]], float],
            tolerance: float) -> Callable[[Sequence[str]], bool]:
    """Return whether the first of the nodes `order` in float16, with the others and `kept` in float32, spoil the result."""
    return lambda first: error([*kept, *order[len(first):]]) > tolerance
