"""English number words, from integers and digit strings; worded as num2words does, without its hyphens and commas.

Nothing here looks at the text around a number; `runtime.text.numerals` decides which of these readings a number gets.
"""

from __future__ import annotations

from functools import lru_cache

_SMALL_LIST = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS_LIST = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL, _TENS = _SMALL_LIST.split(), _TENS_LIST.split()
_SCALES = (
    (10**18, "quintillion"),
    (10**15, "quadrillion"),
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
)
_LIMIT = 10**21
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}
_OUT_OF = (10, 100)
"""Denominators of marks: 7/10 is "seven out of ten"."""
_LARGEST_DENOMINATOR = 20


@lru_cache(maxsize=4096)
def cardinal(value: int) -> str:
    """12 to "twelve", 123 to "one hundred and twenty three"; digit by digit from a sextillion on."""
    if value < 0:
        return "minus " + cardinal(-value)
    if value >= _LIMIT:
        return digits(str(value))
    if value < 1000:
        return _below_thousand(value)
    words = []
    for scale, name in _SCALES:
        count, value = divmod(value, scale)
        if count:
            words += [_below_thousand(count), name]
    if value:
        words += ["and"] * (value < 100) + [_below_thousand(value)]
    return " ".join(words)


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return _below_hundred(rest)
    return f"{_SMALL[hundreds]} hundred" + (f" and {_below_hundred(rest)}" if rest else "")


def _below_hundred(value: int) -> str:
    if value < 20:
        return _SMALL[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens] + (f" {_SMALL[ones]}" if ones else "")


def ordinal(value: int) -> str:
    """21 to "twenty first"."""
    head, _, last = cardinal(value).rpartition(" ")
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return f"{head} {_ORDINALS.get(last, regular)}".strip()


def digits(text: str) -> str:
    """ "407" to "four zero seven"; everything but ASCII digits is skipped."""
    return " ".join(_SMALL[int(digit)] for digit in text if digit in "0123456789")


def year(value: int) -> str:
    """1905 to "nineteen oh five", 2005 to "two thousand and five", 2024 to "twenty twenty four"."""
    century, rest = divmod(value, 100)
    if not 1000 <= value <= 9999 or value % 1000 < 10:
        return cardinal(value)
    return f"{_below_hundred(century)} {_pair(rest)}"


def _pair(value: int) -> str:
    if value == 0:
        return "hundred"
    return f"oh {_SMALL[value]}" if value < 10 else _below_hundred(value)


def decade(text: str) -> str:
    """ "1990" to "nineteen nineties", "80" to "eighties"."""
    words = year(int(text)) if len(text) == 4 else cardinal(int(text))
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def amount(text: str) -> str:
    """A quantity as written, "1,234.50" to "one thousand two hundred and thirty four point five zero"."""
    whole, point, rest = text.replace(",", "").partition(".")
    words = _whole(whole)
    return f"{words} point {digits(rest)}".strip() if point and rest else words


def _whole(text: str) -> str:
    if not text:
        return ""
    return cardinal(int(text)) if len(text) < 22 else digits(text)


def plain(text: str) -> str:
    """An integer with nothing known about it: years as years, long runs and leading zeros digit by digit."""
    if len(text) > 1 and text[0] == "0":
        return digits(text)
    if len(text) >= 7 and not (text.endswith("000") and len(text) <= 15):
        return digits(text)
    return year(int(text)) if len(text) == 4 and 1800 <= int(text) <= 2099 else _whole(text)


def model(text: str) -> str:
    """The number of a model name: 320 to "three twenty", 4090 to "forty ninety", 505 to "five oh five"."""
    if text[0] == "0" or len(text) > 4:
        return digits(text)
    value = int(text)
    if len(text) < 3 or value % 1000 == 0 or (len(text) == 3 and value % 100 == 0):
        return cardinal(value)
    return f"{_below_hundred(value // 100)} {_pair(value % 100)}"


def version(text: str) -> str:
    """ "1.10.04" to "one point ten point zero four"."""
    return " point ".join(digits(part) if part[0] == "0" else _whole(part) for part in text.split("."))


def fraction(numerator: int, denominator: int) -> str:
    """3, 4 to "three quarters"; marks and unusual denominators as "out of" and "over"."""
    top = cardinal(numerator)
    if numerator > 1 and (denominator in _OUT_OF or numerator == denominator) and numerator <= denominator:
        return f"{top} out of {cardinal(denominator)}"
    if not 2 <= denominator <= _LARGEST_DENOMINATOR or numerator == 0 or numerator > denominator > 4:
        return f"{top} over {cardinal(denominator)}"
    if denominator == 2:
        return f"{top} half" if numerator == 1 else f"{top} halves"
    part = "quarter" if denominator == 4 else ordinal(denominator)
    return f"{top} {part}" if numerator == 1 else f"{top} {part}s"


def house(text: str) -> str:
    """A number in a street: 708 to "seven oh eight", 1428 to "fourteen twenty eight", 12 to "twelve"."""
    return model(text)


def serial(text: str) -> str:
    """A run of digits in a code: short ones as numbers, 23 to "twenty three", long or zero-led ones digit by digit."""
    return digits(text) if text[0] == "0" or len(text) > 4 else model(text)
