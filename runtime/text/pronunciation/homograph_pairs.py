"""Choices for words of several senses: live, read, lead, tear, close, wind, wound."""

from __future__ import annotations

from .word_context import (
    AFTER_NOUNS,
    BEFORE_VERBS,
    DETERMINERS,
    HAVE,
    PREPOSITIONS,
    STRICT_DETERMINERS,
    SUBJECTS,
    THIRD,
    Context,
    any_of,
    is_verb_before,
)

_CLOSE_BY = any_of(
    "to by together enough behind friend friends call range relative look contact attention up proximity second "
    "family ally tie ties "
    "relationship quarters combat match race game inspection shave eye fit"
)


def close(context: Context) -> str:
    before, after = context.before, context.after
    if after in _CLOSE_BY:
        governed = before in BEFORE_VERBS
        if after == "up" and governed:
            return "shut"
        if after in ("to", "by", "enough", "up", "together") or not governed:
            return "near"
    if before in any_of(
        "stay stays stayed come comes came coming get gets got too very so how as keep keeps kept stand stands stood "
        "hold quite pretty really "
        "extremely draw drew dangerously follow sit sits sat lives live is are was were be been being i'm you're "
        "we're they're it's that's that "
        "remain not move moved this far fairly relatively sufficiently uncomfortably"
    ):
        return "near" if before != "that" or context.ends else "shut"
    if before in ("a", "an") and not context.ends and after not in PREPOSITIONS:
        return "near"
    if before == "the" and context.ends:
        return "shut"
    return "shut"


def live(context: Context) -> str:
    before, after = context.before, context.after
    governed = before in BEFORE_VERBS or before in SUBJECTS or before in any_of("who where how that still and used")
    if governed and after not in _LIVE_NOUNS:
        return "verb"
    if before in STRICT_DETERMINERS or before in any_of(
        "go goes went going gone is are was were be been being it's we're they're i'm broadcast streamed performed "
        "streaming performing playing recorded watch watched"
    ):
        return "adjective"
    if after in _LIVE_NOUNS:
        return "adjective"
    if before in any_of("play plays played perform performs sing sings sang stream appear appears report reporting shown seen"):
        return "adjective"
    if after in PREPOSITIONS or after in any_of("here there alone together long longer forever happily abroad nearby next"):
        return "adjective" if before in any_of("broadcast performance concert show video stream") else "verb"
    if context.ends and not context.starts:
        return "adjective" if before not in any_of("they people we you i who") else "verb"
    return "adjective" if context.starts else "verb"


_LIVE_NOUNS = any_of("""
    video music stream streams streaming show shows performance broadcast feed view data event events audience wire
    wires demo demonstration concert chat
    coverage map camera preview update updates report session animals animal ammunition bait captions transcription
    score scores tv television traffic
    sports recording recordings version server mode audio translation band album online
    """)


def lives(context: Context) -> str:
    before, after = context.before, context.after
    if (
        before in DETERMINERS
        or before in PREPOSITIONS
        or before
        in any_of(
            "save saves saved saving lost human private whole daily past changed change changing "
            "risk risked people's living young their"
        )
    ):
        return "noun" if before not in ("that", "which") else "verb"
    if after in AFTER_NOUNS | any_of("matter depend are were together"):
        return "noun"
    return (
        "verb"
        if after in PREPOSITIONS | any_of("here there alone next nearby happily up close abroad") or before in THIRD
        else "noun"
    )


_PAST_WORDS = any_of("yesterday ago earlier previously once")

_PAST_NOUNS = any_of(
    "night week month year summer winter spring autumn monday tuesday wednesday thursday friday saturday sunday time"
)

_HABIT_WORDS = any_of("every always usually often daily weekly monthly sometimes regularly today now tomorrow tonight")


