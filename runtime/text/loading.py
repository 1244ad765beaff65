"""The front end that a bundle's text needs, by the name that its manifest gives it."""

from __future__ import annotations

from pathlib import Path

from ..atomic import BROKEN_ARCHIVE
from ..errors import BundleError
from .frontend import TextFrontEnd
from .normalization.scanner import Locale
from .pronunciation.user_lexicon import Lexicon
from .qwen import QwenFrontEnd

FrontEnd = TextFrontEnd | QwenFrontEnd


def load_front_end(kind: str, folder: Path, lexicon: Lexicon | None = None, locale: Locale = "en-US") -> FrontEnd:
    """Read a bundle's text folder; BundleError if its files are not what their names say."""
    if kind == "qwen2":
        return QwenFrontEnd.load(folder)
    try:
        return TextFrontEnd.load(folder, lexicon, locale)
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"The bundle's text front end does not load ({error}); export the bundle again.") from error
