"""Numbers: signs, ranges, fractions, ordinals, powers, ratios, digit groups, and integers that nothing else has claimed."""

from __future__ import annotations

import re

from ..number_words import amount, cardinal, digits, fraction, model, ordinal, plain, serial, year
from ..scanner import NUMERIC, Scanner, rule
from ..tables.acronyms import spell
from .numeral_signs import (
    ADDED,
    APPROXIMATE,
    DASH,
    DASH_MINUS,
    MINUS,
    MODEL_WORDS,
    NUMBER,
    SPACED_DIVISION,
    added,
    dash,
    division,
    minus,
    times,
)

_MIXED_FRACTION = r"(?<![\w.,/])(?P<whole>\d{1,4})[ -](?P<top>\d{1,2})/(?P<bottom>\d{1,2})(?![\w/]|[.,]\d)"

_NAMED = r"(?<![\w.,/-])(?P<name>24/7|9/11|50[/-]50|20/20|401\(k\)|802\.11(?=[a-z]{0,2}\b)|7-11)(?![A-Z\d/]|[.,]\d)"

_RATING = r"(?<![\w.,/-])(?P<number>\d{1,2}\.\d) ?/ ?(?P<most>5|10|100)(?![\w/]|[.,]\d)"
_NAMES = {
    "24/7": "twenty four seven", "9/11": "nine eleven", "401(k)": "four oh one k",
    "50/50": "fifty fifty", "50-50": "fifty fifty",
    "20/20": "twenty twenty", "802.11": "eight oh two point eleven", "7-11": "seven eleven",
}

_FRACTION = r"(?<![\w.,/])(?P<top>\d{1,6}) ?/ ?(?P<bottom>\d{1,6})(?P<suffix>(?:st|nd|rd|th|ST|ND|RD|TH)s?)?(?![\w/]|[.,]\d)"

_PAGE_WORDS_LIST = """
    page pages step steps slide slides part parts chapter question round level episode item task attempt lesson track frame
    photo image file try player score
    """

_PAGE_WORDS = frozenset(_PAGE_WORDS_LIST.split())

_ORDINAL = r"(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3})+|\d{1,12})(?:st|nd|rd|th|ST|ND|RD|TH)(?P<plural>s?)(?!\w)"

_SCIENTIFIC = (
    r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?)(?:[eE](?P<sign>[+-]?)|(?: ?[×x*] ?10(?:\^|\*\*)(?P<power_sign>[-+]?)))("
    r"?P<power>\d{1,3})(?![\w.]\d|\w)"
)

_POWER = r"(?<=[A-Za-z0-9)}])(?:\^|\*\*)(?P<sign>[+-]?)(?P<power>\d{1,6})(?![\w])"

_SCALED = r"(?<![\w.,-])(?P<number>\d+(?:\.\d+)?)(?P<scale>k|bn|mn|mil)(?![\w'])"

_RATIO = r"(?<![\w.,:])(?P<low>\d{1,4}(?:\.\d+)?):(?P<high>\d{1,4}(?:\.\d+)?)(?![\w:])"

_VERSE = r"(?<![\w.,:])(?P<chapter>\d{1,3}):(?P<verse>\d{1,3})(?:[-–](?P<last>\d{1,3}))?(?![\w:])"

_BOOKS_LIST = """
    genesis exodus leviticus numbers deuteronomy joshua judges ruth samuel kings chronicles ezra nehemiah esther job psalm
    psalms proverbs ecclesiastes isaiah jeremiah lamentations ezekiel daniel hosea joel amos obadiah jonah micah nahum
    habakkuk zephaniah haggai zechariah malachi matthew mark luke john acts romans corinthians galatians ephesians
    philippians colossians thessalonians timothy titus philemon hebrews james peter jude revelation surah quran
    """

_BOOKS = frozenset(_BOOKS_LIST.split())

_THOUSANDS_BY_SPACE = (
    r"(?<![\w.,$€£-])(?<!\d )(?P<number>[1-9]\d{0,2}(?: \d{3})+)(?P<rest>[.,]\d{1,2}(?!\d))?(?![\w]|[.,]\d| \d|-\d|/\d)"
)

_THOUSANDS_BY_SIGN = r"(?<![\w.,])(?P<number>[1-9]\d{0,2}(?:(?:_\d{3})+|(?:'\d{3})+))(?P<rest>\.\d+)?(?![\w']|\.\d)"

