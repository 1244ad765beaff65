"""URLs, e-mail addresses, file paths, hashtags, mentions and command line options to words."""

from __future__ import annotations

import re

from ..number_words import digits, model
from ..scanner import Scanner, rule
from ..tables.acronyms import spell
from .words import speak_word

_SIGNS = {
    ".": "dot", "/": "slash", "\\": "backslash", "-": "dash", "_": "underscore", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", ":": "colon", "~": "tilde", "@": "at", "+": "plus", "*": "star", ",": "comma",
    ";": "semicolon", "!": "exclamation mark", "$": "dollar",
}
_PART = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_SPOKEN_DOMAINS = frozenset(("co", "me", "to", "so", "be", "it", "is", "no", "in", "at", "us", "my"))
_TOP_LEVEL = (
    "com|org|net|edu|gov|io|ai|dev|app|uk|de|eu|info|tv|ly|xyz|co|fr|jp|ca|au|ch|nl|it|es|se|us|me|sh|gg|be|at|biz|mil|int"
)
_TAIL = r"[^\s<>\"'`|{}\[\]()]"
_URL = rf"(?<!\w)(?:(?P<scheme>https?|ftps?|wss?|ssh|file|git|rtsp|s3|HTTPS?)://|mailto:|(?=www\.\w))(?P<rest>{_TAIL}+)"
_EMAIL = r"(?<![\w.+-])[\w.+&-]{1,64}@\w[\w-]{0,63}(?:\.[\w-]{1,63}){1,5}"
_DOMAIN = (
    rf"(?<![\w.@/-])(?:[A-Za-z0-9][A-Za-z0-9_-]{{0,62}}\.){{1,5}}(?:{_TOP_LEVEL}|COM|ORG|NET|IO)(?![\w-]|\.[A-Za-z"
    rf"\d])(?:[:/]{_TAIL}*)?"
)
_SHORT_TOP_LEVEL = frozenset(["co", "it", "es", "se", "us", "me", "be", "at", "in", "no", "so", "to", "ca", "de", "int"])
_WINDOWS = r"(?<!\w)(?P<drive>[A-Za-z]):(?P<path>\\[^\s\"<>|*?:,;()]*)"
_UNIX = r"(?<![\w/.~)\]€£¥¢%°])(?:~|\.{1,2})?(?:/[\w.@+~-]*[A-Za-z_][\w.@+~-]*){1,40}/?"
_HOME = r"(?<!\S)(?:~|\.{1,2})/(?=\s|$)"
_RELATIVE = (
    r"(?<![\w/.@-])(?=[\w.-]*[A-Za-z_])[\w-][\w.-]*(?:/[\w.-]+){2,40}/?"
    r"|(?<![\w/.@-])[A-Za-z_][\w.-]*/[\w-]+\.[A-Za-z]{1,5}(?!\w)"
)
_HASHTAG = r"(?<![\w&/])#(?=\w*[A-Za-z_])(?P<name>\w+)"
_MENTION = r"(?<![\w.@/])@(?=\w*[A-Za-z_])(?P<name>\w+)"
_LONG_OPTION = r"(?<!\S)--(?=[a-z])"
_SHORT_OPTION = r"(?<!\S)-(?=[A-Za-z](?![\w'-])|(?:[a-z]{1,4})(?=\s|$)(?<!\s-))"
_COMMAND = re.compile(
    r"(?:\b(?:ls|rm|cp|mv|tar|git|grep|ps|df|du|ssh|scp|cat|chmod|mkdir|docker|pip|npm|python|bash|sudo|curl|sed|a"
    r"wk|find|kill|ln|top|apt|run|with|use"
    r"|option|flag|the) |[`\"'])\Z"
)
_FILE_MASK = r"(?<!\S)\*\.(?P<suffix>[A-Za-z]\w{0,5})(?!\w)"
_ENDING = ".,;:!?~*-_"
_KNOWN_PAIRS = {
    "and/or": "and or", "he/she": "he or she", "his/her": "his or her", "s/he": "she or he", "him/her": "him or her",
    "c/o": "care of", "n/a": "n ae", "w/o": "without", "w/": "with", "b/c": "because", "tcp/ip": "t c p i p", "i/o": "i o",
    "r/c": "r c", "a/c": "ae c", "o/s": "o s", "p/n": "p n", "s/n": "s n", "w/e": "weekend", "km/h": "kilometers per hour",
    "ac/dc": "ae c d c", "24/7": "twenty four seven", "either/or": "either or", "on/off": "on off",
    "input/output": "input output", "client/server": "client server", "read/write": "read write", "a/b": "ae b",
    "q/a": "q and ae", "t/f": "true or false", "y/n": "yes or no",
}
_PAIR = rf"(?<![\w/.@-])(?P<pair>{'|'.join(re.escape(pair) for pair in sorted(_KNOWN_PAIRS, key=len, reverse=True))})(?![\w/])"


