"""Runs of letters to lower-case words: acronyms, camelCase, capitals and letters that stand for themselves."""

from __future__ import annotations

import re

from ..number_words import cardinal
from ..scanner import Scanner, rule
from ..tables.acronyms import LETTERS, capitals, is_acronym, is_emphasis, known_reading, spell
from ..tables.common_words import COMMON_WORDS

_WORD = r"[A-Za-z]+(?:'[A-Za-z]+)*"
_CAMEL = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_SCOTTISH = re.compile(r"(?:Mc|Mac|O')[A-Z][a-z]+")
_INFLECTED = re.compile(r"[A-Z]{3,}(?:es|[a-z]?ed|[a-z]?ing)")
_VERSIONED = re.compile(r"([A-Z]{2,}|[A-Za-z]+)v(?=\d)")
_ET_AL = r"(?<!\w)[Ee]t\s+[Aa]l(?!['\w])\.?"
_SOUND = r"(?<![\w'])(?P<sound>[Mm]{2,}-?[Hh]m+|[Uu]h-?huh|[Mm]m+|[Hh]m{2,}|[Uu]h-uh|[Mm]hm)(?![\w'-])"
_SOUNDS = {"mmhmm": "mm hmm", "mmhm": "mm hmm", "uhhuh": "uh huh", "uhuh": "uh uh", "mhm": "mm hmm"}
_CHEMICAL = (
    r"(?<![A-Za-z0-9])(?P<formula>(?:(?:H|C|N|O|S|P|K|F|Na|Cl|Ca|Fe|Mg|Si|Al|Cu|Zn|Li|Ti|He)\d{0,2}){1,6}(?<=\d)(?"
    r":H|C|N|O|S|P|K|F|Na|Cl|Ca)*)(?![\w-]|\.\d)"
)
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")
_FORMULAS_LIST = """
    CO2 NO2 SO2 SO3 H2O H2O2 O2 O3 N2 H2 CH4 NH3 NO3 N2O HNO3 H2SO4 CaCO3 NaHCO3 C6H12O6 C2H5OH C2H4 C2H6 C3H8 C4H10 CCl4
    SiO2 TiO2 Fe2O3 Fe3O4 Al2O3 CaCl2 MgCl2 K2O Na2O PO4 SO4 CO3 SF6 CF4 Cl2 F2 He2 HCO3 Li2O LiFePO4 P2O5 P4 S8 ZnCl2
    CuSO4 NaNO3 KNO3 H3PO4 CH3OH C8H18
    """
_FORMULAS = frozenset(_FORMULAS_LIST.split())
_UNDERSCORED = re.compile(r"_+")
_ALTERNATIVE = re.compile(r" (?:or|and|to|versus|vs\.?|through) [A-Z](?![A-Za-z'])")
_LETTER_CONTEXT = re.compile(
    r"\b(?:plan|vitamin|option|type|grade|class|group|point|section|appendix|team|part|hepatitis|exhibit|side|column|row|model"
    r"|series|level|gate|room|channel|button|terminal|zone|block|building|platform|dock|bay|slot|port|line|letter|case|step"
    r"|phase|choice|answer|robot|unit|lane|tier|rank|layer|node|area|sector|station|variant|sample|product|apartme"
    r"nt|apt|suite|flat|seat|wing|hall)s? \Z",
    re.IGNORECASE,
)
_LONGEST_CONTEXT = 16
_CLOSING = ".,;:!?)]\"'—–…&/+*-#}"
_CODE_LETTERS = re.compile(r"[A-Za-z]+")
_SHOUTED_SHORT = frozenset(("it", "us", "or", "in", "am", "i", "ha", "oh", "uh", "hey", "id"))
_EVERYDAY_SHORT = frozenset(("it", "us", "or", "in", "am", "pm", "ok", "id", "tv", "ad", "ai"))


def _speak(found: re.Match[str], scanner: Scanner) -> str | None:
    token, text, start, end = found[0], scanner.text, found.start(), found.end()
    if token == "A":
        return spell("a") if _is_letter(start, end, scanner) else "a"
    if token.isupper() and len(token) > 1 and "&" in text[max(0, start - 1) : end + 1]:
        return spell(token)
    if token.isupper() and len(token) > 1:
        return _speak_capitals(token, start, end, scanner)
    if token == "a" and (text[start - 1 : start] in ("(", "/") and text[end : end + 1] in (")", "/", "")):
        return spell("a")
    return speak_word(token)


