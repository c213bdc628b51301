"""A simulation as a table that one can read, in French or in English."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from offers import legal_texts, texts
from offers.simulation.values import Simulated, SimulatedDecision, WeighedOffer

WORDS: dict[str, dict[str, str]] = {
    "when": {"fr": "quand", "en": "when"},
    "who": {"fr": "qui", "en": "who"},
    "what": {"fr": "quoi", "en": "what"},
    "where": {"fr": "où", "en": "where"},
    "decision": {"fr": "décision", "en": "decision"},
    "enter": {"fr": "arrive", "en": "enters"},
    "dwell": {"fr": "s’arrête", "en": "stays"},
    "exit": {"fr": "part", "en": "leaves"},
    "event": {"fr": "événement", "en": "event"},
    "rejected": {"fr": "refusé", "en": "rejected"},
    "nothing": {
        "fr": "Aucune décision : le chemin ne franchit aucun seuil.",
        "en": "Nothing was decided: the path crosses no threshold.",
    },
    "won": {"fr": "gagne", "en": "wins"},
    "holds": {"fr": "tout convient", "en": "everything holds"},
}


def told(simulated: Simulated, *, language: str, time_zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines: what was rejected, the decisions, and under each its offers with every check that said no."""

    def say(word: str) -> str:
        return WORDS[word][language]

    for event in simulated.events:
        if event.status == "rejected":
            name = event.sent_id or "?"
            yield f"{say('event')} {name} ({event.customer}): {say('rejected')}, {event.error}"
    if not simulated.decisions:
        yield say("nothing")
        return
    rows = [_row(one, language=language, time_zone=time_zone) for one in simulated.decisions]
    header = tuple(say(name) for name in ("when", "who", "what", "where", "decision"))
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    yield _line(header, widths)
    yield "  ".join("─" * width for width in widths)
    for row, decision in zip(rows, simulated.decisions, strict=True):
        yield _line(row, widths)
        yield from (f"    {line}" for line in _offers(decision, language=language))


def _row(one: SimulatedDecision, *, language: str, time_zone: ZoneInfo) -> tuple[str, ...]:
    made, place = one.made, one.made.place
    what = WORDS[made.transition or "event"][language]
    where = "" if place is None else " / ".join(part for part in (place.store_ref, place.aisle_ref) if part)
    decided = made.coupon.offer if made.coupon is not None else made.reason
    mark = "✓" if made.coupon is not None else "–"
    return _clock(one.at, time_zone), one.customer, what, where, f"{mark} {decided}"


def _offers(decision: SimulatedDecision, *, language: str) -> Iterator[str]:
    made = decision.made
    if made.coupon is not None:
        yield f"“{made.coupon.title}”: {made.coupon.reason}"
    elif not decision.candidates:
        yield texts.why_none(reason=made.reason, language=language)
    for candidate in decision.candidates:
        yield _offer(candidate, language=language)


def _offer(candidate: WeighedOffer, *, language: str) -> str:
    refusals = [check for check in candidate.checks if check.reason is not None]
    if candidate.is_winner:
        said = WORDS["won"][language]
    elif not refusals:
        said = WORDS["holds"][language]
    else:
        said = "; ".join(f"{check.name} → {check.reason} ({_numbers(check.numbers)})" for check in refusals)
    rule = candidate.kept.get("rule")
    law = f" [{legal_texts.rule_name(rule, language=language)}]" if rule else ""
    return f"{candidate.kept['offer']}: {candidate.kept['reason']}{law}: {said}"


def _numbers(numbers: Any) -> str:
    return ", ".join(
        f"{name}={_shown(value)}" for name, value in numbers.items() if value not in (None, [], "")
    )


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%MZ}"
    if isinstance(value, dict):
        return "–".join(str(part) for part in value.values())
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _clock(at: datetime, time_zone: ZoneInfo) -> str:
    return f"{at.astimezone(time_zone):%d/%m %H:%M:%S}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
