"""Finds the first node that spoils a result, in logarithmically many runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence


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
