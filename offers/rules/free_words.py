"""Words that call goods free; docs/algorithms/legal-guard.md."""

import re
import unicodedata
from collections.abc import Mapping

# In every text, whatever its language: French words, and what both languages borrow.
_ANYWHERE = re.compile(r"\b(?:gratuite?s?|gratuitement|gratuites|gratis|gratos|a titre gracieux)\b")
# In an English text alone: a French one may name a brand or a recipe that is free of something.
_ENGLISH = re.compile(r"(?<![\w-])(?:free|freebies?)\b(?!-?\s?range\b|\s+(?:from|of)\b)")
_WITHOUT = (  # "sugar free" promises less sugar, not a lower price
    "additive|alcohol|allergen|bpa|caffeine|cage|carb|cholesterol|cruelty|dairy|egg|fat|fragrance|fuss|gluten|gmo|grain|"
    "guilt|hassle|lactose|meat|milk|nut|palm oil|paraben|phosphate|plastic|preservative|salt|silicone|soy|soya|stress|"
    "sugar|sulphate|sulfate|sulphite|sulfite|waste|wheat|worry"
)
_FREE_OF = re.compile(rf"\b(?:{_WITHOUT})s?\s+free\b")
_APOSTROPHES = str.maketrans({"’": "'", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})
_HYPHENS = re.compile(r"[‐‑‒–—]")


def free_word(texts: Mapping[str, str]) -> str:
    """Return the first word, folded, by which one of the texts (by language) calls something free; empty: none.

    Case, accents and invisible characters do not hide a word. "offert" is another word, and allowed. "sugar-free",
    "lactose free", "free-range" and "free from" say what is not in the goods.

    >>> free_word({"fr": "Un GRATUIT, deux payés"}), free_word({"en": "Gluten-free and free-range"})
    ('gratuit', '')
    """
    for language, text in texts.items():
        plain = folded(text)
        found = _ANYWHERE.search(plain)
        if found is None and language == "en":
            found = _ENGLISH.search(_FREE_OF.sub(" ", plain))
        if found is not None:
            return found.group()
    return ""


def folded(text: str) -> str:
    """Return the text without case, accents and invisible characters; spaces and hyphens of one kind.

    >>> folded("GRATUITÉ\\u200b")
    'gratuite'
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(_HYPHENS.sub("-", "".join(kept).translate(_APOSTROPHES)).split())
