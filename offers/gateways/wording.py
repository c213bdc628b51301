"""The words that e-mail and SMS put around an offer's own, in the customer's language."""

from datetime import datetime

from .lock_screen import language_of, shown_texts
from .port import PushMessage

# fmt: off
_MONTHS = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}
# fmt: on
# For a sensitive offer: what was opened already cannot be opened to find out more.
_IN_THE_APP = {"fr": "Ouvrez l’application pour la voir.", "en": "Open the app to see it."}


def shown(message: PushMessage) -> tuple[str, str]:
    """Return the title, on one line, and the body that may be read on a lock screen."""
    title, body = shown_texts(message)
    if message.is_sensitive:
        return title, _IN_THE_APP[language_of(message)]
    return " ".join(title.split()), body.strip()


def until_words(message: PushMessage, *, now: datetime) -> str:
    """Return `jusqu’à 11 h 30` or `until 11:30`, with the day where that is not today; "" where no time is given.

    The message's data holds `valid_until`: an instant with the offset of the customer's zone, whose wall clock is what
    is said. A value that is none is passed over: a message without it is still worth reading.
    """
    try:
        at = datetime.fromisoformat(message.data.get("valid_until", ""))
    except ValueError:
        return ""
    if at.tzinfo is None:
        return ""
    language = language_of(message)
    is_today = at.date() == now.astimezone(at.tzinfo).date()
    month = _MONTHS[language][at.month - 1]
    if language == "en":
        return f"until {at:%H:%M}" if is_today else f"until {at:%H:%M} on {at.day} {month}"
    minutes = f" {at:%M}" if at.minute else ""
    clock = f"{at.hour} h{minutes}"
    day = "1er" if at.day == 1 else str(at.day)
    return f"jusqu’à {clock}" if is_today else f"jusqu’au {day} {month} à {clock}"
