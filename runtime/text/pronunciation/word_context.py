"""The words around a homograph, and what they say about its part of speech."""

from __future__ import annotations

from collections.abc import Sequence

from .homograph_table import VERB_BY_DEFAULT


def any_of(words: str) -> frozenset[str]:
    """Words separated by white space."""
    return frozenset(words.split())


DETERMINERS = any_of("""
    a an the this that these those my your his her its our their some any no every each another which whose what both
    all several many few most
    one two three four five six seven eight nine ten first second third last next other same such new old good bad own
    """)

STRICT_DETERMINERS = any_of("a an the my your his her its our their every each another no this some any these those whose")

PREPOSITIONS = any_of("""
    of in on at by for with from into about over under after before during through between against without within per
    as like via near beside
    behind beyond across along around despite except since until upon toward towards
    """)

BEFORE_VERBS = any_of("""
    to will would can could may might must shall should do does did don't doesn't didn't won't can't cannot couldn't
    shouldn't wouldn't mustn't
    let's please i'll you'll he'll she'll it'll we'll they'll i'd you'd he'd she'd we'd they'd let help not never
    """)

_NEGATIONS = any_of(
    "not never always often usually also just only really still already even now simply quickly ever then soon "
    "carefully automatically"
)

SUBJECTS = any_of("i you we they who people robots users children")

THIRD = any_of("he she it who that which everyone somebody someone nobody")

OBJECTS = any_of("me him them us it her you this that these those itself everything something")

BE = any_of("""
    is am are was were be been being isn't aren't wasn't weren't i'm you're he's she's it's we're they're that's
    there's what's who's
    feel feels felt seem seems seemed look looks looked become becomes became remain remains got get gets getting
    """)

HAVE = any_of("have has had haven't hasn't hadn't i've you've we've they've having")

AFTER_NOUNS = any_of("is are was were has have had will would can could may might must should of does did isn't wasn't")

_MARKS = frozenset(";:,.!?—…")


class Context:
    """One word of a sentence and its neighbours; marks count as ends."""

    def __init__(self, pieces: Sequence[str], index: int) -> None:
        self.word = pieces[index]
        self._pieces, self._index = pieces, index

    def at(self, offset: int) -> str:
        """The word `offset` places away; a mark or "" at the end of the text."""
        place = self._index + offset
        return self._pieces[place] if 0 <= place < len(self._pieces) else ""

    @property
    def before(self) -> str:
        """The word before, adverbs that stand between a verb and what governs it passed over."""
        offset = -1
        while self.at(offset) in _NEGATIONS or (self.at(offset).endswith("ly") and len(self.at(offset)) > 4):
            offset -= 1
        return self.at(offset)

    @property
    def after(self) -> str:
        """The word after."""
        return self.at(1)

    @property
    def starts(self) -> bool:
        """Return whether the word begins a sentence or a clause."""
        return self.before == "" or self.before in _MARKS

    @property
    def ends(self) -> bool:
        """Return whether the word ends a sentence or a clause."""
        return self.after == "" or self.after in _MARKS

    def sentence(self) -> list[str]:
        """All words of the sentence."""
        first = last = self._index
        while first > 0 and self._pieces[first - 1] not in (".", "!", "?", "…"):
            first -= 1
        while last < len(self._pieces) and self._pieces[last] not in (".", "!", "?", "…"):
            last += 1
        return list(self._pieces[first:last])

    def has(self, words: frozenset[str]) -> bool:
        """Return whether one of `words` is in the sentence."""
        return not words.isdisjoint(self.sentence())


def is_verb(context: Context) -> bool:
    """Return whether the word is a verb rather than a noun or an adjective."""
    for evidence in (_verb_by_before, _verb_by_after):
        found = evidence(context)
        if found is not None:
            return found
    return context.word in VERB_BY_DEFAULT and (context.starts or not context.ends)


def _verb_by_before(context: Context) -> bool | None:
    """Return what the word before indicates."""
    word, before, after = context.word, context.before, context.after
    plural = word.endswith("s") and not word.endswith("ss")
    if before == "to":
        return not (
            plural
            or after == "of"
            or (context.at(-2) in ("due", "thanks", "according", "compared", "used") and after in AFTER_NOUNS)
        )
    if before in BEFORE_VERBS:
        return not plural
    if before in ("that", "which", "who") and plural:
        return after in DETERMINERS | OBJECTS | PREPOSITIONS or context.ends
    if before in STRICT_DETERMINERS or before in DETERMINERS:
        return before in ("her", "this", "that", "these", "those") and after in STRICT_DETERMINERS
    if before in BE or before in HAVE:
        return False
    if before in SUBJECTS:
        return True if not plural else None
    if before in THIRD:
        return plural or word in VERB_BY_DEFAULT
    if before in OBJECTS and context.at(-2) in _CAUSING:
        return not plural
    if before in PREPOSITIONS:
        return False
    return None


_CAUSING = any_of("let make makes made help helps helped see saw hear heard watch watched have lets")


def _verb_by_after(context: Context) -> bool | None:
    """Return what the word after, and the place in the sentence, indicate."""
    word, after, before = context.word, context.after, context.before
    plural = word.endswith("s") and not word.endswith("ss")
    joined = before in ("and", "or", "then", "but", "please", "now", "first", "next", "finally")
    if context.at(-2) in STRICT_DETERMINERS and not context.starts and not joined and before not in PREPOSITIONS:
        if plural and (after in STRICT_DETERMINERS or after in OBJECTS):
            return True
        return is_plural(before) and after not in AFTER_NOUNS and not plural
    if after in STRICT_DETERMINERS or after in OBJECTS:
        return True
    if after in AFTER_NOUNS:
        return False
    if context.starts and not plural:
        if context.ends:
            return word in VERB_BY_DEFAULT or None
        return after not in PREPOSITIONS and (after.endswith("s") or after in DETERMINERS or after in _ADVERBS or None)
    if joined and not plural:
        return True if context.ends and _imperative(context) else None
    if is_plural(before) and not plural:
        return True
    return None


def is_plural(word: str) -> bool:
    """Return whether a word looks like a plural noun, as a subject has it."""
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "'s", "us", "is")) and word not in _SINGULAR


_SINGULAR = any_of(
    "sales sports news always perhaps sometimes across operations arms goods does various this has was yes thanks besides"
)

_ADVERBS = any_of("now again here there immediately quickly slowly up down all everything data")


def _imperative(context: Context) -> bool:
    """Return whether the word that "and" joins this one with begins the sentence: "Pause and resume."."""
    return context.at(-3) in _MARKS or context.at(-3) == ""


def is_verb_before(context: Context) -> bool:
    """Return whether the word before calls for a verb."""
    return context.before in BEFORE_VERBS or context.before in SUBJECTS or context.starts
