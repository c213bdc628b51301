"""What may stand on a lock screen, where anybody reads it."""

from collections.abc import Mapping

from .port import PushMessage

FALLBACK = "fr"

# They say neither what the offer is about nor where the customer is.
_NEUTRAL: Mapping[str, tuple[str, str]] = {
    "fr": ("Une offre vous attend", "Ouvrez-la pour en savoir plus."),
    "en": ("An offer is waiting for you", "Open it to find out more."),
}


def shown_texts(message: PushMessage) -> tuple[str, str]:
    """Return the title and the body to show: the message's own, or neutral ones in its language if it is sensitive.

    A language without neutral texts gets them in French. What shows as much as a text does (the image) is left out of a
    sensitive message by who builds it.
    """
    if not message.is_sensitive:
        return message.title, message.body
    return _NEUTRAL[language_of(message)]


def language_of(message: PushMessage) -> str:
    """Return the language of what stands beside an offer's own words: `fr` or `en`, French for any other."""
    language = message.language.partition("-")[0].lower()
    return language if language in _NEUTRAL else FALLBACK
