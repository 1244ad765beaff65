"""The loudspeaker example, on a sound device made of a list."""

from __future__ import annotations

import io
import sys
import threading
import time
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
import pytest

from examples import play as player
from runtime.command import run
from runtime.errors import OutputError
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of


class PortAudioError(Exception):
    """As in sounddevice."""


class Device:
    """A RawOutputStream that keeps what it is given; `speed` times faster than a real one."""

    speed = 1000.0
    opened: list[Device]

    def __init__(self, rate: int, channels: int, dtype: str, device: object) -> None:
        if device == "broken":
            raise PortAudioError("Device unavailable")
        assert (channels, dtype) == (1, "int16")
        self.rate, self.data, self.aborted = rate, b"", False
        self.opened.append(self)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def write(self, data: bytes) -> bool:
        first = not self.data
        self.data += data
        time.sleep(len(data) / 2 / self.rate / self.speed)
        return first

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    monkeypatch.setattr(Device, "opened", [], raising=False)
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(RawOutputStream=Device, PortAudioError=PortAudioError))
    return Device.opened


def test_the_device_gets_every_sample(synthesizer: Synthesizer, devices: list[Device]) -> None:
    stats, dry = player.play(synthesizer.stream(TEXT))
    (device,) = devices
    assert device.data == synthesizer.synthesize(TEXT).pcm_bytes() and device.rate == synthesizer.sample_rate
    assert stats.stopped_by == "end" and dry == 1 and not device.aborted


@pytest.mark.alone
def test_a_cancel_is_heard_at_once(synthesizer: Synthesizer, devices: list[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "speed", 1.0)
    stream = synthesizer.stream("Hello world, move two meters to the left. " * 20)
    playing = threading.Thread(target=player.play, args=(stream,))
    playing.start()
    time.sleep(0.5)
    begin = time.perf_counter()
    stream.cancel()
    playing.join(5)
    assert time.perf_counter() - begin < 0.5 and devices[0].aborted
    assert len(devices[0].data) / 2 / synthesizer.sample_rate < 2


def test_without_a_device(synthesizer: Synthesizer, devices: list[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError) as error:
        player.play(synthesizer.stream(TEXT), "broken")
    assert "Device unavailable" in sentence_of(error)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(OutputError) as error:
        player.play(synthesizer.stream(TEXT))
    assert "pip install" in sentence_of(error)


@pytest.mark.parametrize("text", [TEXT, "-"])
def test_the_command(tiny: Any, devices: list[Device], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                     text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT + "\n"))
    monkeypatch.setattr(sys, "argv", ["play.py", text, "--bundle", str(tiny)])
    with pytest.raises(SystemExit) as end:
        run(player.main)
    assert end.value.code == 0 and "TTFA" in capsys.readouterr().out
    samples = np.frombuffer(devices[0].data, "<i2")
    with Synthesizer(tiny, provider="cpu") as synthesizer:
        assert np.array_equal(samples, synthesizer.synthesize(TEXT).int16())
