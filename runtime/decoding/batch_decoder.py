"""The patch loop on many utterances at once: one call of each graph makes a patch of every row.

Rows join and leave while the others continue. A new one is prefilled alone, as `Decoder` does it; its keys and values move into
its column of the shared cache, and from then on it shares the steps:

    refill -> extractor, all rows -> rows that end leave -> compressor and backbone, the rest -> refill -> ...
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..backends.base import memory_of
from ..bundle.contract import NO_TOKEN
from ..bundle.voice import Voice
from ..errors import OptionError
from ..options import SamplingOptions
from ..stats import StoppedBy
from .batch_cache import open_batch_cache
from .batch_invariance import find_rounding
from .decoder import Decoder, Prefix
from .sequence import LengthLimits, SequenceState

MAX_BATCH = 256


@dataclass(eq=False)
class DecodeJob:
    """One utterance that is to be decoded; the arguments of `Decoder.decode`."""

    ids: Sequence[int]
    voice: Voice
    options: SamplingOptions
    random: np.random.Generator
    bounds: LengthLimits | None = None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True, eq=False)
class Patch:
    """One patch of one job: its tokens int64 [k], cut before the end; and why the job stopped, if it was the last."""

    job: DecodeJob
    tokens: np.ndarray
    stopped_by: StoppedBy | None


@dataclass(eq=False)
class _Row:
    job: DecodeJob
    progress: SequenceState
    fixed: dict[str, np.ndarray]
    prefix: Prefix
    context: np.ndarray
    recent: np.ndarray
    tokens: np.ndarray = field(default_factory=lambda: np.zeros((1, 0), np.int64))
    fresh: bool = True
    """Whether the context is one that no patch was drawn from yet."""


class BatchDecoder:
    """Jobs to codec tokens, up to `batch` at a time; not thread-safe.

    With `exact`, every row gets what `Decoder.decode` gives the same job, bit for bit (see `batch_invariance`): graphs whose
    rounding depends on the number of rows run row by row, and a new row waits, at most `period` - 1 steps, until it is as long
    as the others, modulo `period`. Without it, graphs take all rows at once, and rarely a token differs.
    """

    def __init__(self, decoder: Decoder, batch: int, exact: bool = True, capacity: int | None = None) -> None:
        """`decoder` prefills, and lends its backend; `capacity` is positions a row, its own unless given.

        Raises OptionError for a batch out of range, BackendError for a backend that keeps its cache on a device.
        """
        check_batch(batch)
        decoder.prefix()  # refuses a device, before anything is tried on it
        self.batch = batch
        self.cache = open_batch_cache(decoder.manifest, capacity or decoder.cache.capacity)
        self._decoder = decoder
        self._sizes = decoder.manifest.sizes
        self._rows: list[_Row | None] = []
        self.row_by_row, self.period = find_rounding(decoder.manifest, decoder.backend, batch) if exact else (frozenset(), 1)
        """Graphs that are run a row at a time; what the lengths of rows that step together agree modulo."""
        self._turn = 0
        """Remainder of the lengths that step next."""
        self.steps = 0
        """Calls of the backbone on the whole batch, so far."""
        self.row_steps = 0
        """Rows that took part in them: row_steps / (steps x batch) says how full the batch was."""

    def decode(self, waiting: deque[DecodeJob]) -> Iterator[Patch]:
        """Patches of all rows, one of each row in turn, until nothing runs and nothing waits.

        Jobs are taken from the left of `waiting` as rows get free, with a look ahead at the next `period` of them; more may be
        added at any time, at either end.

        Raises:
            TextError: a job has more ids than fit.
            BackendError: the library or device failed, or memory does not suffice.
            Cancelled: the backend was aborted.
        """
        self._rows = []
        self._refill(waiting)
        while self._rows:
            yield from self._speak()
            self._step()
            self._refill(waiting)

    def _refill(self, waiting: deque[DecodeJob]) -> None:
        """Keep the rows that continue, and prefill one row for each sequence that waits, as far as rows are free."""
        going: list[int | None] = [index for index, row in enumerate(self._rows) if row is not None]
        size = min(self.batch, len(going) + len(waiting))
        if size != len(self._rows):
            order = going + [None] * (size - len(going))
            self.cache.rearrange(order)
            self._rows = [None if old is None else self._rows[old] for old in order]
        for index, row in enumerate(self._rows):
            if row is None and waiting:
                self._rows[index] = self._begin(index, self._take(waiting))

    def _take(self, waiting: deque[DecodeJob]) -> DecodeJob:
        """The first job, or, of as many as the period has, the one whose row would have to wait least."""
        decoder, lookahead = self._decoder, min(len(waiting), self.period)
        waits = [(decoder.prefix_length(len(waiting[place].ids), waiting[place].voice) - self._turn) % self.period
                 for place in range(lookahead)]
        chosen = waiting[waits.index(min(waits))]
        waiting.remove(chosen)
        return chosen

    def _begin(self, index: int, job: DecodeJob) -> _Row:
        decoder = self._decoder
        bounds = job.bounds or decoder.bounds(len(job.ids), job.voice)
        decoder.prefill(job.ids, job.voice, bounds.max_patches)
        prefix = decoder.prefix()
        self.cache.fill(index, prefix.keys, prefix.values)
        progress = SequenceState(decoder.manifest, job.options, job.random, bounds)
        return _Row(job, progress, decoder.fixed_inputs(job.voice, job.options), prefix, prefix.context, prefix.recent)

    def _speak(self) -> Iterator[Patch]:
        """The next patch of every row that has a new context; those that end leave."""
        rows = [(index, row) for index, row in enumerate(self._rows) if row is not None and row.fresh]
        draws = [row.progress.draws() for _, row in rows]
        inputs = {"context": np.concatenate([row.context for _, row in rows]),
                  "uniforms": np.stack([uniforms for uniforms, _ in draws]),
                  "end_allowed": np.array([allowed for _, allowed in draws]),
                  **{key: np.concatenate([row.fixed[key] for _, row in rows]) for key in rows[0][1].fixed}}
        unrepeated = any(row.progress.unrepeated for _, row in rows)
        outputs = self._run("extractor", inputs, ("tokens", "logits") if unrepeated else ("tokens",))
        for place, (index, row) in enumerate(rows):
            row.tokens = outputs["tokens"][place:place + 1]
            if row.progress.unrepeated:
                row.tokens = row.progress.choose(outputs["logits"][place], draws[place][0])[None]
            row.fresh = False
            spoken, reason = row.progress.take(row.tokens[0])
            if reason is None and row.job.cancelled():
                reason = "cancel"
            if reason is not None:
                self._rows[index] = None
            yield Patch(row.job, spoken, reason)

    def _step(self) -> None:
        """Compress what the rows have said and run the backbone one position further; rows that wait come along, masked."""
        rows = self._next()
        if not rows:
            return
        batch, indices = len(self._rows), [index for index, _ in rows]
        windows = np.full((batch, self._sizes.compressor_context + self._sizes.patch), NO_TOKEN, np.int64)
        positions = np.zeros((batch, 1), np.float32)
        for index, row in rows:
            windows[index] = np.concatenate((row.recent, row.tokens), 1)
            row.recent = windows[index:index + 1, self._sizes.patch:]
            positions[index] = row.prefix.positions[self.cache.lengths[index]]
        patches = self._run("compressor", {"tokens": windows}, ("patches",))["patches"]
        given, into = self.cache.tensors(indices)
        outputs = self._run("backbone", {"inputs_embeds": patches, "positions": positions, **given},
                            ("context", *self.cache.fetched), into)
        self.cache.append(indices, outputs)
        for index, row in rows:
            row.context, row.fresh = outputs["context"][index:index + 1], True
        self.steps += 1
        self.row_steps += len(rows)

    def _next(self) -> list[tuple[int, _Row]]:
        """The rows that step together: those whose turn it is, or else the next that have one."""
        going = [(index, row) for index, row in enumerate(self._rows) if row is not None]
        ahead = [(int(self.cache.lengths[index]) - self._turn) % self.period for index, _ in going]
        if not going:
            return []
        self._turn = (self._turn + min(ahead) + 1) % self.period
        return [entry for entry, wait in zip(going, ahead, strict=True) if wait == min(ahead)]

    def _run(self, name: str, inputs: dict[str, np.ndarray], fetch: tuple[str, ...],
             into: dict[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """Outputs `fetch` of all rows; others are written in place."""
        if name not in self.row_by_row:
            return self._call(name, inputs, fetch, into or {})
        rows = [slice(row, row + 1) for row in range(len(next(iter(inputs.values()))))]
        single = [self._call(name, {key: value[row] for key, value in inputs.items()}, fetch,
                             {key: value[row] for key, value in (into or {}).items()}) for row in rows]
        return {key: np.concatenate([outputs[key] for outputs in single]) for key in fetch}

    def _call(self, name: str, inputs: dict[str, np.ndarray], fetch: tuple[str, ...],
              into: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        places = {key: memory_of(key, value) for key, value in into.items()}
        return self._decoder.backend.run(name, inputs, into=places, fetch=fetch)


def check_batch(batch: int) -> None:
    """OptionError unless `batch` is a number of rows that is taken."""
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= MAX_BATCH:
        raise OptionError(f"batch must be a whole number from 1 to {MAX_BATCH}, not {batch!r}.")
