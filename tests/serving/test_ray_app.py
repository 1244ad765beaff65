"""Ray Serve, really: two replicas under load, one of them killed, and every client has its whole utterance."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import BackendError, Synthesizer
from serving.backends.interface import SpeechJob
from tests.conftest import TEXT

ray = pytest.importorskip("ray", reason="needs the extra `ray`")
httpx = pytest.importorskip("httpx2", reason="needs an HTTP client")
pytestmark = pytest.mark.filterwarnings("default")
REQUESTS = 60
PORT = 18473


@pytest.fixture(scope="module")
def handle(tiny: Path) -> Iterator[Any]:
    """Handle of the replicas, the endpoint beside them on PORT."""
    patience = {"RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "120", "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60"}
    os.environ.update(patience)  # read when Ray Serve is imported; a busy machine of two cores takes longer than 5 s
    from ray import serve

    from serving.ray_app import application

    ray.init(num_cpus=2, object_store_memory=100 << 20, include_dashboard=False, log_to_driver=False,
             runtime_env={"env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", os.getcwd()), **patience}})
    with suppress(TimeoutError):  # after 60 s, which cannot be set; its controller is there, and goes on
        serve.start(http_options={"port": PORT})
    serve.run(application({"bundle": str(tiny), "replicas": "2", "provider": "cpu", "threads": "1"}), name="speech")
    wait_for_endpoint()
    yield serve.get_deployment_handle("Speech", "speech")
    serve.shutdown()
    ray.shutdown()


def wait_for_endpoint() -> None:
    """Until it answers, at most two minutes."""
    for _ in range(240):
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{PORT}/v1/models", timeout=30).status_code == 200:
                return
        time.sleep(0.5)
    pytest.fail("the endpoint never answered")


def expected(tiny: Path) -> list[bytes]:
    with Synthesizer(tiny, provider="cpu", threads=1) as synthesizer:
        return [b"".join(chunk.pcm_bytes() for chunk in synthesizer.stream(TEXT, seed=seed)) for seed in range(REQUESTS)]


async def ask(client: Any, seed: int) -> tuple[int, bytes, float]:
    """Status, samples and seconds of one request."""
    body = {"model": "tiny", "input": TEXT, "voice": "alto", "seed": seed, "response_format": "pcm"}
    begin = time.perf_counter()
    answer = await client.post("/v1/audio/speech", json=body)
    return answer.status_code, answer.content, time.perf_counter() - begin


@pytest.mark.slow
def test_one_replica_is_killed_and_nothing_is_lost(handle: Any, tiny: Path) -> None:
    async def load() -> tuple[list[tuple[int, bytes, float]], list[int]]:
        killed: list[int] = []
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=120) as client:
            asked = [asyncio.create_task(ask(client, seed)) for seed in range(REQUESTS)]
            while sum(task.done() for task in asked) < REQUESTS // 6:
                await asyncio.sleep(0.005)
            assert not all(task.done() for task in asked)
            killed.append(await handle.process.remote())
            os.kill(killed[0], signal.SIGKILL)
            return await asyncio.gather(*asked), killed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers, killed = asyncio.run(load())
        wanted = expected(tiny)
    lost = [seed for seed, (status, sound, _) in enumerate(answers) if status != 200 or sound != wanted[seed]]
    took = [seconds for *_, seconds in answers]
    print(f"{REQUESTS} requests at once, one of two replicas killed: {len(lost)} lost; answers after {min(took):.2f} to "
          f"{max(took):.2f} s, half of them within {np.median(took):.2f} s")
    assert lost == [] and len(answers) == REQUESTS
    with pytest.raises(ProcessLookupError):
        os.kill(killed[0], 0)


@pytest.mark.slow
def test_errors_come_through(handle: Any) -> None:
    answer = httpx.post(f"http://127.0.0.1:{PORT}/v1/audio/speech", json={"model": "tiny", "input": TEXT, "voice": "tenor"})
    assert answer.status_code == 400 and "alto" in answer.json()["error"]["message"]


class DyingReplicas:
    """Stands in for a handle: each replica dies behind so many pieces, until one is left that does not."""

    def __init__(self, pieces: list[bytes], lives: list[int]) -> None:
        self.pieces, self.lives = pieces, lives
        self.speak = self

    def options(self, stream: bool) -> DyingReplicas:
        assert stream
        return self

    def remote(self, order: dict[str, Any]) -> Any:
        from ray.exceptions import ActorDiedError

        async def pieces() -> AsyncIterator[tuple[bytes, int, str, None]]:
            life = self.lives.pop(0) if self.lives else len(self.pieces)
            for piece in self.pieces[:life]:
                yield piece, 0, "hello.", None
            if life < len(self.pieces):
                raise ActorDiedError

        return Cancellable(pieces())


class Cancellable:
    """A generator with the `cancel` of Ray's."""

    def __init__(self, generator: AsyncIterator[Any]) -> None:
        self.generator = generator

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.generator

    def cancel(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("lives", [[], [0], [2], [1, 0, 3]])
def test_the_next_replica_goes_on_where_the_client_is(lives: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from serving import ray_app

    monkeypatch.setattr(ray_app, "WAIT_SECONDS", 0)
    pieces = [np.arange(start, start + 10, dtype="<i2").tobytes() for start in range(0, 50, 10)]
    backend: Any = ray_app.RayBackend(DyingReplicas(pieces, list(lives)))

    async def said() -> list[int]:
        return [int(sample) async for chunk in backend.speak(SpeechJob(text="Hello.")) for sample in chunk.samples]

    assert asyncio.run(said()) == list(range(50))
    assert backend.repeated == len(lives)


def test_a_text_that_kills_every_replica_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from serving import ray_app

    monkeypatch.setattr(ray_app, "WAIT_SECONDS", 0)
    backend: Any = ray_app.RayBackend(DyingReplicas([b"12"], [0] * 99))

    async def said() -> None:
        async for _ in backend.speak(SpeechJob(text="Hello.")):
            pass

    with pytest.raises(BackendError, match="replicas died"):
        asyncio.run(said())