def _speak_capitals(token: str, start: int, end: int, scanner: Scanner) -> str:
    """A word in capitals: an acronym, or one of a run that is shouted."""
    base = token[:-2] if token.endswith("'S") else token
    lower = base.lower()
    if "'" in base:
        return token.lower()
    if known_reading(lower) is not None:
        return speak_word(token)
    everyday = lower in COMMON_WORDS or lower in _SHOUTED_SHORT or (len(base) > 3 and not is_acronym(base))
    if everyday and scanner_shouts(start, scanner):
        return lower if base == token else lower + "'s"
    if len(base) < 4 and len(set(base)) > 1 and not everyday and scanner_repeats(start, base, scanner):
        return token.lower()
    return speak_word(token)


def scanner_shouts(position: int, scanner: Scanner) -> bool:
    """Return whether the words around a place are all in capitals and at least one of them is an everyday word."""
    text = scanner.text
    run = _SHOUTED.match(text, _run_start(text, position))
    if run is None:
        return False
    words = re.findall(r"[A-Z]+(?:'[A-Z]+)?", run[0])
    everyday = [
        word
        for word in words
        if (word.lower() in COMMON_WORDS and word.lower() not in _EVERYDAY_SHORT)
        or (is_emphasis(word) and not is_acronym(word) and len(word) > 3)
    ]
    return (len(words) >= 2 and bool(everyday)) or (len(words) >= 2 and len(set(words)) == 1)


def scanner_repeats(position: int, word: str, scanner: Scanner) -> bool:
    """Return whether a short word in capitals stands twice or more in a row: "HA HA HA"."""
    text = scanner.text
    return (
        text[position + len(word) + 1 : position + 2 * len(word) + 1] == word
        or text[max(0, position - len(word) - 1) : position - 1] == word
    )


_SHOUTED = re.compile(r"[A-Z]{1,40}(?:'[A-Z]+)?(?:[ ,]{1,2}[A-Z]{1,40}(?:'[A-Z]{1,9})?(?![a-z\d])){0,24}")
_RUN_BACK = re.compile(r"(?<![A-Za-z\d])(?:[A-Z]+(?:'[A-Z]+)?[ ,]{1,2}){1,12}\Z")


def _run_start(text: str, position: int) -> int:
    before = text[max(0, position - 60) : position]
    found = _RUN_BACK.search(before)
    return position - (len(before) - found.start()) if found else position


def speak_word(token: str) -> str:
    """One word, possessive or not."""
    base, suffix = (token[:-2], "'s") if token[-2:] in ("'s", "'S") else (token, "")
    if len(base) == 1:
        return (LETTERS[base.lower()] if suffix and base == "A" else base.lower()) + suffix
    if "'" in base:
        return token.lower()
    return (known_reading(base) or capitals(base) or _lower(base) or _split(base)) + suffix


def _plural(found: re.Match[str], scanner: Scanner) -> str | None:
    words = speak_word(found["word"])
    return words + ("'s" if len(words.rpartition(" ")[2]) < 3 else "s")


def _lower(base: str) -> str | None:
    """Words whose capitals mean nothing: "Hello", "McDonald", "STOPPed"."""
    plain = base.islower() or base[1:].islower() or _SCOTTISH.fullmatch(base) or _INFLECTED.fullmatch(base)
    return base.lower() if plain else None


def _split(base: str) -> str:
    """ "getUserID" to "get user i d"."""
    words = " ".join(
        spell(part) if len(part) == 1 else known_reading(part) or capitals(part) or part.lower()
        for part in _CAMEL.findall(base)
    )
    return "and others" if words == "et al" else words


def _is_letter(start: int, end: int, scanner: Scanner) -> bool:
    """Return whether a capital A is the letter: before punctuation or another letter, or after such words as "plan"."""
    text = scanner.text
    following = text[end : end + 3]
    if not following.strip() or following[0] in _CLOSING:
        return True
    if _ALTERNATIVE.match(text, end):
        return True
    if text[max(0, start - 1) : start] in ("&", "/", "-", "+", "_"):
        return True
    if following[0] == " " and following[1:2].isupper() and not following[2:3].isalpha() and following[2:3] not in ".'":
        return following[1:2] != "I"
    return _LETTER_CONTEXT.search(text, max(0, start - _LONGEST_CONTEXT), start) is not None


