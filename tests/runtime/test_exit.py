"""A program that ends while something is being spoken ends with its own exit code, never with an abort."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

BEGIN = """
import asyncio, sys, threading, time
from runtime import Synthesizer
LONG = "The old fisherman carried two heavy suitcases along the beach before sunrise. " * 20
tts = Synthesizer(threads=1)
"""
ENDINGS = {
    "buffered, left properly": ("with tts.stream(LONG).buffered(99) as b: next(b)", 0),
    "buffered, cancelled": ("b = tts.stream(LONG).buffered(99); next(b); b.cancel()", 0),
    "buffered, stopped": ("b = tts.stream(LONG).buffered(99); next(b); tts.stop()", 0),
    "buffered, dropped": ("b = tts.stream(LONG).buffered(99); next(b)", 0),
    "an exception in the loop": ("for chunk in tts.stream(LONG).buffered(1.0): raise SystemExit(7)", 7),
    "a task that timed out": ("""
async def main():
    try:
        await asyncio.wait_for(tts.synthesize_async(LONG), 0.4)
    except asyncio.TimeoutError:
        pass
asyncio.run(main())""", 0),
    "async for, an exception": ("""
async def main():
    async for chunk in tts.stream(LONG).buffered(99):
        sys.exit(3)
asyncio.run(main())""", 3),
    "a daemon thread in synthesize": ("""
threading.Thread(target=tts.synthesize, args=(LONG,), daemon=True).start()
time.sleep(0.3)""", 0),
    "a daemon thread in synthesize_many": ("""
threading.Thread(target=lambda: tts.synthesize_many([LONG] * 4).collect(), daemon=True).start()
time.sleep(0.3)""", 0),
    "a daemon thread in a stream": ("""
threading.Thread(target=lambda: list(tts.stream(LONG)), daemon=True).start()
time.sleep(0.3)""", 0),
    "a half-read stream": ("stream = tts.stream(LONG); next(stream)", 0),
}


def ended(name: str) -> tuple[str, int, str]:
    """Name, exit code and errors of one run."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", BEGIN + ENDINGS[name][0]], capture_output=True, text=True,
                          timeout=120, check=False)
    return name, done.returncode, done.stderr


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_ends_with_its_own_code(times: int, request: pytest.FixtureRequest) -> None:
    if times > 1 and not request.config.getoption("--slow"):
        pytest.skip("takes minutes; run with --slow")
    with ThreadPoolExecutor(2) as pool:
        wrong = [(name, code, errors[-300:]) for name, code, errors in pool.map(ended, list(ENDINGS) * times)
                 if code != ENDINGS[name][1] or "terminate" in errors]
    assert not wrong, wrong
