"""Choice between the pronunciations of one spelling, from the words on both sides.

Rules, not a model: small words before and after decide between noun and verb; words that go with one sense decide between
pairs such as "lead" and "tear". Everything works on normalised words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .homograph_pairs import close, lead, live, lives, read, tear, wind, wound
from .homograph_table import HOMOGRAPHS
from .word_context import (
    AFTER_NOUNS,
    BE,
    BEFORE_VERBS,
    DETERMINERS,
    OBJECTS,
    PREPOSITIONS,
    SUBJECTS,
    THIRD,
    Context,
    any_of,
    is_plural,
    is_verb,
)


def pronunciation(pieces: Sequence[str], index: int) -> str | None:
    """Phonemes of the form that fits at `index`; None for a word that has one pronunciation."""
    forms = HOMOGRAPHS.get(pieces[index])
    if forms is None:
        return None
    context = Context(pieces, index)
    choose = _SENSES.get(pieces[index])
    return forms[choose(context)] if choose is not None else forms["verb" if is_verb(context) else "noun"]


def _adjective_or_noun(context: Context) -> str:
    """ "content": the adjective is said as the verb is."""
    if context.before in BE | any_of("very quite so too perfectly not") and (
        context.ends or context.after in ("with", "to", "in", "and", "that")
    ):
        return "verb"
    return "verb" if is_verb(context) else "noun"


def _invalid(context: Context) -> str:
    return "noun" if context.before in ("an", "the") and (context.ends or context.after in AFTER_NOUNS) else "verb"


def _bow(context: Context) -> str:
    before, after = context.before, context.after
    if (
        before in BEFORE_VERBS
        or before in SUBJECTS
        or is_plural(before)
        or after in ("down", "before", "out")
        or context.at(-2) in any_of("take took takes taking")
        or context.has(any_of("ship boat ship's vessel stern sailor deck hull"))
    ):
        return "bend"
    if context.word == "bows" and (
        before in THIRD or (before not in DETERMINERS and before not in PREPOSITIONS and after in ("to", "down", "before"))
    ):
        return "bend"
    return "bend" if context.starts and (context.ends or after in ("to", "your")) else "weapon"


def _row(context: Context) -> str:
    return (
        "quarrel"
        if (
            context.before in ("a", "the")
            and (
                context.after in ("with", "about", "over", "broke", "between")
                and context.at(-2) in any_of("had have has having started after")
            )
        )
        or context.after == "broke"
        else "line"
    )


def _bass(context: Context) -> str:
    fishy = any_of("fish fishing sea lake caught catch river largemouth striped grilled pond hooked boat")
    return (
        "fish"
        if context.has(fishy) and not context.has(any_of("guitar drum sound music clef speaker volume treble"))
        else "music"
    )


def _sow(context: Context) -> str:
    return (
        "pig"
        if context.before in ("a", "the", "her", "our") and context.has(any_of("pig pigs piglets piglet farm barn pen litter"))
        else "seed"
    )


def _dove(context: Context) -> str:
    diving = any_of("into in down off under for head deep right straight underwater through")
    return "dive" if context.after in diving and context.before not in any_of("a the white this that every turtle") else "bird"


def _minute(context: Context) -> str:
    tiny = any_of(
        "amount amounts detail details particles particle quantity quantities traces trace differences difference "
        "crack cracks changes fraction fractions "
        "doses crystals hole holes adjustments"
    )
    if context.after in tiny or context.before in any_of("very extremely so incredibly too such"):
        return "tiny"
    return "tiny" if context.before in any_of("is are was were") and context.ends else "time"


def _polish(context: Context) -> str:
    people = any_of(
        "language people food government border citizen citizens man woman men women sausage army president football "
        "history culture restaurant accent "
        "composer author speaker speakers team immigrants girl boy company city national nationality parliament "
        "prime zloty border film poet queen king"
    )
    if context.after in people or context.before in any_of(
        "speak speaks speaking spoke in into from learn learning translate is are was he's she's i'm english german russian"
    ):
        return "nation"
    return "shine"


def _used(context: Context) -> str:
    """ "used to rule" and "am used to it", but "is used to cut"."""
    if context.after != "to":
        return "employed"
    if context.before in BE or context.at(-1) in BE:
        following = context.at(2)
        animate = context.before in any_of("i'm am we're you're they're he's she's get gets got getting become became feel")
        if (
            following in DETERMINERS | OBJECTS
            or following.endswith("ing")
            or (animate and not following.endswith("e"))
            or context.before in any_of("get gets got getting become became")
        ):
            return "accustomed"
        return "employed"
    return "accustomed"


def _participle(context: Context) -> str:
    if context.word == "learned":
        return (
            "adjective"
            if context.before in ("a", "the")
            and context.after in any_of("man men scholar professor society judge friend people woman")
            else "verb"
        )
    return (
        "adjective"
        if context.before in ("the", "an", "my", "her", "his")
        and context.after in any_of("man woman mother father parents relatives aunt uncle and in person people")
        else "verb"
    )


_SENSES: dict[str, Callable[[Context], str]] = {
    "close": close,
    "live": live,
    "lives": lives,
    "read": read,
    "reread": read,
    "misread": read,
    "lead": lead,
    "tear": tear,
    "tears": tear,
    "wind": wind,
    "winds": wind,
    "wound": wound,
    "bow": _bow,
    "bows": _bow,
    "row": _row,
    "bass": _bass,
    "sow": _sow,
    "dove": _dove,
    "minute": _minute,
    "polish": _polish,
    "used": _used,
    "learned": _participle,
    "aged": _participle,
    "content": _adjective_or_noun,
    "invalid": _invalid,
}