def _before_digits(found: re.Match[str], scanner: Scanner) -> str | None:
    """The letters of a code: "ROS2", "A100", "m1a2"; single ones and short ones in capitals are spelled."""
    return code_letters(found["letters"], scanner, found.start())


def code_letters(letters: str, scanner: Scanner, start: int) -> str:
    """Letters next to digits."""
    lower = letters.lower()
    if len(letters) == 1:
        return spell(letters)
    versioned = _VERSIONED.fullmatch(letters) if letters[-1] == "v" and len(letters) > 3 else None
    if (
        letters[-1] == "v"
        and len(letters) > 3
        and (letters[:-1].isupper() or lower[:-1] in COMMON_WORDS or is_acronym(letters[:-1]))
    ):
        return f"{speak_word(letters[:-1])} v"
    del versioned
    if letters.isupper() and len(letters) <= 2 and lower not in ("to",):
        return spell(letters)
    joined = scanner.text[start + len(letters):start + len(letters) + 1] == "-"
    if joined and len(letters) == 3 and letters.islower() and re.search("[aeiou]", letters):
        return speak_word(letters)
    if letters.islower() and len(letters) <= 3 and lower not in COMMON_WORDS and known_reading(letters) is None:
        return spell(letters)
    return speak_word(letters)


def _after_digit(found: re.Match[str], scanner: Scanner) -> str | None:
    """Letters right after digits, "3f2a", "12700K": spelled unless they are a word."""
    letters = found["letters"]
    if len(letters) > 3 or letters.lower() in ("am", "pm", "the", "and"):
        return None
    if letters.islower() and len(letters) == 3 and letters in COMMON_WORDS:
        return None
    return spell(letters)


def _chemical(found: re.Match[str], scanner: Scanner) -> str | None:
    formula = found["formula"]
    if formula not in _FORMULAS:
        return None
    return " ".join(
        f"{spell(name)} {cardinal(int(count)) if count else ''}".strip() for name, count in _ELEMENT.findall(formula)
    )


def _sound(found: re.Match[str], scanner: Scanner) -> str | None:
    sound = found["sound"].lower().replace("-", "")
    if (
        sound == "mm"
        and found["sound"] == "mm"
        and re.search(r"[a-z] \Z", scanner.text[max(0, found.start() - 2) : found.start()])
        and not re.match(r"[,.!?-]", scanner.text[found.end() : found.end() + 1])
    ):
        return None
    return _SOUNDS.get(sound, "mm" if re.fullmatch("m+", sound) else "hmm" if re.fullmatch("hm+", sound) else sound)


def _variable(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "f(x)" to "f of x"."""
    return f"{LETTERS[found['name'].lower()]} of"


LETTER_EARLY = (
    rule(
        "abbreviation",
        "",
        _ET_AL,
        lambda found, scanner: (
            "and others"
            + (
                "."
                if re.match(r"\s*(?:\Z|\n| [A-Z])", scanner.text[found.end() : found.end() + 2])
                and found[0].endswith(".")
                and not re.match(r" [a-z]", scanner.text[found.end() : found.end() + 2])
                else ""
            )
        ),
    ),
    rule("code", "0123456789", _CHEMICAL, _chemical),
    rule("word", "mMhH", _SOUND, _sound),
    rule("word", "-", r"(?<!\w)[Ww]i-[Ff]i(?!\w)", lambda found, scanner: "wifi"),
    rule("symbol", "(", r"(?<![A-Za-z0-9_.])(?P<name>[fghFGHPp])(?=\([a-zA-Z](?:, ?[a-zA-Z]){0,3}\) ?[=+<>-])", _variable),
)
LETTER = (
    rule("code", "0123456789", r"(?<![A-Za-z'])(?P<letters>[A-Za-z]{1,30})(?=[-_]?\d|\.\d)", _before_digits),
    rule("code", "0123456789", r"(?<=\d)(?P<letters>[A-Za-z]{1,30})(?!')", _after_digit),
    rule("word", "(", r"(?P<word>[A-Za-z]{2,30})\(s\)(?!\w)", _plural),
    rule("word", "", _WORD, _speak),
)
DIGIT: tuple[()] = ()
