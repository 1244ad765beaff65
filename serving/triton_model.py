"""A Triton model of the Python backend: `serving.triton` copies this file into the repository that it writes.

Decoupled: each chunk of speech is a response of its own. A client that cancels its request stops it within one patch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from runtime import Synthesizer, TldrError


class TritonPythonModel:
    """One instance: one synthesizer, whose utterances are made one at a time."""

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
                sender.send(pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error))))
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def finalize(self) -> None:
        """Give back the graphs."""
        self._synthesizer.close()

    def _speak(self, request: Any, sender: Any) -> None:
        text, voice = _value(request, "text", b"").decode(), _value(request, "voice", b"").decode()
        stream = self._synthesizer.stream(text, voice=voice or None, seed=int(_value(request, "seed", 0)),
                                          rate=float(_value(request, "rate", 1.0)))
        with stream:
            for chunk in stream:
                if request.is_cancelled():
                    break
                rate = np.array([chunk.sample_rate], np.int32)
                sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("samples", chunk.samples),
                                                        pb_utils.Tensor("sample_rate", rate)]))


def _value(request: Any, name: str, otherwise: Any) -> Any:
    """The one element of an input, or `otherwise` where the request leaves it out."""
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return otherwise if tensor is None else tensor.as_numpy().reshape(-1)[0]
