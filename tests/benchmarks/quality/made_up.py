"""Readings and systems that no synthesizer made."""

from benchmarks.quality.readings import ScoredSentence


def reading(system: str, number: int, heard: str, **changes: object) -> ScoredSentence:
    """A reading of a sentence of four words by kumo."""
    fields: dict[str, object] = {
        "system": system, "fingerprint": "f", "number": number, "voice": "kumo", "seed": 0, "text": "one two three four",
        "seconds": 2.0, "teacher_seconds": 2.0, "stopped_by": "end", "heard": {"Whisper tiny": heard, "PocketSphinx": heard},
        "similarity": {"kumo": 0.9, "alpha": 0.6}, "dnsmos": 3.2, "p808": 3.6, "distillmos": 3.4, "failures": [], **changes}
    return ScoredSentence(**fields)  # type: ignore[arg-type]
