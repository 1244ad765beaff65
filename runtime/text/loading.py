"""The front end that a bundle's text needs, by the name that its manifest gives it."""

from __future__ import annotations

from pathlib import Path

from ..atomic import BROKEN_ARCHIVE
from ..errors import BundleError, OptionError
from .frontend import TextFrontEnd
from .normalization.scanner import Locale
from .pronunciation.user_lexicon import Lexicon, read_entries
from .qwen import QwenFrontEnd

FrontEnd = TextFrontEnd | QwenFrontEnd


WORDS = "words.tsv"
"""A lexicon that a bundle may have in its text folder: names of products, of a company; the user's own goes before it."""


def load_front_end(kind: str, folder: Path, lexicon: Lexicon | None = None, locale: Locale = "en-US",
                   normalize: bool = True) -> FrontEnd:
    """Read a bundle's text folder.

    Args:
        kind: `Manifest.text`.
        folder: the bundle's text folder.
        lexicon, locale, normalize: as for `Synthesizer`.

    Raises:
        BundleError: its files are not what their names say.
        TextError: a lexicon cannot be read.
        OptionError: a lexicon for a front end without phonemes.
    """
    if kind == "qwen2":
        if lexicon is not None:
            raise OptionError("This bundle reads text without phonemes and takes no lexicon; leave it out.")
        return QwenFrontEnd.load(folder, locale, normalize)
    if not normalize:
        raise OptionError("This bundle reads phonemes, which only normalised text has; normalize=False is for CosyVoice3.")
    entries = dict(read_entries(folder / WORDS)) if (folder / WORDS).exists() else {}
    entries |= {} if lexicon is None else read_entries(lexicon)
    try:
        return TextFrontEnd.load(folder, entries, locale)
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"The bundle's text front end does not load ({error}); export the bundle again.") from error
