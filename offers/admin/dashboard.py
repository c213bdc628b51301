"""The staff's first page: today in numbers, each for those who may see what it counts."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from customers.admin.words import say
from offers.admin.lanes import provider_of, state_of
from offers.admin.outbox import STATES
from offers.admin.reasons import reason_words
from offers.models import MessageState
from offers.queries import today
from offers.queries.health import closed_lanes

admin.site.index_template = "rayon/today.html"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the page's context with today's numbers, since midnight on the staff's clock; four queries at most."""
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    may = request.user.has_perm
    blocks = []
    if may("offers.view_locationevent"):
        count = today.count_events(since=since)
        lines = [(say(en="from phones", fr="de téléphones"), count)] if count else []
        blocks.append(_block(title=say(en="Events", fr="Événements"), total=count, lines=lines))
    if may("offers.view_decision"):
        reasons = today.count_decisions(since=since)
        lines = [(reason_words(reason), count) for reason, count in reasons.items()]
        total = sum(reasons.values())
        blocks.append(_block(title=say(en="Decisions", fr="Décisions"), total=total, lines=lines))
        if may("offers.view_coupon"):
            issued = reasons.get("issued", 0)
            blocks.append(
                _block(title=say(en="Coupons issued", fr="Coupons distribués"), total=issued, lines=[])
            )
    if may("offers.view_outboxmessage"):
        states = today.count_messages(since=since)
        lines = [(str(STATES[MessageState(state)]), count) for state, count in states.items()]
        total = sum(states.values())
        blocks.append(_block(title=say(en="Messages", fr="Messages"), total=total, lines=lines))
    if may("offers.view_lane"):
        alerts = [(f"{provider_of(lane)}: {state_of(lane)}", "") for lane in closed_lanes()]
        if alerts:
            blocks.insert(0, _block(title=say(en="Alerts", fr="Alertes"), total=len(alerts), lines=alerts))
    return {**context, "title": say(en="Today", fr="Aujourd’hui"), "blocks": blocks}


def _block(*, title: str, total: int, lines: Sequence[tuple[str, int | str]]) -> dict[str, Any]:
    nothing = say(en="Nothing yet today.", fr="Rien encore aujourd’hui.")
    return {"title": title, "total": total, "lines": lines, "nothing": "" if total else nothing}
