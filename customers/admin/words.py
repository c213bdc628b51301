"""Words for staff in the two languages of the house, side by side in the code: no catalogue to compile."""

from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language


def say(*, en: str, fr: str) -> str:
    """Return the text in the language of the running request; English where that is neither."""
    return fr if (get_language() or "").startswith("fr") else en


def _say(en: str, fr: str) -> str:
    return say(en=en, fr=fr)


_later = lazy(_say, str)


def both(*, en: str, fr: str) -> Any:
    """Return a text whose language is chosen when it is shown: for labels that are written once, at import."""
    return _later(en, fr)
