"""Speech on each provider, timed; and, from ONNX Runtime's own profile, which device ran the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..backends import AUTOMATIC, PROVIDERS
from ..bundle.reader import Bundle
from ..bundle.voice import neutral_voice
from ..errors import BackendError, TldrError
from ..synthesizer import Synthesizer
from .finding import Finding
from .machine import has_nvidia_gpu
from .profile import device_share

SENTENCE = "The doctor asked me to speak this sentence, and measured how long I took."
SLOW_RTF = 0.7
"""Above this, an unlucky moment lets a stream run dry."""
PROFILED = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def check_speaking(bundle: Path | None, provider: str, threads: int | None) -> Iterator[Finding]:
    """The bundle, then a run on the named provider, or with `auto` on all."""
    try:
        opened = Bundle.open(bundle)
    except TldrError as error:
        yield Finding("bundle", "fail", str(error), "tldr-export --out DIR, then tldr-speak --bundle DIR")
        return
    size = sum((opened.root / name).stat().st_size for name in opened.manifest.files)
    yield Finding("bundle", "ok", f"{opened.manifest.model}, k = {opened.manifest.sizes.patch}, {opened.manifest.numbers}, "
                  f"{size / 1e6:.0f} MB, every sha256 right: {opened.root}")
    names = [name for name in PROVIDERS if name in AUTOMATIC] if provider == "auto" else [provider]
    working = []
    for name in names:
        finding = _check_provider(opened, name, threads, required=provider != "auto" or name == "cpu")
        working += [name] if finding.status != "fail" and finding.found.startswith("RTF") else []
        yield finding
    if provider == "auto" and has_nvidia_gpu() and working == ["cpu"]:
        yield Finding("GPU use", "fail", "there is an NVIDIA GPU, but only the CPU speaks",
                      "see the reasons above; usually: pip uninstall -y onnxruntime && pip install '.[gpu]'")


def _check_provider(bundle: Bundle, name: str, threads: int | None, required: bool) -> Finding:
    check = f"provider {name}"
    try:
        with Synthesizer(bundle.root, provider=name, threads=threads, warm_up=True) as synthesizer:
            voice = None if bundle.voices else neutral_voice(bundle.manifest)
            audio = synthesizer.synthesize(SENTENCE, voice=voice)
            streamed = synthesizer.stream(SENTENCE, voice=voice)
            for _ in streamed:
                pass
    except BackendError as error:
        return Finding(check, "fail" if required else "ok", f"not usable: {error}" if required else f"not used: {error}")
    except TldrError as error:
        return Finding(check, "fail", str(error), "tldr-export again, and report it if that does not help")
    stats = audio.stats
    said = f"RTF {stats.rtf:.3f}, first audio after {1000 * streamed.stats.ttfa_seconds:.0f} ms, by {stats.provider}"
    level = float(np.sqrt(np.mean(audio.samples**2)))
    if bundle.voices and not level > 1e-3:
        return Finding(check, "fail", f"{said}; but the audio is silent", "use an FP32 bundle, or another provider")
    if name in PROFILED:
        share, nodes = device_share(bundle, PROFILED[name], threads)
        said += f"; {PROFILED[name]} took {100 * share:.0f} % of the backbone's time ({nodes} nodes)"
        if share < 0.5:
            return Finding(check, "fail", said, f"most of the work is done elsewhere: {name} is asked for, but hardly computes")
    if stats.rtf > SLOW_RTF:
        return Finding(check, "warn", said, "too slow to stream safely: use an FP16 bundle, more threads, or a GPU")
    return Finding(check, "ok", said)
