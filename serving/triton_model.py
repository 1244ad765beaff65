"""A Triton model of the Python backend: `serving.triton` copies this file into the repository that it writes.

Decoupled: each chunk of speech is one response. A client that cancels its request stops it within one patch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from runtime import OptionError, Synthesizer, TextError, TldrError


class TritonPythonModel:
    """One Triton instance: one synthesizer, which runs one utterance at a time."""

    def initialize(self, args: dict[str, Any]) -> None:
        """Load the bundle that the configuration names, relative to this model's directory."""
        parameters = {name: entry["string_value"] for name, entry in json.loads(args["model_config"])["parameters"].items()}
        bundle = Path(args["model_repository"]) / parameters["bundle"]
        threads = int(parameters["threads"])
        self._synthesizer = Synthesizer(bundle, provider=parameters["provider"], threads=threads or None, warm_up=True)

    def execute(self, requests: list[Any]) -> None:
        """Speak each request."""
        for request in requests:
            sender = request.get_response_sender()
            try:
                self._speak(request, sender)
            except TldrError as error:
                _refuse(sender, str(error))
            except Exception as error:  # whatever is wrong with one request, it and those after it need their answers
                _refuse(sender, f"Internal error: {error!r}.")
            finally:
                sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def finalize(self) -> None:
        """Release the graphs."""
        self._synthesizer.close()

    def _speak(self, request: Any, sender: Any) -> None:
        text, voice = _text(request, "text"), _text(request, "voice")
        stream = self._synthesizer.stream(text, voice=voice or None, seed=int(_value(request, "seed", 0)),
                                          rate=float(_value(request, "rate", 1.0)))
        with stream:
            for chunk in stream:
                if request.is_cancelled():
                    break
                rate = np.array([chunk.sample_rate], np.int32)
                sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("samples", chunk.samples),
                                                        pb_utils.Tensor("sample_rate", rate)]))


def _refuse(sender: Any, message: str) -> None:
    sender.send(pb_utils.InferenceResponse(error=pb_utils.TritonError(message)))


def _text(request: Any, name: str) -> str:
    """A string input, empty where the request leaves it out. TextError for bytes that are no UTF-8."""
    value = _value(request, name, b"")
    try:
        return value if isinstance(value, str) else bytes(value).decode()
    except UnicodeDecodeError as error:
        raise TextError(f"The input {name} is not UTF-8; encode it.") from error


def _value(request: Any, name: str, otherwise: Any) -> Any:
    """The one element of an input, or `otherwise` where the request leaves it out. OptionError for an empty tensor."""
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    if tensor is None:
        return otherwise
    values = tensor.as_numpy().reshape(-1)
    if len(values) != 1:
        raise OptionError(f"The input {name} must have one element, not {len(values)}.")
    return values[0]
