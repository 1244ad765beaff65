"""One utterance after the other, for backends whose KV cache is on a device: the interface of a `StreamBatch`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from runtime import AudioChunk, Stats, Stream, Synthesizer
from runtime.errors import BackendError
from runtime.timing.words import Word


class SerialSubmission:
    """An utterance that waits or runs."""

    def __init__(self, stream: Stream, client: str, on_chunk: Callable[[AudioChunk], None],
                 on_end: Callable[[Stats, BaseException | None], None]) -> None:
        self.stream, self.client = stream, client
        self._on_chunk, self._on_end = on_chunk, on_end

    @property
    def words(self) -> list[Word] | None:
        """Its words so far; None where they have no times."""
        return self.stream.words

    def cancel(self) -> None:
        """Stop it within one patch."""
        self.stream.cancel()

    def pause(self, paused: bool = True) -> None:
        """Does nothing: an utterance that runs is completed, so that no other waits for its consumer."""

    def run(self) -> None:
        """Speak it."""
        error: BaseException | None = None
        try:
            for chunk in self.stream:
                self._on_chunk(chunk)
        except BaseException as raised:
            error = raised
        finally:
            self.stream.close()
            self._on_end(self.stream.stats, error)


class SerialBatch:
    """Utterances in the order of their clients' turns: whoever was served longest ago is next."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._waiting: deque[SerialSubmission] = deque()
        self._served: deque[str] = deque(maxlen=256)
        self._changed = threading.Condition()
        self._running: SerialSubmission | None = None
        self._closed = False
        self._worker: threading.Thread | None = None

    def submit(self, text: str | Iterable[str], *, on_chunk: Callable[[AudioChunk], None],
               on_end: Callable[[Stats, BaseException | None], None], client: str = "", **options: Any) -> SerialSubmission:
        """Begin an utterance; see `StreamBatch.submit`."""
        stream = self._synthesizer.stream(text, **options)
        submission = SerialSubmission(stream, client, on_chunk, on_end)
        with self._changed:
            if self._closed:
                raise BackendError("The server is shutting down.")
            self._waiting.append(submission)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="tldr-serial", daemon=True)
                self._worker.start()
            self._changed.notify_all()
        return submission

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything and end the worker."""
        with self._changed:
            self._closed = True
            submissions = [*self._waiting, *([self._running] if self._running else [])]
            self._changed.notify_all()
        for submission in submissions:
            submission.cancel()
        if self._worker is not None:
            self._worker.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                submission = min(self._waiting, key=lambda waiting: self._last_served(waiting.client))
                self._waiting.remove(submission)
                self._served.append(submission.client)
                self._running = submission
            submission.run()
            with self._changed:
                self._running = None

    def _last_served(self, client: str) -> int:
        """Position of the client's last utterance among those served, -1 for none."""
        return max((place for place, served in enumerate(self._served) if served == client), default=-1)
