"""The demonstration server: its protocol, its limits, and its page in a real browser."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from examples.server import app as server
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT

LONG = "Hello world, move two meters to the left. " * 100


@pytest.fixture
def client(synthesizer: Synthesizer) -> Iterator[TestClient]:
    with TestClient(server.create_app(synthesizer)) as made:
        yield made


def speak(socket: Any, **order: Any) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Everything up to the end of one utterance."""
    socket.send_json(order)
    samples, messages = [np.zeros(0, np.int16)], list[dict[str, Any]]()
    while not messages or messages[-1]["type"] not in ("end", "error"):
        message = socket.receive()
        if message.get("bytes") is not None:
            samples.append(np.frombuffer(message["bytes"], "<i2"))
        else:
            messages.append(json.loads(message["text"]))
    return np.concatenate(samples), messages


def test_a_client_hears_what_the_synthesizer_makes(client: TestClient, synthesizer: Synthesizer) -> None:
    with client.websocket_connect("/speak") as socket:
        for seed in (0, 3):
            samples, messages = speak(socket, text=TEXT, seed=seed, rate=1.25)
            assert np.array_equal(samples, synthesizer.synthesize(TEXT, seed=seed, rate=1.25).int16())
            assert [messages[0]["type"], messages[-1]["type"]] == ["start", "end"]
            assert messages[0]["sample_rate"] == synthesizer.sample_rate
            assert messages[-1]["stats"]["stopped_by"] == "end" and len(messages) > 5


def test_another_text_and_a_cancel_silence_what_is_said(client: TestClient) -> None:
    with client.websocket_connect("/speak") as socket:
        for silencing in ({"cancel": True}, {"text": TEXT}):
            socket.send_json({"text": LONG})
            assert socket.receive_json()["type"] == "start"
            socket.receive_bytes()
            _, messages = speak(socket, **silencing)
            assert messages[-1]["stats"]["stopped_by"] == "cancel"
        assert socket.receive_json()["type"] == "start"  # the other text, after the end of the first


@pytest.mark.parametrize(("order", "part"), [
    ({"text": ""}, "empty"), ({"text": "🙂"}, "nothing"), ({"text": TEXT, "voice": "tenor"}, "alto, bass"),
    ({"text": "x" * (server.MAX_CHARACTERS + 1)}, "characters"), ({"colour": "red"}, "colour"), ({"text": 5}, "str"),
    ({"text": TEXT, "rate": 9}, "rate"),
    ({"text": "<speak><audio/></speak>"}, "audio"), ({"text": TEXT, "seed": -1}, "seed"),
])
def test_bad_orders_are_answered_and_the_client_may_go_on(client: TestClient, order: dict[str, Any], part: str) -> None:
    with client.websocket_connect("/speak") as socket:
        _, messages = speak(socket, **order)
        assert messages[-1]["type"] == "error" and part in messages[-1]["message"]
        assert speak(socket, text=TEXT)[1][-1]["type"] == "end"


def test_pages_of_others_are_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/speak", headers={"origin": "https://evil.example"}):
        pass
    with client.websocket_connect("/speak", headers={"origin": "http://testserver"}) as socket:
        assert speak(socket, text=TEXT)[1][-1]["type"] == "end"


def test_too_many_clients_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 1)
    with client.websocket_connect("/speak"), pytest.raises(WebSocketDisconnect) as error, client.websocket_connect("/speak"):
        pass
    assert error.value.code == 1013
    with client.websocket_connect("/speak") as socket:
        assert speak(socket, text=TEXT)[1][-1]["type"] == "end"


def test_a_client_that_leaves_frees_the_synthesizer(client: TestClient, synthesizer: Synthesizer) -> None:
    with client.websocket_connect("/speak") as socket:
        socket.send_json({"text": LONG})
        socket.receive_json()
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_wav_over_http(client: TestClient, synthesizer: Synthesizer) -> None:
    answer = client.get("/speak.wav", params={"text": TEXT, "seed": 2})
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav" and answer.content[:4] == b"RIFF"
    assert np.array_equal(np.frombuffer(answer.content[44:], "<i2"), synthesizer.synthesize(TEXT, seed=2).int16())
    assert client.get("/speak.wav", params={"text": " "}).status_code == 400


def test_info_and_page(client: TestClient) -> None:
    info = client.get("/info").json()
    assert info["voices"] == ["alto", "bass", "prompted"] and info["provider"] == "CPUExecutionProvider"
    page = client.get("/")
    assert "https://" not in page.text and "default-src 'none'" in page.headers["content-security-policy"]


@pytest.fixture
def address(synthesizer: Synthesizer) -> Iterator[str]:
    """A real server on a free port."""
    config = uvicorn.Config(server.create_app(synthesizer), host="127.0.0.1", port=0, log_level="error")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--window-size=900,1000", "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", "--disable-dev-shm-usage",
                 "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
    yield driver
    driver.quit()


def wait_for(driver: Any, script: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := driver.execute_script(f"return {script}")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value, f"{script} never came true; the page says {driver.find_element('id', 'state').text!r}"
    return value


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_page_in_chromium(browser: Any, address: str, synthesizer: Synthesizer) -> None:
    """Type, hear, see the stages; stop; a wrong text is told."""
    browser.get(address)
    wait_for(browser, "document.querySelectorAll('#voice option').length === 3")
    browser.execute_script("document.getElementById('text').value = arguments[0]", TEXT)
    browser.execute_script("document.getElementById('speak').click()")
    wait_for(browser, "document.getElementById('state').textContent === 'done'")
    audio = synthesizer.synthesize(TEXT, voice="alto")
    seconds = browser.execute_script("return playing.reduce((sum, source) => sum + source.buffer.duration, 0)")
    assert seconds == pytest.approx(audio.seconds, abs=1e-3)
    assert browser.execute_script("return Math.max(...peaks)") == pytest.approx(np.abs(audio.samples).max(), abs=0.01)
    figures = browser.find_element("id", "figures").text
    assert f"{audio.seconds:.2f} s" in figures and "RTF" in figures and "TTFA" in figures
    widths = [part.size["width"] for part in browser.find_elements("css selector", "#stages div")]
    assert len(widths) == 7 and sum(widths) > 100
    browser.execute_script("document.getElementById('text').value = arguments[0]; document.getElementById('speak').click()",
                           LONG)
    wait_for(browser, "peaks.length > 0")
    browser.execute_script("document.getElementById('stop').click()")
    wait_for(browser, "document.getElementById('state').textContent === 'stopped'")
    browser.execute_script("document.getElementById('text').value = arguments[0]; document.getElementById('speak').click()",
                           LONG[:300])
    wait_for(browser, "document.getElementById('state').textContent === 'done' && playing.length > 0")
    browser.execute_script("document.getElementById('stop').click()")  # of a text that is computed but still sounds
    wait_for(browser, "document.getElementById('state').textContent === 'stopped' && playing.length === 0")
    assert not browser.find_element("id", "stop").is_enabled()
    browser.execute_script("document.getElementById('text').value = ''; document.getElementById('speak').click()")
    wait_for(browser, "document.getElementById('state').className === 'error'")
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "favicon" not in message] == []
