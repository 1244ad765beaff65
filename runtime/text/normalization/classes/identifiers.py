"""Digit strings that are names, not quantities: telephones, network addresses, versions, hashes, ZIP codes, PINs, parts."""

from __future__ import annotations

import re

from ..number_words import cardinal, digits, model, version
from ..scanner import Scanner, rule
from ..tables.acronyms import spell
from .numerals import PHONE_WORDS

_INTERNATIONAL = r"\+(?P<country>\d{1,3})(?P<rest>(?:[ .-]?\(?\d{1,5}\)?){2,5})(?![\w/]|[.,-]\d)"
_NORTH_AMERICAN = (
    r"(?<![\w.,/-])(?:1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}(?:[-x]\d{1,5})?(?![\w/]|[.,-]\d)"
    r"|(?<![\w.,/-])\d{3}-\d{2}-\d{4}(?![\w/]|[.,-]\d)"
)
_LOCAL = r"(?<![\w.,/-])(?P<first>\d{3})-(?P<second>\d{4})(?![\w/%°]|[.,-]\d)"
_DIGIT_GROUPS = r"(?<![\w.,/-])(?:\(?\d{2,5}\)?[ -]){1,6}\d{2,6}(?![\w/]|[.,-]\d|:\d| \d)"
_HYPHENS = r"(?<![\w.,/-])\d{1,5}(?:-\d{2,5}){2,5}(?![\w/]|[.,-]\d)"
_ZERO_SPACES = r"(?<![\w.,/-])(?:0\d{1,4}(?: \d{2,4}){1,4}|\d{4}(?:[ -]\d{4}){2,3})(?![\w/]|[.,-]\d| \d)"
_TWO_BY_TWO = r"(?<![\w.,/-])\d\d(?: \d\d){3,5}(?![\w/]|[.,-]\d| \d)"
_VANITY = (
    r"(?<![\w.,/-])(?P<one>1[ -])?(?P<code>8\d\d)[ -](?P<name>(?=[A-Z\d-]*[A-Z]{2})[A-Z\d]{1,9}(?:-[A-Z\d]{1,9}){0,4})(?![\w-])"
)
_DIALLED = r"(?<![\w.,/-])(?P<number>\d{3})(?![\w%°]|[.,:/-]\d)"
_NETWORK = r"(?<![\w.])(?P<host>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5}))?(?:/(?P<mask>\d{1,2}))?(?![\w]|\.\d)"
_NETWORK_6 = (
    r"(?<![\w:])(?P<host>[0-9a-fA-F]{1,4}(?::{1,2}[0-9a-fA-F]{1,4}){2,7}(?:::)?|[0-9a-fA-F]{1,4}::[0-9a-fA-F]{0,4})(?![\w:])"
)
_NAMED_VERSION = (
    r"(?<![\w.])(?:[vV](?:er)?\.? ?(?=\d)|(?P<long>[vV]ersion) [vV]?(?=\d+\.|(?<=[vV])\d))(?P<number>\d+(?:\.\d+)*)"
    r"(?:[-+.]?(?P<channel>alpha|beta|rc|dev|post|pre|a|b)[-.]?(?P<serial>\d{0,4}))?(?!\w)"
)
_BARE_VERSION = (
    r"(?<![\w.])(?P<number>\d+(?:\.\d+){2,})(?:[-+.]?(?P<channel>alpha|beta|rc|dev|post|pre)[-.]?(?P<serial>\d{0,4}))?(?!\w)"
)
_PRODUCT_VERSION = r"(?<![\w.,])(?P<number>\d+\.\d{2})(?![\w]|\.\d)"
_PRODUCTS_LIST = """
    python ubuntu debian cuda java node linux android kernel release fedora ios macos windows version firmware django rails
    swift go rust
    """
_PRODUCTS = frozenset(_PRODUCTS_LIST.split())
_HEX = r"(?<!\w)0x(?P<number>[0-9A-Fa-f]{1,16})\b"
_HASH = (
    r"(?<![\w-])(?:(?=[0-9a-fA-F]{0,40}\d)(?=[0-9a-fA-F]{0,40}[a-fA-F])(?=[0-9a-fA-F-]{8,})[0-9a-fA-F]{4,40}(?:-[0"
    r"-9a-fA-F]{4,40}){0,8}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?![\w-])"
)
_SHORT_HASH = (
    r"(?<![\w-])(?=[0-9a-f]*\d[0-9a-f]*[a-f][0-9a-f]*\d|[0-9a-f]*[a-f][0-9a-f]*\d[0-9a-f]*[a-f])(?P<number>[0-9a-f"
    r"]{6,7})(?![\w-])"
)
_MAC = r"(?<![\w:])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:])"
_ISBN = r"(?<![\w.,-])97[89](?:[- ]\d{1,7}){2,4}[- ][\dX](?![\w-])"
_CODE_WORDS_LIST = """
    zip zipcode postcode postal pin code passcode password otp serial account acct id invoice confirmation tracking
    reference ref sku isbn upc badge ssn imei combination locker member membership passport license licence vin ean asin
    extension ext dial sort routing verification booking reservation order ticket
    """