def read(context: Context) -> str:
    before = context.before
    words = context.sentence()
    if before in BEFORE_VERBS:
        return "now"
    if (
        context.at(-1) in HAVE
        or before in HAVE
        or (context.at(-2) in HAVE and before in SUBJECTS | THIRD)
        or context.at(-2) in HAVE
    ):
        return "past"
    if before in any_of("is are was were be been being it's well widely is isn't wasn't get got gets"):
        return "past"
    if before in any_of("had has i've"):
        return "past"
    if before in any_of("he she it nobody everyone someone somebody") and context.at(-2) not in BEFORE_VERBS | any_of(
        "did does make let help hear see"
    ):
        return "past"
    if context.has(_PAST_WORDS) or any(words[i] == "last" and words[i + 1] in _PAST_NOUNS for i in range(len(words) - 1)):
        return "past" if before in SUBJECTS or not context.starts else "now"
    place = words.index(context.word) if context.word in words else 0
    earlier = words[:place]
    if (
        any((word.endswith("ed") and len(word) > 4) or word in _PAST_VERBS for word in earlier)
        and not context.has(_HABIT_WORDS)
        and before in ("and", "then", *SUBJECTS, "who", "that")
        and not any(word in ("to", "will", "can") for word in earlier[-3:])
    ):
        return "past"
    if (
        before not in SUBJECTS
        and before.isalpha()
        and not before.endswith("s")
        and before not in any_of("and or then now please first next also who")
        and (context.at(-2) in STRICT_DETERMINERS)
    ):
        return "past"  # "the teacher read the story"
    return "now"


_PAST_VERBS = any_of(
    "was were went came took got sat said saw found had did gave told made bought left knew thought wrote began stood brought"
)

_METAL_AFTER = any_of(
    "pipe pipes paint pencil pencils poisoning weight weights acid battery batteries bullet bullets shield "
    "shielding free levels solder ore "
    "glass roof contamination crystal dust exposure based content mine shot sinker"
)

_METAL = any_of("metal metals toxic copper iron zinc tin poison mercury dense heavy pipes melted alloy steel solder silver")


def lead(context: Context) -> str:
    before, after = context.before, context.after
    if after in _METAL_AFTER and not (after in ("free", "levels", "content", "shot", "weight") and before in BEFORE_VERBS):
        return "metal"
    closes = context.ends or after in ("and", "or", "in", "is")
    if before in ("of", "contains", "contain", "containing", "melted", "molten", "like") and closes and context.at(-2) != "in":
        return "metal"
    if before in ("with", "from", "and", "as", "is") and closes and context.has(_METAL):
        return "metal"
    return "metal" if context.has(_METAL) and not is_verb_before(context) and before not in STRICT_DETERMINERS else "guide"


_CRYING = any_of(
    "eye eyes cheek cheeks face cry crying cried sad shed wept rolled wiped joy gas laughter sorrow fell drop "
    "ran weeping emotion happy"
)

_CLOTH = any_of("fabric paper shirt jacket cloth page sheet bag seam hole muscle ligament sail net dress wear coat pants "
                "sleeve")


def tear(context: Context) -> str:
    before, after = context.before, context.after
    if after in ("gas", "duct", "ducts", "drop", "drops", "stained"):
        return "eye"
    if (
        after in ("down", "apart", "up", "off", "open", "away", "it", "them", "out", "along", "here")
        or before in BEFORE_VERBS
        or before in SUBJECTS
        or (context.starts and after in STRICT_DETERMINERS)
    ):
        return "rip"
    if context.word == "tears":
        if before in THIRD or (after in STRICT_DETERMINERS and before not in PREPOSITIONS):
            return "rip"
        return "rip" if context.has(_CLOTH) and not context.has(_CRYING) else "eye"
    words = context.sentence()
    place = next((i for i, word in enumerate(words) if word is context.word), 0)
    following = words[place + 1 : place + 6]
    if before == "and" and context.at(-2) == "wear":
        return "rip"
    if any(word in _CLOTH or word == "tear" for word in following):
        return "rip" if any(word in _CLOTH for word in following) else "eye"
    return "eye" if context.has(_CRYING) else "rip"


def wind(context: Context) -> str:
    before, after = context.before, context.after
    turning = any_of("up down around it through back your the along itself")
    if context.word == "winds":
        return (
            "turn"
            if (before in THIRD or not (before in STRICT_DETERMINERS or before.endswith("e")))
            and after in turning - {"the", "your"}
            and (after != "down")
            else ("turn" if before in any_of("road path river trail stream") else "air")
        )
    if before in BEFORE_VERBS or before in any_of("i you we they"):
        return "turn"
    return "turn" if (context.starts or before in ("and", "or", "then")) and after in turning else "air"


def wound(context: Context) -> str:
    before, after = context.before, context.after
    if before in STRICT_DETERMINERS and after not in ("up",):
        return "injury"
    if after in any_of("up down around through its tightly tight his her onto back along") or before in any_of(
        "tightly he she we they i"
    ):
        return "turned" if before not in BEFORE_VERBS else "injury"
    return "injury"
