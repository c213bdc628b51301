"""Whether an SMS asks us to stop writing. Source: the keywords of the French operators' charter and of the GSM world."""

import re
import unicodedata

WORDS = frozenset(
    {"stop", "stopall", "arret", "arreter", "unsubscribe", "desabonner", "end", "quit", "cancel"}
)

_WORD = re.compile(r"[a-z]+")


def is_stop(text: str) -> bool:
    """Return whether the text's first word is one that ends a subscription, in any case, with or without accents.

    >>> is_stop(" Stop."), is_stop("ARRÊT svp"), is_stop("Stopover in Lyon?"), is_stop("Where is my offer?")
    (True, True, False, False)
    """
    bare = unicodedata.normalize("NFKD", text.casefold())
    found = _WORD.search("".join(char for char in bare if not unicodedata.combining(char)))
    return found is not None and found.group() in WORDS
