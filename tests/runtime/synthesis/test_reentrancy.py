"""Calls from inside an utterance, from pools and from dropped streams: each works or raises BusyError, none waits for ever.

Each scenario runs in a child process, which is stopped where it hangs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCENARIOS = {
    "a stage hook closes": """
        from runtime.stats import Hooks
        box = []
        tts = Synthesizer(bundle, hooks=Hooks(stage=lambda *_: box and box[0].close()))
        box.append(tts)
        try:
            tts.synthesize(TEXT)
        except (Cancelled, BackendError):
            pass
        assert tts._pipeline.backend.closed
    """,
    "a signal handler closes": """
        import signal
        tts = Synthesizer(bundle)
        signal.signal(signal.SIGALRM, lambda *_: tts.close())
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            tts.synthesize(LONG)
        except (Cancelled, BackendError):
            pass
        assert tts._pipeline.backend.closed
    """,
    "a signal handler speaks": """
        import signal
        tts, seen = Synthesizer(bundle), []

        def warn(*_):
            try:
                tts.synthesize("Stop!", interrupt=True)
            except BusyError as error:
                seen.append(str(error))

        signal.signal(signal.SIGALRM, warn)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            tts.synthesize(LONG)
        except Cancelled:
            pass
        assert seen and "another thread" in seen[0], seen
    """,
    "the text's iterator speaks": """
        tts, seen = Synthesizer(bundle), []

        def words():
            yield "Hello world. "
            try:
                tts.synthesize("Stop!")
            except BusyError as error:
                seen.append(str(error))
            yield "Move left."

        assert len(tts.synthesize(words()).samples)
        assert seen, "it was not refused"
    """,
    "the text's asynchronous iterator speaks": """
        import asyncio
        tts, seen = Synthesizer(bundle), []

        async def words():
            yield "Hello world. "
            try:
                tts.synthesize("Stop!")
            except BusyError as error:
                seen.append(str(error))
            yield "Move left."

        async def main():
            async for chunk in tts.stream(words()):
                pass

        asyncio.run(main())
        assert seen, "it was not refused"
    """,
    "a dropped stream in a reference cycle": """
        import gc
        tts = Synthesizer(bundle)

        class Player:
            def __init__(self):
                self.stream = tts.stream(LONG)
                self.on_end = self.stop

            def stop(self):
                pass

        def begin():
            player = Player()
            next(player.stream)

        gc.disable()
        begin()
        assert len(tts.synthesize(TEXT).samples)
        import threading
        other = threading.Thread(target=begin)
        other.start()
        other.join()
        assert len(tts.synthesize(TEXT).samples)
    """,
    "coroutines that pull in a pool": """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor
        tts = Synthesizer(bundle)

        async def speak(pool):
            stream, loop, seconds = tts.stream(TEXT), asyncio.get_running_loop(), 0.0
            while (chunk := await loop.run_in_executor(pool, next, stream, None)) is not None:
                seconds += chunk.seconds
                await asyncio.sleep(0.01)
            return seconds

        async def main():
            with ThreadPoolExecutor(3) as pool:
                return await asyncio.gather(*(speak(pool) for _ in range(3)))

        assert len(set(asyncio.run(main()))) == 1
    """,
    "an unfinished stream of this thread": """
        tts = Synthesizer(bundle)
        stream = tts.stream(LONG)
        next(stream)
        try:
            tts.synthesize(TEXT)
        except BusyError:
            stream.cancel()
        assert len(tts.synthesize(TEXT).samples)
    """,
    "a warning while the text holds nothing to say": """
        import time
        tts = Synthesizer(bundle)
        endless = tts.stream(iter(["\U0001F642 "] * 10_000_000))
        import threading
        threading.Thread(target=lambda: list(endless), daemon=True).start()
        time.sleep(0.5)
        begin = time.monotonic()
        assert len(tts.synthesize("Stop!", interrupt=True).samples)
        assert time.monotonic() - begin < 20
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_call_waits_for_itself(name: str, tiny: Path) -> None:
    lines = [line[8:] for line in SCENARIOS[name].splitlines()]
    code = "\n".join(("import sys", "from runtime import BackendError, BusyError, Cancelled, Synthesizer",
                      "bundle, TEXT = sys.argv[1], 'Hello world.'", "LONG = 'Hello world, move two meters to the left. ' * 400",
                      *lines))
    done = subprocess.run([sys.executable, "-c", code, str(tiny)], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
