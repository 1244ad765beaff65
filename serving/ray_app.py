"""A Ray Serve application: replicas with one synthesizer each, and the OpenAI-compatible endpoint before them.

    serve run serving.ray_app:application bundle=build/voice replicas=4

A replica that dies takes its utterances with it. Equal bundle, text, voice and seed give equal samples, so that the endpoint
asks another replica for such an utterance and leaves out what the client already has: nothing is lost, and the client notices
only a delay. If the endpoint itself dies, the connection does: a client has to ask again, as OpenAI's does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
import numpy as np
from fastapi import FastAPI
from ray import serve
from ray.exceptions import ActorDiedError, ActorUnavailableError
from ray.serve.handle import DeploymentHandle

from runtime import Synthesizer
from runtime import errors as runtime_errors
from runtime.errors import BackendError, OptionError, TldrError
from serving.backends.interface import ModelInfo, SpeechChunk, SpeechJob
from serving.backends.local import LocalBackend
from serving.errors import ApiError
from serving.http.app import create_app
from serving.speech import Service

TRIES = 5
"""Replicas that are asked for one utterance before its client gets an error."""
WAIT_SECONDS = 0.2
ONGOING = 8
"""Utterances that one replica takes at a time; others go elsewhere."""

Piece = tuple[bytes, int, str, list[dict[str, Any]] | None]
"""Samples int16, little-endian; sentence; its text; words. An error is its class and its message, with sentence -1."""


class Replica:
    """One synthesizer in a separate process."""

    def __init__(self, bundle: str | None, provider: str, threads: int | None) -> None:
        # Exact batches: an utterance that is repeated elsewhere must have the same samples.
        synthesizer = Synthesizer(bundle, provider=provider, threads=threads, warm_up=True)
        self._backend = LocalBackend(synthesizer, ONGOING, exact=True, cloning=False)

    async def model(self) -> ModelInfo:
        """See `SpeechBackend`."""
        return await self._backend.model()

    async def process(self) -> int:
        """Process id."""
        return os.getpid()

    async def speak(self, job: dict[str, Any]) -> AsyncIterator[Piece]:
        """Speak a job, piece by piece."""
        stream = self._backend.speak(SpeechJob(**job))
        try:
            async for chunk in stream:
                yield chunk.samples.astype("<i2").tobytes(), chunk.sentence, chunk.text, chunk.words
        except TldrError as error:
            yield type(error).__name__.encode(), -1, str(error), None
        finally:
            await stream.aclose()


class RayBackend:
    """Utterances of whichever replica is free."""

    def __init__(self, handle: DeploymentHandle | None = None) -> None:
        self._handle = handle
        self._model: ModelInfo | None = None
        self._open: set[RayStream] = set()
        self.repeated = 0
        """Calls that were repeated because their replica had died."""

    @property
    def handle(self) -> DeploymentHandle:
        """The replicas; looked up when first used, as the endpoint's own replica has to exist before."""
        if self._handle is None:
            self._handle = serve.get_deployment_handle("Speech", serve.get_replica_context().app_name)
        return self._handle

    async def model(self) -> ModelInfo:
        """See `SpeechBackend`."""
        for left in reversed(range(TRIES)):
            try:
                self._model = self._model or await self.handle.model.remote()
            except (ActorDiedError, ActorUnavailableError) as error:
                await self.wait_for_another(left, error)
            else:
                return self._model
        raise AssertionError

    def speak(self, job: SpeechJob, pieces: Iterable[str] | None = None) -> RayStream:
        """See `SpeechBackend`; of `pieces`, all are waited for, as they might have to be sent again."""
        stream = RayStream(self, job, pieces)
        self._open.add(stream)
        return stream

    async def add_voice(self, name: str, recording: bytes, transcript: str | None) -> None:
        """See `SpeechBackend`."""
        raise ApiError(400, "Voices cannot be uploaded to replicas; put them into the bundle.")

    async def remove_voice(self, name: str) -> bool:
        """See `SpeechBackend`."""
        return False

    def problem(self) -> str | None:
        """See `SpeechBackend`; Ray looks after its replicas itself."""
        return None

    @property
    def waiting(self) -> int:
        """See `SpeechBackend`."""
        return len(self._open)

    def forget(self, stream: RayStream) -> None:
        """Note that an utterance has ended."""
        self._open.discard(stream)

    async def wait_for_another(self, left: int, error: Exception) -> None:
        """Wait a moment before the next try; BackendError after the last."""
        if not left:
            raise BackendError(f"{TRIES} replicas died at this utterance; look at the logs of Ray.") from error
        self.repeated += 1
        await asyncio.sleep(WAIT_SECONDS)