_CODE_WORDS = frozenset(_CODE_WORDS_LIST.split())
_CODED = r"(?<![\w.,$€£/-])(?P<number>\d{3,20}(?:[- ]\d{2,12}){0,4})(?![\w%°/]|[.,:]\d|-[A-Za-z])"
_CODE_CONTEXT = re.compile(r"([A-Za-z]+)(?:[ ](?:is|was|number|no\.?|num|code|numbers|are|the|your|enter|my))*[:#]?[ ]?#?\Z")
_PARTS = r"(?<![\w.,-])(?P<first>\d{5,7})-(?P<second>\d{3,4})(?![\w-]|[.,]\d)"
_PART_WORDS = re.compile(
    r"(?:\b(?:[Pp]art|[Ss]erial|[Mm]odel|[Ii]tem|[Cc]atalog|[Ss]tock)(?: no\.?| number| num)?|P/N|S/N|SKU|UPC|ISBN"
    r"|ID|[Ii]d|No\.)[:#]? ?\Z"
)
_ZIP = r"(?<![\w.,-])(?P<number>\d{5})(?:-(?P<rest>\d{4}))?(?![\w-]|[.,]\d)"
_STATE_BEFORE = re.compile(
    r"(?:\b[A-Z]{2}|[a-z]{2},? (?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Florida|Georgia|Illinois|Ohi"
    r"o|Texas|Virginia"
    r"|Washington|Oregon|Nevada|Utah|York|Jersey|Mexico|Carolina|Dakota|Michigan|Indiana)),? \Z"
)
_LEADING_ZERO = r"(?<![\w.,:/-])(?P<number>0\d+)(?![\w]|[.,:/]\d)"
_ZERO_DASH = r"(?<![\w.,:/])(?P<number>0\d+)-(?=[A-Za-z\d])"
_CHANNELS = {
    "alpha": "alpha", "beta": "beta", "rc": "r c", "dev": "dev", "post": "post", "pre": "pre", "a": "alpha", "b": "beta",
}
_LETTER_OR_DIGIT = re.compile(r"[0-9A-Za-z]")
_HOUSE = (
    r"(?<![\w.,$€£/-])(?P<number>\d{2,5})(?P<letter>[A-D])?(?= (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.?"
    r" )?(?:[A-Z][a-z']+ |\d{1,3}(?:st|nd|rd|th) ){1,3}"
    r"(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Ln|Lane|Dr|Drive|Ct|Court|Pl|Place|Pkwy|Parkway|Hwy|Highway|W"
    r"ay|Ter|Terrace|Cir|Circle"
    r"|Sq|Square|Expy|Trl|Trail|Row|Close)\b)"
)


def characters(text: str) -> str:
    """ "a1f" to "ae one f"."""
    return " ".join(digits(sign) if sign.isdigit() else spell(sign) for sign in _LETTER_OR_DIGIT.findall(text))


def grouped(text: str) -> str:
    """ "020 7946-0958" digit by digit, with a pause between the groups."""
    plus = "plus " if text.lstrip().startswith("+") else ""
    return plus + ", ".join(digits(group) for group in re.findall(r"\d+", text))


def _grouped(found: re.Match[str], scanner: Scanner) -> str | None:
    return grouped(found[0])


def _international(found: re.Match[str], scanner: Scanner) -> str | None:
    return grouped(found[0]) if sum(sign.isdigit() for sign in found[0]) >= 7 else None


