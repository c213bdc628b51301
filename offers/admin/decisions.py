"""What was decided, with every candidate and its reason in words: one at a time, or all of one customer's on one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both, say
from offers.admin.columns import OFFER
from offers.admin.reasons import TRANSITIONS, candidate_words, reason_words
from offers.admin.sentences import title_of
from offers.models import Decision
from offers.queries.wallet import list_decisions, titles_of

PER_PAGE = 20


def place_words(decision: Decision) -> str:
    """Return where it was; empty where no place came of the event."""
    names = [place.name for place in (decision.store, decision.aisle) if place is not None]
    return " · ".join(names)


def candidate_lines(decision: Decision, *, titles: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every candidate, best first: the offer's title and why it won or lost. titles: by ref."""
    winner = decision.offer.ref if decision.offer is not None and decision.outcome == "issued" else None
    return [
        {
            "title": title_of(titles.get(str(candidate.get("offer")), {})) or candidate.get("offer"),
            "ref": candidate.get("offer"),
            "why": candidate_words(candidate, is_winner=candidate.get("offer") == winner),
            "is_winner": candidate.get("offer") == winner,
        }
        for candidate in decision.candidates
    ]


def decision_cards(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Return the decisions as the page shows them; one query for all the titles."""
    refs = {str(one.get("offer")) for decision in decisions for one in decision.candidates}
    titles = titles_of(sorted(refs))
    return [
        {
            "decision": decision,
            "what": str(TRANSITIONS.get(decision.transition, decision.transition)),
            "where": place_words(decision),
            "reason": reason_words(decision.reason),
            "is_issued": decision.outcome == "issued",
            "candidates": candidate_lines(decision, titles=titles),
        }
        for decision in decisions
    ]


def decisions_page(*, customer_id: int, number: Any) -> tuple[Page[Decision], list[dict[str, Any]]]:
    """Return one page of a customer's decisions, newest first, and its cards; three queries whatever their number."""
    page = Paginator(list_decisions(customer_id=customer_id), PER_PAGE).get_page(number)
    return page, decision_cards(list(page.object_list))


def _place(decision: Decision) -> str | None:
    return place_words(decision) or None


def _reason(decision: Decision) -> str:
    return reason_words(decision.reason)


def _candidates(decision: Decision) -> Any:
    refs = sorted({str(one.get("offer")) for one in decision.candidates})
    lines = candidate_lines(decision, titles=titles_of(refs))
    if not lines:
        return say(en="No offer was looked at.", fr="Aucune offre n’a été examinée.")
    items = format_html_join("", "<li><b>{}</b>: {}</li>", ((line["title"], line["why"]) for line in lines))
    return format_html("<ul>{}</ul>", items)


@admin.register(Decision)
class DecisionAdmin(MachineRowsAdmin):
    singular = both(en="decision", fr="décision")
    title = both(en="Decisions", fr="Décisions")
    columns = (
        column("decided_at", en="When", fr="Quand", order=False),
        OF_CUSTOMER,
        column(
            "transition",
            en="What happened",
            fr="Ce qui s’est passé",
            order=False,
            read=lambda row: TRANSITIONS.get(row.transition, row.transition),
        ),
        column("place", en="Where", fr="Où", read=_place, order=False),
        column("reason", en="What was decided", fr="Décision", read=_reason, order=False),
        OFFER,
    )
    details = (
        *columns,
        column(
            "candidates", en="Every offer that was looked at", fr="Chaque offre examinée", read=_candidates
        ),
    )
    related = ("customer", "store", "aisle", "offer")
    searches = (BY_CUSTOMER,)
    list_filter = ("outcome",)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        decision = self.get_object(request, object_id)
        links = []
        if decision is not None and request.user.has_perm("customers.view_customer"):
            label = say(en="All decisions about this customer", fr="Toutes les décisions sur ce client")
            url = reverse("admin:customers_customer_decisions", args=[decision.customer_id])
            links.append({"label": label, "url": url})
        return super().change_view(request, object_id, form_url, {"links": links, **(extra_context or {})})