_THOUSANDS_BY_DOT = r"(?<![\w.,])(?P<number>[1-9]\d{0,2}(?:\.\d{3}){2,5})(?P<rest>,\d{1,2})?(?![\w]|[.,]\d)"

_DECIMAL_COMMA = r"(?<![\w.,])(?P<number>\d{1,3}(?:\.\d{3})+,\d{1,2}|\d{1,6},\d{1,2}|0,\d{3,6})(?![\d]|,\d|\.\d|\w)"

_LIST_BEFORE = re.compile(r"(?:s|\d)\s?\Z")

_AFTER_DECIMAL = re.compile(r" ?(?:%|°|€|[a-z]{3,}|$|[.!?](?:\s|$)|to )")

_NO_DECIMAL = re.compile(r" ?(?:and|or|but)\b")

_LOW = rf"(?<![\w.,$€£¥₹-])(?P<number>{NUMBER})(?=(?:[-–~]|\.\.)\d)(?!-\d[\d]*-)(?![-–~.]+\d+[=*/])"

_HYPHEN_LIST = r"(?<![\w.,])(?P<number>\d{1,6})-(?=,| (?:and|or|to) )"

_AFTER_LETTER = r"(?<=[A-Za-z])(?<!\dx)(?P<number>\d+)(?![\d,]*\.\d)"

_AFTER_LETTER_SIGN = r"(?:(?<=[A-Za-z][-_.])|(?<=\d[A-Za-z]-))(?P<number>\d+)(?![\d,]*\.\d)"

_MODEL = r"(?<![\w.,$€£-])(?P<number>\d{3,4})(?![\d%°$]|[.,:]\d| ?[xX×]\d|\w)"

_GROUPS = r"(?<![\w.,-])(?P<groups>\d+(?:-\d+){2,100})(?![\w]|\.\d)"

_DASHED_TAIL = r"(?<=\d-)(?P<number>\d{3,4})(?![\w-]|[.,]\d)"

_PLAIN = rf"(?P<number>{NUMBER}|(?<![\d.])\.\d+)"

_LEADING_DOT = r"(?<![\d.\w])(?P<number>\.\d+)"

_NUMBER_SIGN = r"(?<!\w)#(?=\d)"


def _mixed(found: re.Match[str], scanner: Scanner) -> str | None:
    if int(found["bottom"]) < 2 or (int(found["top"]) >= int(found["bottom"]) and "-" in found[0]):
        return None
    if scanner.text.startswith('"', found.end()) and not scanner.quoting:  # inches
        return None
    part = fraction(int(found["top"]), int(found["bottom"]))
    return f"{cardinal(int(found['whole']))} and {'a half' if part == 'one half' else part}"


def _fraction(found: re.Match[str], scanner: Scanner) -> str | None:
    top, bottom, text = int(found["top"]), int(found["bottom"]), scanner.text
    if len(found["top"]) > 4 or len(found["bottom"]) > 4 or found["top"][0] == "0" or found["bottom"][0] == "0":
        return None
    if re.match(r" ?=", text[found.end() : found.end() + 2]) or (
        " " in found[0] and re.search(r"[=+*×-] ?\Z", text[max(0, found.start() - 3) : found.start()])
    ):
        return f"{amount(found['top'])} divided by {amount(found['bottom'])}"
    if found["suffix"]:
        return fraction(top, bottom)
    if top <= bottom and re.match(r" (?:stars?|points?|rating|score)\b", text[found.end() : found.end() + 8]):
        return f"{cardinal(top)} out of {cardinal(bottom)}"
    if scanner.word_before(found.start()).lower() in _PAGE_WORDS and top <= bottom:
        return f"{cardinal(top)} of {cardinal(bottom)}"
    if " " in found[0]:
        return f"{cardinal(top)} divided by {cardinal(bottom)}" if top > bottom else fraction(top, bottom)
    return fraction(top, bottom)


