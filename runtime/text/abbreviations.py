"""Abbreviations, titles, initials and Roman numerals; decides whether an abbreviation's dot also ends its sentence."""

from __future__ import annotations

import re

from runtime.text.acronyms import spell
from runtime.text.numbers import cardinal, ordinal

_TITLES = {"Mr": "mister", "Mrs": "missus", "Ms": "ms", "Messrs": "messers", "Prof": "professor"}
_BEFORE_NAMES = {"Gen": "general", "Col": "colonel", "Sgt": "sergeant", "Capt": "captain", "Lt": "lieutenant",
                 "Cmdr": "commander", "Gov": "governor", "Sen": "senator", "Rep": "representative", "Rev": "reverend",
                 "Hon": "honorable", "Pres": "president", "Mt": "mount", "Ft": "fort", "Maj": "major", "Adm": "admiral"}
_NUMBERED = {"no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "eq": "equation", "eqs": "equations",
             "ch": "chapter", "sec": "section", "vol": "volume", "ex": "example", "pp": "pages", "p": "page",
             "ca": "circa", "ver": "version", "art": "article", "ext": "extension", "tab": "table", "apt": "apartment",
             "max": "maximum", "min": "minimum"}
_ALWAYS = {
    "e.g": "for example", "eg": "for example", "i.e": "that is", "vs": "versus", "cf": "compare",
    "approx": "approximately", "dept": "department", "govt": "government", "resp": "respectively",
    "incl": "including", "excl": "excluding", "misc": "miscellaneous", "attn": "attention", "a.k.a": "also known as",
    "avg": "average", "appt": "appointment", "assn": "association", "univ": "university",
}
_ENDING = {
    "etc": "et cetera", "inc": "incorporated", "ltd": "limited", "corp": "corporation", "bros": "brothers",
    "jr": "junior", "sr": "senior", "ave": "avenue", "blvd": "boulevard", "rd": "road", "ln": "lane",
    "hwy": "highway", "pkwy": "parkway", "ph.d": "p h d", "co": "company", "et al": "and others",
}
_CAPITAL_ONLY = frozenset(("co", "ave", "rd", "ln", "inc", "sr", "jr", "corp"))
_WITHOUT_DOT = {
    "w/o": "without", "w/": "with", "b/c": "because", "Mr": "mister", "Mrs": "missus", "Dr": "doctor",
    "Prof": "professor", "e.g": "for example", "i.e": "that is",
}
_STARTER_LIST = """
    The It He She We They This That These Those In On At But And So If When While There Here I You A An As
    For His Her Its Our Your Their What Why How Who Where After Before However Then Now No Yes Please
"""
_LETTER_NOUN_LIST = "a an plan vitamin option type grade class point section team letter"
_FUNCTION_WORD_LIST = "In At To From Near The On By Of And Visit For With Is Was Are"
_STARTERS = frozenset(_STARTER_LIST.split())
_LETTER_NOUNS = frozenset(_LETTER_NOUN_LIST.split())
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_TITLE = re.compile(rf"\b({_alternatives(_TITLES)})\.(?=\s|[A-Z])")
_BEFORE_NAME = re.compile(rf"\b({_alternatives(_BEFORE_NAMES)})\.(?=\s[A-Z])")
_NUMBER = re.compile(rf"(?<![\w.'])({_alternatives(_NUMBERED)})\. ?(?=[(#]?\d)", re.IGNORECASE)
_DOTTED = re.compile(rf"(?<![\w.'/-])({_alternatives(_ALWAYS)})\.(?!\w)", re.IGNORECASE)
_MAYBE_LAST = re.compile(rf"(?<![\w.'/-])({_alternatives(_ENDING)})\.(?!\w)", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w.'/-])(Mrs?|Dr|Prof|e\.g|i\.e)(?![\w'/.-])|(?<![\w.'/-])(w/o|b/c)(?!\w)"
                   r"|(?<![\w.'/-])(w/)(?=\s|[A-Za-z])")
_STREET_OR_SAINT = re.compile(r"\b(St|Dr)\.(?!\w)")
_INITIALISM = re.compile(r"(?<![\w.'])((?:[A-Za-z]\.){2,10})([A-Za-z](?![\w.']))?('s\b)?")
_INITIAL = re.compile(r"(?<![\w.'])([A-Z])\.(?= ?[A-Z][\w.'])")
_LAST_WORD = re.compile(r"([\w']+)(\W*)\Z")
_ROMAN = r"(X{0,2}(?:IX|IV|V?I{1,3}|V)|X{1,2})"
_ROMAN_PART = re.compile(r"\b([Cc]hapter|[Pp]art|[Aa]ct|[Vv]olume|[Ss]ection|[Pp]hase|[Tt]ype|[Bb]ook|[Tt]able"
                         rf"|[Ff]igure|[Ll]evel|[Aa]rticle|[Ss]tage|[Ss]tep|[Cc]lass|Mark|Mk|War|Bowl"
                         rf"|Title) {_ROMAN}\b(?!['.]\w)")
_REGNAL = re.compile(
    r"\b(Henry|Louis|George|Charles|Edward|Elizabeth|James|William|Richard|Philip|Pius|Benedict|Paul|John"
    rf"|Leo|Frederick|Napoleon|Alexander|Catherine|Peter|Nicholas|Francis|Ramesses) {_ROMAN}\b(?!['.]\w)")
_ROMAN_NAME = re.compile(r"\b([A-Z][a-z]{2,15}) (II|III|IV|VI|VII|VIII|IX|XI|XII)\b(?!['.]\w)")
_VALUES = {"I": 1, "V": 5, "X": 10}


def expand_abbreviations(text: str) -> str:
    """"Dr. Smith vs. Main St." to "doctor Smith versus Main street."."""
    if "." in text:
        text = _TITLE.sub(lambda found: _TITLES[found[1]] + " ", text)
        text = _BEFORE_NAME.sub(lambda found: _BEFORE_NAMES[found[1]], text)
        text = _NUMBER.sub(lambda found: _NUMBERED[found[1].lower()] + " ", text)
        text = _STREET_OR_SAINT.sub(_place_or_person, text)
        text = _MAYBE_LAST.sub(_maybe_last, text)
        text = _DOTTED.sub(lambda found: _ALWAYS[found[1].lower()] + _stop(found, False), text)
        text = _INITIALISM.sub(_spelled, text)
        text = _INITIAL.sub(_initial, text)
    text = _BARE.sub(lambda found: _WITHOUT_DOT[found[0]] + " " * (found[3] is not None), text)
    text = _REGNAL.sub(lambda found: f"{found[1]} the {ordinal(_roman(found[2]))}", text)
    text = _ROMAN_PART.sub(lambda found: f"{found[1]} {cardinal(_roman(found[2]))}", text)
    return _ROMAN_NAME.sub(lambda found: f"{found[1]} {cardinal(_roman(found[2]))}", text)


def is_abbreviation(word: str) -> bool:
    """Whether the dot of a word such as "Dr.", "e.g.", "J." or the "3." of a list need not end a sentence."""
    stem = word[:-1]
    if not word.endswith(".") or len(stem) <= 1 or stem.isdigit() or "." in stem:
        return word.endswith(".")
    if stem in _TITLES or stem in _BEFORE_NAMES or stem in ("St", "Dr"):
        return True
    return stem.lower() in _NUMBERED.keys() | _ALWAYS.keys() | _ENDING.keys()


def _stop(found: re.Match[str], before_capital: bool) -> str:
    """The full stop that an abbreviation's dot also was: at the end of the text, or before an obvious new sentence."""
    rest = found.string[found.end():found.end() + 24].split(maxsplit=1)
    if not rest:
        return "."
    starts = rest[0].strip(",'\"") in _STARTERS or (before_capital and rest[0][0].isupper())
    return "." if starts and found.string[found.end()] == " " else ""


def _maybe_last(found: re.Match[str]) -> str:
    word = found[1].lower()
    if word in _CAPITAL_ONLY and found[1][0].islower():
        return found[0]
    return _ENDING[word] + _stop(found, word in ("etc", "et al"))


def _word_before(found: re.Match[str]) -> str:
    """The word right before, if only spaces are between."""
    last = _LAST_WORD.search(found.string[max(0, found.start() - 30):found.start()])
    return last[1] if last and not last[2].strip() else ""


def _place_or_person(found: re.Match[str]) -> str:
    """"Main St." is a street and "St. John" a saint; likewise "Mulholland Dr." and "Dr. Smith"."""
    place, person = ("street", "saint") if found[1] == "St" else ("drive", "doctor")
    before, after = _word_before(found), found.string[found.end():found.end() + 2].strip()
    named = before[:1].isupper() and before not in _FUNCTION_WORDS
    if named and not (found[1] == "Dr" and after.isupper()):
        return place + _stop(found, False)
    return person if after[:1].isupper() else place + _stop(found, False)


def _spelled(found: re.Match[str]) -> str:
    if found[3]:
        return spell(found[0].removesuffix("'s")) + "'s"
    letters = spell(found[0])
    return letters + _stop(found, False) if found[0].endswith(".") else letters


def _initial(found: re.Match[str]) -> str:
    """The initial of a name, unless a small word before it says that it ends a sentence ("vitamin C. The")."""
    before = _word_before(found)
    following = found.string[found.end():found.end() + 12].split(maxsplit=1)
    if before[:1].islower() and following and (following[0] in _STARTERS or before in _LETTER_NOUNS):
        return found[0]
    return spell(found[1]) + " "


def _roman(text: str) -> int:
    values = [_VALUES[letter] for letter in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)
