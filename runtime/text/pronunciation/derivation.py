"""Words that the dictionary has in parts: "recalibrated" from "calibrate", "touchscreen" from "touch" and "screen"."""

from __future__ import annotations

from collections.abc import Mapping

_PREFIX_LIST = """
    re=ɹi un=ʌn pre=pɹi mis=mɪs non=nɑn over=ˌOvəɹ under=ˌʌndəɹ multi=mˌʌlti micro=mˌIkɹO auto=ˌɔtO tele=tˌɛlə sub=sʌb
    super=sˌupəɹ
    hyper=hˌIpəɹ inter=ˌɪntəɹ anti=ˌænti cyber=sˌIbəɹ crypto=kɹˌɪptO photo=fˌOtO nano=nˌænO mega=mˌɛɡə bio=bˌIO
    geo=ʤˌiO electro=ɪlˌɛktɹO
    thermo=θˌɜɹmO hydro=hˌIdɹO semi=sˌɛmi ultra=ˌʌltɹə trans=tɹænz out=Wt co=kO
    """
_PREFIXES = [pair.split("=") for pair in _PREFIX_LIST.split()]
_SHORTEST_STEM = 4
_VOICELESS = frozenset("ptkfθsʃʧ")
_SIBILANT = frozenset("szʃʒʧʤ")
_SUFFIXES = (
    ("ers", "əɹz"),
    ("er", "əɹ"),
    ("ing", "ɪŋ"),
    ("ly", "li"),
    ("ness", "nəs"),
    ("less", "ləs"),
    ("ful", "fəl"),
    ("able", "əbəl"),
    ("ment", "mənt"),
)


def plural(stem: str) -> str:
    """Phonemes of a plural, a third person or a possessive."""
    last = stem[-1:]
    return stem + ("ɪz" if last in _SIBILANT else "s" if last in _VOICELESS else "z")


def derive(word: str, lexicon: Mapping[str, str], depth: int = 2) -> str | None:
    """Phonemes of a lower-case word from those of its parts; None if they are not in the dictionary."""
    return _inflected(word, lexicon, depth) or _prefixed(word, lexicon, depth) or _compound(word, lexicon)


def _known(word: str, lexicon: Mapping[str, str], depth: int) -> str | None:
    if len(word) < 3:
        return None
    return lexicon.get(word) or (derive(word, lexicon, depth - 1) if depth > 1 else None)


def _inflected(word: str, lexicon: Mapping[str, str], depth: int) -> str | None:
    if len(word) <= _SHORTEST_STEM:
        return None
    if word.endswith("s") and not word.endswith("ss"):
        stem = _known(word[:-1], lexicon, depth) or (_known(word[:-2], lexicon, depth) if word.endswith("es") else None)
        return plural(stem) if stem else None
    if word.endswith("ed"):
        stem = _stem(word[:-2], lexicon, depth)
        if stem is None:
            return None
        return stem + ("ɪd" if stem[-1] in "td" else "t" if stem[-1] in _VOICELESS else "d")
    for suffix, phonemes in _SUFFIXES:
        if word.endswith(suffix):
            stem = (
                _stem(word[: -len(suffix)], lexicon, depth)
                if suffix[0] in "eia"
                else _known(word[: -len(suffix)], lexicon, depth)
            )
            if stem:
                return stem + phonemes
    return None


def _stem(word: str, lexicon: Mapping[str, str], depth: int) -> str | None:
    """The dictionary's form of a stem that lost its e, or doubled its last letter, before a suffix."""
    if len(word) < 3:
        return None
    single = word[:-1] if word[-1] == word[-2] else ""
    return (
        _known(word + "e", lexicon, depth)
        or _known(word, lexicon, depth)
        or (_known(single, lexicon, depth) if single else None)
    )


def _prefixed(word: str, lexicon: Mapping[str, str], depth: int) -> str | None:
    for prefix, phonemes in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_STEM:
            stem = _known(word[len(prefix) :], lexicon, depth)
            if stem:
                return phonemes + stem
    return None


def _compound(word: str, lexicon: Mapping[str, str]) -> str | None:
    """Two words of four letters or more, the second with a weaker stress."""
    for place in range(_SHORTEST_STEM, len(word) - _SHORTEST_STEM + 1):
        first, second = lexicon.get(word[:place]), lexicon.get(word[place:])
        if first and second:
            return first + second.replace("ˈ", "ˌ")
    return None
