"""What a last-minute deal does now and is expected to come to, in a marketer's words: before it is published, and live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from customers.admin.columns import said_at
from customers.admin.money import money
from customers.admin.words import say
from offers.admin.ladder_svg import Ladder, clock_words, depth_words, ladder_svg
from offers.models import DealState, Offer
from offers.operations.yields.facts import instant
from offers.operations.yields.judging import Judged
from offers.queries.deals import Counts
from offers.rules.yields.learning import learned_sentence
from offers.rules.yields.stopping import SENTENCES, StopReason
from offers.texts import in_language

FEW = 1.0  # minor units of margin a day's guess may be off by: less is no gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The numbers of a panel, from a review that was written or from one that was only made."""

    terms: Mapping[str, Any]  # Offer.deal
    currency: str
    units_left: int
    depth_bp: int
    send_now: int
    protected_units: int
    expected_sold: float
    expected_left: float
    left_band: tuple[int, int]
    margin_minor: float
    margin_doing_nothing_minor: float
    steps: list[tuple[datetime, int]]
    stop: str  # StopReason, or empty
    is_live: bool
    units_per_hour: float | None  # learned; None: the marketer's stands
    elasticity: float | None


def shown_of(judged: Judged, *, currency: str) -> Shown:
    """Return what a deal that is not published would do."""
    plan = judged.plan
    return Shown(
        terms=judged.facts.deal,
        currency=currency,
        units_left=judged.facts.free_units,
        depth_bp=judged.depth_bp,
        send_now=judged.wave.left,
        protected_units=judged.protected_units,
        expected_sold=plan.expected_sold,
        expected_left=plan.expected_left,
        left_band=plan.left_band,
        margin_minor=plan.expected_margin_minor,
        margin_doing_nothing_minor=plan.margin_doing_nothing_minor,
        steps=list(judged.ladder),
        stop=judged.stop or "",
        is_live=False,
        units_per_hour=judged.facts.units_per_hour,
        elasticity=judged.facts.elasticity,
    )


def shown_now(offer: Offer, state: DealState) -> Shown:
    """Return what a published deal does, as it was last reviewed; units and messages are counted now."""
    capacity = offer.capacity
    left = max(0, (capacity.units or 0) - capacity.claimed)
    return Shown(
        terms=offer.deal or {},
        currency=offer.currency,
        units_left=left,
        depth_bp=state.depth_bp,
        send_now=min(left, capacity.wave_left or 0),
        protected_units=state.protected_units,
        expected_sold=state.expected_sold,
        expected_left=state.expected_left,
        left_band=(state.left_low, state.left_high),
        margin_minor=state.expected_margin_minor,
        margin_doing_nothing_minor=state.margin_doing_nothing_minor,
        steps=[(instant(step["at"]), step["depth_bp"]) for step in state.ladder],
        stop=state.stop_reason,
        is_live=True,
        units_per_hour=state.units_per_hour,
        elasticity=state.elasticity,
    )


def panel(
    shown: Shown, *, counts: Counts | None = None, reviewed_at: datetime | None = None
) -> dict[str, Any]:
    """Return the context of rayon/deal_panel.html. counts: of a published deal's coupons."""
    is_over = shown.stop in (StopReason.BY_STAFF, StopReason.OVER)  # nothing is expected of it any more
    ends_at = instant(shown.terms["deadline"])
    ladder = Ladder(
        steps=shown.steps,
        ends_at=ends_at,
        regular_price_minor=shown.terms["regular_price_minor"],
        currency=shown.currency,
    )
    return {
        "headline": _headline(shown),
        "is_stopped": bool(shown.stop),
        "facts": [*_counted(shown, counts), *([] if is_over else _expected(shown))],
        "drawing": ladder_svg(ladder),
        "ladder": []
        if is_over
        else [
            {"at": clock_words(at, start=shown.steps[0][0]), "depth": depth_words(depth)}
            for at, depth in shown.steps
        ],
        "assumption": "" if is_over else _assumption(shown),
        "reviewed": _reviewed(reviewed_at),
    }


