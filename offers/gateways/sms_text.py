"""The text of an SMS: what it costs in segments, and an offer cut to fit two of them.

Source: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and 23.040 (concatenation: 7 septets or 3 UCS-2
units of each segment go to its header).
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from .fitting import CannotBuild
from .graphemes import graphemes
from .lock_screen import language_of
from .port import PushMessage
from .wording import shown, until_words

MAX_SEGMENTS = 2
GSM_ALONE, GSM_JOINED = 160, 153  # septets in a lone segment, and in each of several
UCS2_ALONE, UCS2_JOINED = 70, 67  # 16-bit units
CUT = "..."

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # an escape and a septet each
# Typography that means the same in plain characters: one curly apostrophe would more than halve what a segment holds.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\t", " "),
        "…": "...",
        "•": "-",
        "×": "x",
        "œ": "oe",
        "Œ": "OE",
    }
)
_GUILLEMETS = re.compile(r"« ?| ?»")


def is_gsm(text: str) -> bool:
    """Return whether every character is in the GSM 7-bit alphabet or its extension; otherwise UCS-2 is needed."""
    return all(char in _BASIC or char in _EXTENSION for char in text)


def segments(text: str) -> int:
    """Return how many segments the text takes; 1 for an empty one.

    What takes two septets or a surrogate pair is never split over two segments, so a segment may stay one short.

    >>> segments("a" * 160), segments("a" * 161), segments("€" * 80), segments("ê" * 70), segments("ê" * 71)
    (1, 2, 1, 1, 2)
    """
    if is_gsm(text):
        return _count((2 if char in _EXTENSION else 1 for char in text), alone=GSM_ALONE, joined=GSM_JOINED)
    return _count((2 if ord(char) > 0xFFFF else 1 for char in text), alone=UCS2_ALONE, joined=UCS2_JOINED)


def _count(sizes: Iterable[int], *, alone: int, joined: int) -> int:
    used, filled, total = 1, 0, 0
    for size in sizes:
        total += size
        if filled + size > joined:
            used, filled = used + 1, 0
        filled += size
    return 1 if total <= alone else used


def plain(text: str) -> str:
    """Return the text on one line with typographic signs made plain; letters keep their accents."""
    composed = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return " ".join(_GUILLEMETS.sub('"', composed).split())


def stop_mention(*, language: str, stop_number: str) -> str:
    """Return how to opt out, as article L. 34-5 of the French Code des postes asks of every advertisement."""
    if stop_number:
        return f"STOP au {stop_number}" if language == "fr" else f"STOP to {stop_number}"
    return "Répondez STOP pour arrêter" if language == "fr" else "Reply STOP to opt out"


def sms_text(message: PushMessage, *, stop_number: str, now: datetime) -> str:
    """Return title, body, code, end and the STOP mention in at most two segments.

    Title and body are cut between graphemes, ending in three full stops; the rest always stands.
    Raises CannotBuild: PAYLOAD_NOT_UNICODE for lone surrogates, PAYLOAD_TOO_LARGE where the rest alone is too long.
    """
    title, body = shown(message)
    head = plain(f"{title}. {body}" if body and title[-1:] not in (".", "!", "?", ":") else f"{title} {body}")
    code, until = message.data.get("code", ""), until_words(message, now=now)
    facts = ", ".join(part for part in (f"Code {code}" if code else "", until) if part)
    stop = stop_mention(language=language_of(message), stop_number=stop_number)
    tail = plain(f"{facts}. {stop}" if facts else stop)
    try:
        (head + tail).encode()
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error
    return _fitted(head, tail=tail)


def _fitted(head: str, *, tail: str) -> str:
    whole = _joined(head, tail=tail)
    if segments(whole) <= MAX_SEGMENTS:
        return whole
    clusters = graphemes(head)
    low, high = 0, len(clusters)
    # A longer beginning never fits where a shorter one does not: GSM text holds twice what UCS-2 does.
    while low < high:
        middle = (low + high + 1) // 2
        if segments(_cut(clusters[:middle], tail=tail)) <= MAX_SEGMENTS:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        raise CannotBuild("PAYLOAD_TOO_LARGE")
    return _cut(clusters[:low], tail=tail)


def _cut(clusters: list[str], *, tail: str) -> str:
    return f"{''.join(clusters).rstrip()}{CUT} {tail}"


def _joined(head: str, *, tail: str) -> str:
    return f"{head} {tail}" if head[-1:] in (".", "!", "?") else f"{head}. {tail}"
