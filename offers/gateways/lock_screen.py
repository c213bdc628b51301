"""What a locked screen may show of a message."""

from .port import PushMessage

# In place of an offer that would tell a bystander what somebody buys.
_NEUTRAL = {
    "fr": ("Une offre pour vous", "Ouvrez l’application pour la voir."),
    "en": ("An offer for you", "Open the app to see it."),
}


def shown_texts(message: PushMessage) -> tuple[str, str]:
    """Return (title, body) as a lock screen may show them: neutral ones in the message's language if it is sensitive."""
    if not message.is_sensitive:
        return message.title, message.body
    return _NEUTRAL.get(message.language[:2].lower(), _NEUTRAL["fr"])
