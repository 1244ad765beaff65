"""URLs, e-mail addresses, file paths, hashtags and mentions to words.

Words keep their case here; the word pass later splits "userName" and spells "html".
"""

from __future__ import annotations

import re

from runtime.text.acronyms import spell
from runtime.text.numbers import digits, model

_SIGNS = {".": "dot", "/": "slash", "\\": "backslash", "-": "dash", "_": "underscore", "?": "question mark",
          "=": "equals", "&": "and", "#": "hash", "%": "percent", ":": "colon", "~": "tilde", "@": "at", "+": "plus",
          "*": "star", ",": "comma", ";": "semicolon", "!": "exclamation mark", "$": "dollar"}
_PART = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_SPOKEN_DOMAINS = frozenset(("co", "me", "to", "so", "be", "it", "is", "no", "in", "at", "us", "my"))
_TAIL = r"[^\s<>\"'`|{}\[\]()]"
_URL = re.compile(rf"(?<!\w)(?:(https?|ftps?|wss?|ssh|file|git|rtsp|s3)://|mailto:|(?=www\.\w))({_TAIL}+)")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@\w[\w-]{0,63}(?:\.[\w-]{1,63}){1,5}")
_DOMAIN = re.compile(
    rf"(?<![\w.@/-])(?:[A-Za-z0-9][\w-]{{0,62}}\.){{1,5}}(?:com|org|net|edu|gov|io|ai|dev|app|uk|de|eu|info|tv|ly|xyz)"
    rf"(?![\w-]|\.[A-Za-z])(?:[:/]{_TAIL}*)?")
_WINDOWS = re.compile(r"(?<!\w)([A-Za-z]):(\\[^\s\"<>|*?:,;()]*)")
_UNIX = re.compile(r"(?<![\w/.~)\]€£¥¢%°])(?:~|\.{1,2})?(?:/[\w.@+~-]*[A-Za-z_][\w.@+~-]*){1,40}/?")
_HOME = re.compile(r"(?<!\S)(~|\.{1,2})/(?=\s|$)")
_RELATIVE = re.compile(r"(?<![\w/.@-])(?=[\w.-]*[A-Za-z_])[\w-][\w.-]*(?:/[\w.-]+){2,40}/?"
                       r"|(?<![\w/.@-])[A-Za-z_][\w.-]*/[\w-]+\.[A-Za-z]{1,5}(?!\w)")
_HASHTAG = re.compile(r"(?<![\w&/])#(?=\w*[A-Za-z_])(\w+)")
_MENTION = re.compile(r"(?<![\w.@/])@(?=\w*[A-Za-z_])(\w+)")
_OPTION = re.compile(r"(?<!\S)(--(?=[a-z])|-(?=[A-Za-z](?![\w'-])))")
_ENDING = ".,;:!?~*-_"


def expand_addresses(text: str) -> str:
    """Every address in `text` as words."""
    if "@" in text:
        text = _EMAIL.sub(lambda found: _with_ending(found[0]), text)
        text = _MENTION.sub(lambda found: " at " + _parts(found[1], quiet="_"), text)
    if "/" in text or "www." in text:
        text = _URL.sub(lambda found: _with_ending(found[2], found[1] or ""), text)
    if "." in text:
        text = _DOMAIN.sub(lambda found: _with_ending(found[0]), text)
    if "\\" in text:
        text = _WINDOWS.sub(lambda found: f" {found[1].upper()} colon {_path(found[2])}", text)
    if "/" in text:
        text = _UNIX.sub(lambda found: _path(found[0]), text)
        text = _HOME.sub(lambda found: _parts(found[0]), text)
        text = _RELATIVE.sub(lambda found: _path(found[0]), text)
    text = _HASHTAG.sub(lambda found: " hashtag " + _parts(found[1], quiet="_"), text)
    return _OPTION.sub(lambda found: "dash " * len(found[1]), text)


def _with_ending(address: str, scheme: str = "") -> str:
    """An address without the punctuation of the sentence that it ends."""
    bare = address.rstrip(_ENDING)
    ending = "".join(sign for sign in address[len(bare):] if sign in ".,;:!?")
    prefix = "" if scheme in ("", "http", "https") else f"{scheme.upper()} colon slash slash "
    host, slash, rest = bare.partition("/")
    host, at, server = host.rpartition("@")
    words = (_parts(host) + " at " if at else "") + _host(server)
    tail = rest.rstrip("/")
    return f" {prefix}{words}{_parts(slash + tail) if tail else ''}".rstrip() + ending + " "


def _host(server: str) -> str:
    name, dot, domain = server.rpartition(".")
    if dot and len(domain) == 2 and domain.isalpha() and domain not in _SPOKEN_DOMAINS:
        domain = spell(domain)
    return _parts(name + dot) + domain + " " if dot and domain.replace(" ", "").isalpha() else _parts(server)


def _path(path: str) -> str:
    bare = path.rstrip(_ENDING)
    return _parts(bare) + "".join(sign for sign in path[len(bare):] if sign in ".,;:!?") + " "


def _parts(text: str, quiet: str = "") -> str:
    """Words, numbers and the names of the signs between them, but for those in `quiet`."""
    words = []
    for part in _PART.findall(text):
        if part.isdigit():
            words.append(model(part) if len(part) < 5 else digits(part))
        elif part.isalpha():
            words.append(part)
        elif part not in quiet:
            words.append(_SIGNS.get(part, ""))
    return " " + " ".join(word for word in words if word) + " "
