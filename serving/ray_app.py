"""A Ray Serve application: replicas with one synthesizer each, the OpenAI-compatible endpoint in front.

    serve run serving.ray_app:application bundle=build/voice replicas=4

A replica that dies takes its utterances with it. Equal bundle, text, voice and seed give equal samples, so that the endpoint
has another replica make such an utterance again and leaves out what the client already has: nothing is lost, and the client
hears nothing of it but a delay. If the endpoint itself dies, the connection does: a client has to ask again, as OpenAI's does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np
from ray import serve
from ray.exceptions import ActorDiedError, ActorUnavailableError
from ray.serve.handle import DeploymentHandle

from runtime import Synthesizer
from runtime import errors as runtime_errors
from runtime.errors import BackendError, OptionError, TldrError
from serving.api import create_app
from serving.speaker import LocalSpeaker, Model, Order

TRIES = 5
"""Replicas that are asked for one utterance before its client hears of it."""
WAIT_SECONDS = 0.2
ONGOING = 8
"""Utterances that one replica makes or lets wait; others go elsewhere."""


class Replica:
    """One synthesizer in a process of its own."""

    def __init__(self, bundle: str | None, provider: str, threads: int | None) -> None:
        self._speaker = LocalSpeaker(Synthesizer(bundle, provider=provider, threads=threads, warm_up=True))

    async def model(self) -> Model:
        """What it speaks with."""
        return await self._speaker.model()

    async def process(self) -> int:
        """Its process."""
        return os.getpid()

    async def speak(self, order: dict[str, Any]) -> AsyncIterator[bytes | tuple[str, str]]:
        """Samples int16, little-endian; or the class and the words of the error that ended them."""
        try:
            async for samples in self._speaker.speak(Order(**order)):
                yield samples.astype("<i2").tobytes()
        except TldrError as error:
            yield type(error).__name__, str(error)


class RaySpeaker:
    """Utterances made by whichever replica is free."""

    def __init__(self, handle: DeploymentHandle | None = None) -> None:
        self._handle = handle
        self._pipeline: Model | None = None
        self.repeated = 0
        """Utterances that were asked for again because their replica had died."""

    @property
    def handle(self) -> DeploymentHandle:
        """The replicas; found when first used, as the endpoint's own replica has to be there before."""
        if self._handle is None:
            self._handle = serve.get_deployment_handle("Speech", serve.get_replica_context().app_name)
        return self._handle

    async def model(self) -> Model:
        """See `Speaker`."""
        for left in reversed(range(TRIES)):
            try:
                self._pipeline = self._pipeline or await self.handle.model.remote()
            except (ActorDiedError, ActorUnavailableError) as error:
                await self._again(left, error)
            else:
                return self._pipeline
        raise AssertionError

    async def speak(self, order: Order) -> AsyncIterator[np.ndarray]:
        """See `Speaker`."""
        sent = 0
        for left in reversed(range(TRIES)):
            skipped = 0
            pieces = self.handle.options(stream=True).speak.remote(msgspec.structs.asdict(order))
            try:
                async for piece in pieces:
                    if isinstance(piece, tuple):
                        raise _error(*piece)
                    samples = np.frombuffer(piece, "<i2")
                    known = min(sent - skipped, len(samples))
                    skipped += known
                    if len(samples) > known:
                        yield samples[known:]
                        sent, skipped = sent + len(samples) - known, skipped + len(samples) - known
            except (ActorDiedError, ActorUnavailableError) as error:
                await self._again(left, error)
            else:
                return
            finally:
                pieces.cancel()

    async def _again(self, left: int, error: Exception) -> None:
        if not left:
            raise BackendError(f"{TRIES} replicas died at this utterance; look at the logs of Ray.") from error
        self.repeated += 1
        await asyncio.sleep(WAIT_SECONDS)


def _error(kind: str, message: str) -> TldrError:
    found = getattr(runtime_errors, kind, TldrError)
    return found(message) if isinstance(found, type) and issubclass(found, TldrError) else TldrError(message)


class Endpoint:
    """The HTTP side."""

    def __init__(self, replicas: DeploymentHandle) -> None:
        del replicas  # named here so that Ray Serve starts them first


_REPLICAS: Any = serve.deployment(Replica, name="Speech", max_ongoing_requests=ONGOING, health_check_period_s=1)
_ENDPOINT: Any = serve.deployment(serve.ingress(create_app(RaySpeaker()))(Endpoint), name="Endpoint", max_ongoing_requests=1000,
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