class RayStream:
    """One utterance, asked for again where its replica dies."""

    def __init__(self, backend: RayBackend, job: SpeechJob, pieces: Iterable[str] | None) -> None:
        self.stats: dict[str, Any] | None = None
        """See `SpeechStream`; figures stay with the replica."""
        self.words: list[dict[str, Any]] | None = None
        """See `SpeechStream`; only those of the chunks."""
        self._backend, self._job, self._pieces = backend, job, pieces
        self._answer: Any = None

    async def aclose(self) -> None:
        """See `SpeechStream`."""
        if self._answer is not None:
            self._answer.cancel()
        self._backend.forget(self)

    async def __aiter__(self) -> AsyncIterator[SpeechChunk]:
        text = self._job.text
        if self._pieces is not None:
            text = await asyncio.to_thread("".join, self._pieces)
        job = {**msgspec.structs.asdict(self._job), "text": text}
        sent = 0
        for left in reversed(range(TRIES)):
            skipped = 0
            self._answer = self._backend.handle.options(stream=True).speak.remote(job)
            try:
                async for data, sentence, text, words in self._answer:
                    if sentence < 0:
                        raise _error(data.decode(), text)
                    samples = np.frombuffer(data, "<i2")
                    known = min(sent - skipped, len(samples))
                    skipped += known
                    if len(samples) > known:
                        words = words if not known or words is None else []  # those of a chunk were sent with its beginning
                        yield SpeechChunk(samples=samples[known:], sentence=sentence, text=text, words=words)
                        sent, skipped = sent + len(samples) - known, skipped + len(samples) - known
            except (ActorDiedError, ActorUnavailableError) as error:
                await self._backend.wait_for_another(left, error)
            else:
                return
            finally:
                self._answer.cancel()


def _error(kind: str, message: str) -> TldrError:
    found = getattr(runtime_errors, kind, TldrError)
    return found(message) if isinstance(found, type) and issubclass(found, TldrError) else TldrError(message)


class Endpoint:
    """The HTTP side."""

    def __init__(self, replicas: DeploymentHandle) -> None:
        del replicas  # named here so that Ray Serve starts them first


def endpoint_app() -> FastAPI:
    """The endpoint's application, made in its process."""
    return create_app(Service(RayBackend()))


_REPLICAS: Any = serve.deployment(Replica, name="Speech", max_ongoing_requests=ONGOING, health_check_period_s=1)
_ENDPOINT: Any = serve.deployment(serve.ingress(endpoint_app)(Endpoint), name="Endpoint", max_ongoing_requests=1000,
                                  ray_actor_options={"num_cpus": 0})  # it only waits


def application(arguments: dict[str, str]) -> Any:
    """Built by `serve run`, from `bundle`, `replicas`, `provider` and `threads` on its command line."""
    unknown = arguments.keys() - {"bundle", "replicas", "provider", "threads"}
    if unknown:
        raise OptionError(f"There is no argument {', '.join(sorted(unknown))}; give bundle, replicas, provider or threads.")
    threads = int(arguments["threads"]) if "threads" in arguments else None
    replicas = _REPLICAS.options(num_replicas=int(arguments.get("replicas", "1"))).bind(
        arguments.get("bundle"), arguments.get("provider", "auto"), threads)
    return _ENDPOINT.bind(replicas)