def _ordinal(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{ordinal(int(found['number'].replace(',', '')))}{found['plural']}"


def _scientific(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1e-3"; but "id 4E57" is a code."""
    if (
        found["sign"] is not None
        and found["sign"] == ""
        and "E" in found[0]
        and (
            (len(found["number"]) == 1 and len(found["power"]) > 1)
            or scanner.word_before(found.start()).lower() in _CODE_BEFORE
        )
    ):
        return None
    sign = "minus " if "-" in (found["sign"] or found["power_sign"] or "") else ""
    return f"{amount(found['number'])} times ten to the {sign}{cardinal(int(found['power']))}"


_CODE_BEFORE = frozenset(["id", "code", "ref", "key", "serial", "sku", "token", "hash", "number", "no"])


def _power(found: re.Match[str], scanner: Scanner) -> str | None:
    if (
        re.search(r"[a-z]{4,}\Z", scanner.text[max(0, found.start() - 8) : found.start()])
        and not found["sign"]
        and "^" in found[0]
    ):
        return ""  # a footnote's number
    if not found["sign"] and found["power"] in ("2", "3"):
        return "squared" if found["power"] == "2" else "cubed"
    return f"to the {'minus ' if found['sign'] == '-' else ''}{plain(found['power'])}"


def _scaled(found: re.Match[str], scanner: Scanner) -> str | None:
    if found["scale"] == "k" and found["number"] in ("2", "4", "5", "8") and scanner.word_after(found.end()).lower() in _SCREEN:
        return f"{cardinal(int(found['number']))} k"
    return (
        f"{amount(found['number'])} {({'k': 'thousand', 'bn': 'billion', 'mn': 'million', 'mil': 'million'})[found['scale']]}"
    )


_SCREEN = frozenset(["video", "screen", "display", "monitor", "tv", "resolution", "footage", "camera", "movie", "content"])


def _verse(found: re.Match[str], scanner: Scanner) -> str | None:
    if scanner.word_before(found.start()).lower() not in _BOOKS:
        return None
    words = f"{cardinal(int(found['chapter']))} {cardinal(int(found['verse']))}"
    return words + (f" to {cardinal(int(found['last']))}" if found["last"] else "")


def _ratio(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{amount(found['low'])} to {amount(found['high'])}"


def _thousands(found: re.Match[str], scanner: Scanner) -> str | None:
    number = re.sub(r"\D", "", found["number"])
    if " " in found["number"] and (
        scanner.previous_numeric(found.start()) or scanner.word_before(found.start()).lower() in PHONE_WORDS
    ):
        return None
    return amount(number + (found["rest"] or "").replace(",", "."))


_PHONE_WORDS_LIST = """
    call dial phone tel telephone mobile fax text sms whatsapp hotline cell reach contact ring line helpline
    """

PHONE_WORDS = frozenset(_PHONE_WORDS_LIST.split())


def _decimal_comma(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "37,0 degrees" is a decimal; "points 3,4" a list."""
    number, text = found["number"], scanner.text
    if not (number[0] == "0" or "." in number):
        if _LIST_BEFORE.search(text[max(0, found.start() - 3) : found.start()]) or _NO_DECIMAL.match(text, found.end()):
            return None
        if not _AFTER_DECIMAL.match(text, found.end()):
            return None
    return amount(number.replace(".", "").replace(",", "."))


def _low(found: re.Match[str], scanner: Scanner) -> str | None:
    """The lower end of a range; the dash after it, and the upper end, are tokens of their own."""
    number = found["number"]
    if scanner.word_before(found.start()).lower() in MODEL_WORDS and len(number) in (3, 4):
        return model(number)
    return plain(number) if number.isdigit() else amount(number)


def _code_joint(found: re.Match[str], scanner: Scanner) -> str | None:
    last = scanner.last()
    return "" if last is not None and last.kind == "code" and last.end == found.start() else None


def _after_letter(found: re.Match[str], scanner: Scanner) -> str | None:
    """The number of a model name or code, "GPT-4", "B2A23C"."""
    return serial(found["number"]) if found["number"][0] == "0" or len(found["number"]) <= 4 else _long(found["number"])


def _long(text: str) -> str:
    return plain(text) if len(text) < 7 and text.endswith("00") else digits(text)


def _model(found: re.Match[str], scanner: Scanner) -> str | None:
    before = scanner.word_before(found.start())
    if (
        before.lower() in MODEL_WORDS
        or before.lower().rstrip("s") in MODEL_WORDS
        or (2 <= len(before) <= 6 and before.isupper() and scanner.text[found.start() - 1] == " " and before not in _YEARLY)
    ):
        return model(found["number"])
    return None


_YEARLY = frozenset(("IN", "BY", "TO", "OF", "AT", "THE", "AND", "OR", "FOR", "CA", "ALL", "US", "UK", "EU", "UN"))


def _groups(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1-2-3" one by one; long groups, as part numbers and telephones have them, digit by digit."""
    groups = found["groups"].split("-")
    if sum(map(len, groups)) >= 7:
        return ", ".join(digits(group) for group in groups)
    return " ".join(plain(group) for group in groups)


def _hyphen_list(found: re.Match[str], scanner: Scanner) -> str | None:
    return cardinal(int(found["number"]))


def _dashed_tail(found: re.Match[str], scanner: Scanner) -> str | None:
    recent = scanner.tokens[-1] if scanner.tokens else None
    if recent is None or scanner.word_before(recent.start).lower() not in MODEL_WORDS:
        return None
    return model(found["number"])


def _plain(found: re.Match[str], scanner: Scanner) -> str | None:
    number = found["number"]
    if number.isdigit():
        return plain(number)
    return amount(number)


DIGIT_EARLY = (
    rule("number", ".", _THOUSANDS_BY_DOT, _thousands, after="."),
    rule("number", "/-(.", _NAMED, lambda found, scanner: _NAMES[found["name"]]),
    rule("ratio", ":", _VERSE, _verse, after=":"),
    rule("ratio", "/", _RATING, lambda found, scanner: f"{amount(found['number'])} out of {cardinal(int(found['most']))}",
         after="."),
)

DIGIT_BEFORE_UNITS = (
    rule("fraction", "", _MIXED_FRACTION, _mixed, after="9-"),
    rule("number", "eE^*", _SCIENTIFIC, _scientific, after="A.^* ×"),
    rule(
        "number",
        "",
        r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?)(?P<sign>(?!))?(?: ?[×x*] ?10(?:\^|\*\*)(?P<power_sign>[-+]?))(?P<power>"
        r"\d{1,3})(?!\w)",
        _scientific,
        after="Aa.×* ",
    ),
)

DIGIT = (
    rule("number", "", _THOUSANDS_BY_SPACE, _thousands, after="9"),
    rule("number", "_'", _THOUSANDS_BY_SIGN, _thousands, after="_'"),
    rule("decimal", ",", _DECIMAL_COMMA, _decimal_comma, after=",."),
    rule("fraction", "/", _FRACTION, _fraction, after="/ "),
    rule(
        "fraction", "", r"(?<![\w.,/])(?P<top>\d{1,4}) / (?P<bottom>\d{1,4})(?P<suffix>)(?![\w/]|[.,]\d)", _fraction, after=" "
    ),
    rule("ordinal", "snrtSNRT", _ORDINAL, _ordinal, after="A,"),
    rule("ratio", ":", _RATIO, _ratio, after=":."),
    rule("number", "kbm", _SCALED, _scaled, after="A."),
    rule("number", "-", _GROUPS, _groups, after="-"),
    rule("number", "-–~.", _LOW, _low, after="-–~.,"),
    rule("number", "-", _HYPHEN_LIST, _hyphen_list, after="-"),
    rule("code", "", _AFTER_LETTER, _after_letter),
    rule("code", "-_.", _AFTER_LETTER_SIGN, _after_letter),
    rule("number", "", _MODEL, _model),
    rule("number", "-", _DASHED_TAIL, _dashed_tail),
    rule("number", "", _PLAIN, _plain),
)

SIGN_EARLY = (rule("symbol", "-–", DASH_MINUS, lambda found, scanner: "minus"),)

SIGN = (
    rule("number", "^*", _POWER, _power),
    rule("number", "-–~.", DASH, dash),
    rule("symbol", "/÷", SPACED_DIVISION, division),
    rule("number", "-–", MINUS, minus),
    rule("symbol", "~", APPROXIMATE, lambda found, scanner: "about"),
    rule("number", ".", _LEADING_DOT, lambda found, scanner: amount(found["number"])),
    rule("symbol", "#", _NUMBER_SIGN, lambda found, scanner: "number"),
    rule("symbol", "+=<>*×", ADDED, added),
    rule("symbol", "*×", r"(?<=[\w)] )[*×](?= [\w(])", times),
    rule("silent", "._-", r"(?<=[A-Za-z])[._-](?=\d)", _code_joint),
)

__all__ = ["DIGIT", "DIGIT_BEFORE_UNITS", "DIGIT_EARLY", "NUMERIC", "PHONE_WORDS", "SIGN", "spell", "year"]
