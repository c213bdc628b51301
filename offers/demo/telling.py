"""The story's words on one screen: at most 100 columns; colour only where the reader is a terminal."""

import textwrap
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

COLUMNS = 100
Tone = Literal["plain", "title", "good", "quiet"]
Write = Callable[[str, Tone], None]


class Teller:
    def __init__(self, *, write: Write) -> None:
        self._write = write
        self._store = ""

    def opening(self, *, run: str, brand: str, store: Mapping[str, Any]) -> None:
        self._store = store["ref"]
        self._write("The story of the yoghurt, told through the HTTP API", "title")
        self._wrapped(
            f"Shop, products and receipts are real. Run {run} made two customers, so that nobody's caps stand in the way, "
            f"and sent them copies of two households' receipts. Both allow everything and have no quiet hours. "
            f"They walk into {store['name']} on a path written for this story, to the aisle where {brand} stands.",
            "quiet",
            first="",
            rest="",
        )

    def person(self, *, role: str, ref: str, household: str, receipts: int, brand: str) -> None:
        self._write(f"  {role:<10} {ref:<23} as {household}: {receipts} receipts, {brand}", "plain")

    def walk_of(self, role: str) -> None:
        self._write("", "plain")
        self._write(f"The {role}'s phone", "title")

    def event(self, kind: str, where: str, *, result: Mapping[str, Any], words: Mapping[str, str]) -> None:
        """Tell one event and what was decided on it."""
        head = f"  {kind:<7} {where:<22} "
        if not result["decisions"]:
            self._write(f"{head}nothing to decide yet", "quiet")
        for decision in result["decisions"]:
            tone: Tone = "good" if decision["outcome"] == "issued" else "plain"
            said = f"{self._step(decision)}: {decision['reason']}. {words.get(decision['reason'], '')}"
            self._wrapped(said, tone, first=head, rest=" " * len(head))
            head = " " * len(head)

    def _step(self, decision: Mapping[str, Any]) -> str:
        place = decision["place"]
        if place is None:
            return "no place"
        other = "" if place["store"] == self._store else "another "
        return f"{decision['transition']} {other}{place['kind']}"

    def coupon(self, coupon: Mapping[str, Any], *, zone: str) -> None:
        until = datetime.fromisoformat(coupon["valid_until"]).astimezone(ZoneInfo(zone))
        self._write("", "plain")
        self._fact(
            "coupon", f"{coupon['code']}, “{coupon['title']}”, until {until:%H:%M} in the shop", "good"
        )

    def push(self, push: Mapping[str, Any], *, phone: str, seconds: float) -> None:
        shown = push.get("notification") or {}
        self._fact("push", f"at the provider {seconds:.1f} s later, for {phone}:", "good")
        self._fact("", f"{shown.get('title', '')}. {shown.get('body', '')}", "good")

    def silence(self) -> None:
        self._fact("silence", "The neighbour has no push and no coupon, and may read why.", "plain")

    def again(self) -> None:
        said = "The same event once more is a duplicate: same answer, one coupon, one push."
        self._fact("again", said, "plain")

    def ways(self) -> None:
        self._write("", "plain")
        self._write("The same receipts and the same aisle, every other way", "title")

    def way(self, role: str, entry: Mapping[str, Any], *, seconds: float) -> None:
        """Tell one entry of a provider's log: what stands on the screen first."""
        said = textwrap.shorten(_shown(entry["message"]), COLUMNS - 30, placeholder="…")
        self._fact(role, f"{seconds:.1f} s later: {said}", "good")

    def closing(self, *, seconds: float) -> None:
        self._write("", "plain")
        self._write(f"One right push and one reasoned silence, in {seconds:.1f} s.", "title")

    def _fact(self, name: str, said: str, tone: Tone) -> None:
        self._wrapped(said, tone, first=f"  {name:<10} ", rest=" " * 13)

    def _wrapped(self, text: str, tone: Tone, *, first: str, rest: str) -> None:
        for line in textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=rest):
            self._write(line, tone)


def _shown(message: Mapping[str, Any]) -> str:
    """Return the title of a push, the subject of a mail, the text of an SMS, whichever provider wrote it down."""
    pushed = message.get("notification") or message.get("payload", {}).get("aps", {}).get("alert") or {}
    return str(pushed.get("title") or message.get("headers", {}).get("Subject") or message.get("text", ""))