def _url(found: re.Match[str], scanner: Scanner) -> str | None:
    return _with_ending(found["rest"], (found["scheme"] or "").lower())


def _domain(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "example.com"; but "left.It was" lacks a space, and "i.e.that" is no domain."""
    host = found[0].partition("/")[0].partition(":")[0].rstrip(_ENDING)
    top = host.rpartition(".")[2]
    if (
        top in _SHORT_TOP_LEVEL
        and "/" not in found[0]
        and "www" not in found[0]
        and (host.count(".") != 1 or host.split(".")[0].lower() in _NO_HOSTS)
    ):
        return None
    return _with_ending(found[0].lower() if found[0].isupper() else found[0])


_NO_HOSTS = frozenset(["i", "e", "s", "a", "the", "and", "it", "that", "this", "was", "is", "yes", "no", "go"])


def _with_ending(address: str, scheme: str = "") -> str:
    """An address without the punctuation of the sentence that it ends."""
    bare = address.rstrip(_ENDING)
    ending = "".join(sign for sign in address[len(bare) :] if sign in ".,;:!?")
    prefix = "" if scheme in ("", "http", "https") else f"{speak_word(scheme.upper())} colon slash slash "
    host, slash, rest = bare.partition("/")
    host, at, server = host.rpartition("@")
    words = (_parts(host) + " at " if at else "") + _host(server)
    tail = rest.rstrip("/")
    return f"{prefix}{words} {_parts(slash + tail) if tail else ''}".strip() + ending


def _host(server: str) -> str:
    name, dot, domain = server.rpartition(".")
    if dot and len(domain) == 2 and domain.isalpha() and domain not in _SPOKEN_DOMAINS:
        return _parts(name + dot) + " " + spell(domain)
    if dot and domain.isalpha():
        return _parts(name + dot) + " " + domain.lower()
    return _parts(server)


def _path(found: re.Match[str], scanner: Scanner) -> str | None:
    return _with_dots(found[0])


def _with_dots(path: str) -> str:
    bare = path.rstrip(_ENDING)
    return _parts(bare) + "".join(sign for sign in path[len(bare) :] if sign in ".,;:!?")


def _parts(text: str, quiet: str = "") -> str:
    """Words, numbers and the names of the signs between them, but for those in `quiet`."""
    words = []
    for part in _PART.findall(text):
        if part.isdigit():
            words.append(model(part) if len(part) < 5 else digits(part))
        elif part.isalpha():
            words.append(spell(part) if len(part) == 1 else speak_word(part))
        elif part not in quiet:
            words.append(_SIGNS.get(part, ""))
    return " ".join(word for word in words if word)


def _named(prefix: str, name: str) -> str:
    return f"{prefix} {_parts(name, quiet='_')}"


def _option(found: re.Match[str], scanner: Scanner) -> str | None:
    text, end = scanner.text, found.end()
    single = not text[end + 1 : end + 2].isalpha()
    if not single and not _COMMAND.search(text[max(0, found.start() - 12) : found.start()]):
        return None
    word = re.match(r"[a-z]{2,4}", text[end : end + 4])
    if single or word is None:
        return "dash"
    return "dash"


def _relative(found: re.Match[str], scanner: Scanner) -> str | None:
    if re.fullmatch(r"[\d./-]+", found[0]):
        return None
    return _with_dots(found[0])


def _pair(found: re.Match[str], scanner: Scanner) -> str | None:
    return _KNOWN_PAIRS[found["pair"].lower()]


_ANY = (
    rule("address", "@", _EMAIL, lambda found, scanner: _with_ending(found[0])),
    rule("address", ":w", _URL, _url),
    rule("address", ".", _DOMAIN, _domain),
    rule("abbreviation", "/", re.compile(_PAIR, re.IGNORECASE), _pair),
    rule("address", "/", _RELATIVE, _relative),
)
DIGIT = (_ANY[0], _ANY[2], _ANY[4])
LETTER = (
    *_ANY[:2],
    rule("address", "\\", _WINDOWS, lambda found, scanner: f"{spell(found['drive'])} colon {_with_dots(found['path'])}"),
    *_ANY[2:],
)
SIGN = (
    rule("address", "@", _MENTION, lambda found, scanner: _named("at", found["name"])),
    rule("address", "#", _HASHTAG, lambda found, scanner: _named("hashtag", found["name"])),
    rule("address", "/~.", _UNIX, _path),
    rule("address", "~.", _HOME, lambda found, scanner: _parts(found[0])),
    rule("address", "*", _FILE_MASK, lambda found, scanner: "star dot " + speak_word(found["suffix"])),
    rule("symbol", "-", _LONG_OPTION, lambda found, scanner: "dash dash"),
    rule("symbol", "-", _SHORT_OPTION, _option),
    rule(
        "address",
        "_",
        r"(?<!\w)_[\w.+&-]{1,64}@\w[\w-]{0,63}(?:\.[\w-]{1,63}){1,5}",
        lambda found, scanner: _with_ending(found[0]),
    ),
)