def _headline(shown: Shown) -> str:
    if shown.stop:
        sentence = in_language(SENTENCES[StopReason(shown.stop)], language=say(en="en", fr="fr"))
        return say(en=f"Nobody is told now. {sentence}", fr=f"Personne n’est prévenu. {sentence}")
    if shown.depth_bp == 0:
        return say(
            en="Nobody is told now: at the normal price it earns the most.",
            fr="Personne n’est prévenu : c’est au prix normal que cela rapporte le plus.",
        )
    price = shown.terms["regular_price_minor"] * (10_000 - shown.depth_bp) / 10_000
    said = money(minor=round(price), currency=shown.currency)
    depth = depth_words(shown.depth_bp)
    return say(en=f"Now {depth}: {said}", fr=f"Maintenant {depth} : {said}")


def _counted(shown: Shown, counts: Counts | None) -> list[tuple[str, str]]:
    told = say(en="May be told now", fr="À prévenir maintenant")
    first = say(en="Told in the first wave", fr="Prévenus dans la première vague")
    lines = [(told if shown.is_live else first, _customers(shown.send_now))]
    if counts is not None:
        lines = [
            (say(en="Left", fr="Restent"), str(shown.units_left)),
            (say(en="Held by coupons", fr="Retenus par des coupons"), str(counts.held)),
            (say(en="Redeemed", fr="Utilisés"), str(counts.redeemed)),
            *lines,
        ]
    return lines


def _expected(shown: Shown) -> list[tuple[str, str]]:
    low, high = shown.left_band
    left = f"{shown.expected_left:.0f}"
    money_of = lambda minor: money(minor=round(minor), currency=shown.currency)  # noqa: E731
    gain = shown.margin_minor - shown.margin_doing_nothing_minor
    lines = [
        (
            say(en="Expected to sell", fr="Ventes attendues"),
            say(
                en=f"{shown.expected_sold:.0f} of {shown.units_left}",
                fr=f"{shown.expected_sold:.0f} sur {shown.units_left}",
            ),
        ),
        (
            say(en="Expected to stay", fr="Restes attendus"),
            say(en=f"{left} (likely {low} to {high})", fr=f"{left} (sans doute {low} à {high})"),
        ),
        (say(en="Expected margin", fr="Marge attendue"), money_of(shown.margin_minor)),
        (
            say(en="More than by doing nothing", fr="De plus que sans rien faire"),
            money_of(gain if gain >= FEW else 0),
        ),
    ]
    if shown.protected_units and shown.depth_bp:
        kept = shown.protected_units
        lines.append(
            (
                say(en="Kept for the normal price", fr="Gardés pour le prix normal"),
                say(en=f"{kept} of {shown.units_left}", fr=f"{kept} sur {shown.units_left}"),
            )
        )
    return lines


def _customers(count: int) -> str:
    if count == 0:
        return say(en="nobody", fr="personne")
    if count == 1:
        return say(en="1 customer", fr="1 client")
    return say(en=f"{count} customers at most", fr=f"{count} clients au plus")


def _assumption(shown: Shown) -> str:
    """Return what the figures rest on, and what sales have changed of it."""
    usual, learned = shown.terms["expected_units_per_hour"], shown.units_per_hour
    rate = f"{usual if learned is None else learned:.3g}"
    sentences = [
        say(
            en=f"Reckoned with {rate} sold an hour at the normal price.",
            fr=f"Calculé avec {rate.replace('.', ',')} ventes par heure au prix normal.",
        )
    ]
    moved = None if learned is None else learned_sentence(usual_per_hour=usual, per_hour=learned)
    if moved is not None:
        sentences = [in_language(moved, language=say(en="en", fr="fr"))]
    if shown.elasticity is not None:
        is_less = shown.elasticity < shown.terms["elasticity"]
        sentences.append(
            say(
                en=f"In earlier deals of its category a discount sold {'less' if is_less else 'more'} than entered here.",
                fr="Dans les offres passées de sa catégorie, une remise faisait vendre "
                f"{'moins' if is_less else 'plus'} qu’indiqué ici.",
            )
        )
    return " ".join(sentences)


def _reviewed(at: datetime | None) -> str:
    if at is None:
        return ""
    minutes = int((timezone.now() - at).total_seconds() // 60)
    if minutes < 1:
        return say(en="Reviewed just now.", fr="Réexaminée à l’instant.")
    if minutes < 60:
        return say(en=f"Reviewed {minutes} min ago.", fr=f"Réexaminée il y a {minutes} min.")
    return say(en=f"Reviewed on {said_at(at)}.", fr=f"Réexaminée le {said_at(at)}.")