def _local(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "555-1234"; but "500-1000" is a range."""
    first, second = int(found["first"]), int(found["second"])
    if (
        first % 10 == 0
        and second % 100 == 0
        and first < second
        and scanner.word_before(found.start()).lower() not in PHONE_WORDS
    ):
        return None
    return grouped(found[0])


def _digit_groups(found: re.Match[str], scanner: Scanner) -> str | None:
    """Groups after such words as "call", whatever their pattern."""
    count = sum(sign.isdigit() for sign in found[0])
    if count < 6 or not (phone_context(found.start(), scanner)):
        return None
    return grouped(found[0])


def phone_context(start: int, scanner: Scanner) -> bool:
    """Whether the words before announce a telephone number."""
    words = re.findall(r"[A-Za-z]+", scanner.text[max(0, start - 40) : start])[-4:]
    return any(word.lower() in PHONE_WORDS for word in words) or [word.lower() for word in words[-2:]] == ["number", "is"]


def _hyphens(found: re.Match[str], scanner: Scanner) -> str | None:
    return grouped(found[0]) if sum(sign.isdigit() for sign in found[0]) >= 9 else None


def _two_by_two(found: re.Match[str], scanner: Scanner) -> str | None:
    return " ".join(digits(pair) if pair[0] == "0" else cardinal(int(pair)) for pair in found[0].split()).replace(
        "zero nine", "zero nine"
    )


def _vanity(found: re.Match[str], scanner: Scanner) -> str | None:
    code = found["code"]
    area = f"{digits(code[0])} hundred" if code.endswith("00") else digits(code)
    names = [
        digits(part)
        if part.isdigit()
        else (characters(part) if len(part) == 1 or any(c.isdigit() for c in part) else part.lower())
        for part in found["name"].split("-")
    ]
    return f"{'one ' if found['one'] else ''}{area} {' '.join(names)}"


def _dialled(found: re.Match[str], scanner: Scanner) -> str | None:
    return digits(found["number"]) if scanner.word_before(found.start()).lower() in ("call", "dial", "phone") else None


def _network(found: re.Match[str], scanner: Scanner) -> str | None:
    parts = found["host"].split(".")
    if any(int(part) > 999 for part in parts):
        return None
    host = " dot ".join(digits(part) for part in parts)
    port = f" colon {digits(found['port'])}" if found["port"] else ""
    return f"{host}{port}{' slash ' + cardinal(int(found['mask'])) if found['mask'] else ''}"


def _network_6(found: re.Match[str], scanner: Scanner) -> str | None:
    """An IPv6 address; not a time of day or a ratio, which have digits only."""
    host = found["host"]
    if not (re.search(r"[a-fA-F]", host) or "::" in host):
        return None
    return " ".join("colon" if part == ":" else characters(part) for part in re.findall(r":|[0-9a-fA-F]+", host))


def _named_version(found: re.Match[str], scanner: Scanner) -> str | None:
    if found[0][0] in "vV" and not found["long"] and scanner.word_before(found.start()).lower() == "version":
        return _release(found)
    return f"version {_release(found)}"


def _bare_version(found: re.Match[str], scanner: Scanner) -> str | None:
    return _release(found)


def _product_version(found: re.Match[str], scanner: Scanner) -> str | None:
    return version(found["number"]) if scanner.word_before(found.start()).lower() in _PRODUCTS else None


def _release(found: re.Match[str]) -> str:
    words = version(found["number"])
    if found["channel"]:
        words += f" {_CHANNELS[found['channel']]} {cardinal(int(found['serial'])) if found['serial'] else ''}"
    return words


def _hash(found: re.Match[str], scanner: Scanner) -> str | None:
    text = found[0]
    if re.fullmatch(r"\d+[eE]\d{1,3}|\d+[A-Fa-f]", text):
        return None
    return ", ".join(characters(part) for part in text.split("-"))


def _short_hash(found: re.Match[str], scanner: Scanner) -> str | None:
    return characters(found["number"])


def _coded(found: re.Match[str], scanner: Scanner) -> str | None:
    """Digit by digit after such words as "PIN", "zip code is"."""
    if not is_coded(found.start(), scanner):
        return None
    return ", ".join(digits(group) for group in re.split(r"[- ]", found["number"]))


def is_coded(start: int, scanner: Scanner) -> bool:
    """Whether the words before announce a number that is read digit by digit."""
    words = re.findall(r"[A-Za-z]+", scanner.text[max(0, start - 40) : start])
    ahead = scanner.text[max(0, start - 40) : start]
    if not re.search(r"[A-Za-z][.:#]?[ ]?#?\Z", ahead):
        return False
    for word in reversed(words[-5:]):
        if word.lower() in _CODE_WORDS or (len(word) > 3 and word.lower().rstrip("s") in _CODE_WORDS):
            return word.lower() not in ("order", "ticket", "license", "code", "id") or True
        if word.lower() not in _FILLERS:
            return False
    return False


_FILLERS_LIST = """
    is was number no num the your my are enter be use it s of called reads has
    """
_FILLERS = frozenset(_FILLERS_LIST.split())


def _parts(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{digits(found['first'])}, {digits(found['second'])}"


def _zip(found: re.Match[str], scanner: Scanner) -> str | None:
    if not _STATE_BEFORE.search(scanner.text[max(0, found.start() - 24) : found.start()]):
        return None
    return (digits(found["number"]) + (f", {digits(found['rest'])}" if found["rest"] else "")).replace("zero", "oh")


def _part_groups(found: re.Match[str], scanner: Scanner) -> str | None:
    if not _PART_WORDS.search(scanner.text[max(0, found.start() - 24) : found.start()]):
        return None
    return ", ".join(digits(group) for group in re.findall(r"\d+", found[0]))


def _house(found: re.Match[str], scanner: Scanner) -> str | None:
    number = found["number"]
    if number[0] == "0":
        return None
    words = model(number) if len(number) <= 4 else digits(number)
    return words + (f" {'ae' if found['letter'] == 'A' else found['letter'].lower()}" if found["letter"] else "")


_EXTENSION = r"(?<=\d{4} )x ?(?P<number>\d{1,5})(?![\w.,])"
_TURNS = r"(?<![A-Za-z\d])[A-Za-z]?(?:\d{1,2}[A-Za-z]{1,2}){5,100}\d{0,4}(?![A-Za-z\d])"

DIGIT = (
    rule(
        "code",
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        _TURNS,
        lambda found, scanner: characters(found[0]),
        after="A",
    ),
    rule("address", ":-", _MAC, lambda found, scanner: characters(found[0]), after=":-A"),
    rule("address", ":", _NETWORK_6, _network_6, after=":A"),
    rule("address", ".", _NETWORK, _network, after="."),
    rule("phone", "", _VANITY, _vanity, after="-9a"),
    rule("code", "-", _ISBN, _grouped, after="-9"),
    rule("phone", "", _NORTH_AMERICAN, _grouped, after="-.9 ("),
    rule("phone", "-", _LOCAL, _local, after="-"),
    rule("code", "-", r"(?<![\w.,-])\d{2,}(?:-\d{2,}){1,4}(?![\w-])", _part_groups),
    rule("phone", "", _DIGIT_GROUPS, _digit_groups, after="-9 )"),
    rule("phone", "-", _HYPHENS, _hyphens, after="-"),
    rule("phone", "", _ZERO_SPACES, _grouped, after="-9"),
    rule("phone", "", _TWO_BY_TWO, _two_by_two, after="9"),
    rule("phone", "", _DIALLED, _dialled),
    rule("code", "", _ZIP, _zip),
    rule("code", "", _CODED, _coded),
    rule("code", "-", _PARTS, _parts, after="-"),
    rule("address", "", _HOUSE, _house, after="Aa"),
    rule("code", "x", _HEX, lambda found, scanner: f"zero x {characters(found['number'])}"),
    rule("code", "abcdefABCDEF", _HASH, _hash, after="A-"),
    rule("code", "abcdef", _SHORT_HASH, _short_hash, after="A"),
    rule("code", "-", _ZERO_DASH, lambda found, scanner: digits(found["number"])),
    rule("code", "", _LEADING_ZERO, lambda found, scanner: digits(found["number"])),
)
DIGIT_VERSIONS = (
    rule("version", ".", _BARE_VERSION, _bare_version, after="."),
    rule("version", ".", _PRODUCT_VERSION, _product_version, after="."),
)
LETTER = (
    rule("phone", "", _EXTENSION, lambda found, scanner: f"extension {digits(found['number'])}", words=("x",)),
    rule("code", "0123456789", _TURNS, lambda found, scanner: characters(found[0])),
    rule("version", "", _NAMED_VERSION, _named_version, words=("v", "ver", "version")),
    rule("address", ":-", _MAC, lambda found, scanner: characters(found[0])),
    rule("address", ":", _NETWORK_6, _network_6),
    rule("code", "0123456789", _HASH, _hash),
    rule("code", "0123456789", _SHORT_HASH, _short_hash),
)
SIGN = (
    rule("phone", "+", _INTERNATIONAL, _international),
    rule("phone", "(", _NORTH_AMERICAN, _grouped),
    rule("phone", "(", r"\(0\d{1,4}\)[ -]?\d{2,5}(?:[ -]?\d{2,5}){0,3}(?![\w/]|[.,-]\d)", _grouped),
)
