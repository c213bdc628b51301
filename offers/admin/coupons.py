"""Coupons, their codes (masked), exposures and what customers said: to be read; a coupon can be revoked."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from customers.admin.base import MachineRowsAdmin, Move, Said
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both, say
from offers.admin.columns import AISLE, OF_COUPON, OFFER, STORE
from offers.models import Arm, Coupon, CouponCode, CouponState, Exposure, Feedback, FeedbackKind
from offers.operations.revoking import revoke_coupons
from offers.queries.wallet import state_of
from offers.rules.coupon_codes import normalise

STATES = {
    CouponState.ISSUED: both(en="Issued", fr="Distribué"),
    CouponState.RESERVED: both(en="Reserved at a till", fr="Réservé en caisse"),
    CouponState.REDEEMED: both(en="Redeemed", fr="Utilisé"),
    CouponState.EXPIRED: both(en="Expired", fr="Expiré"),
    CouponState.REVOKED: both(en="Revoked", fr="Révoqué"),
}
ARMS = {Arm.TREATED: both(en="Sent", fr="Envoyée"), Arm.HOLDOUT: both(en="Held out", fr="Mise à part")}
KINDS = {
    FeedbackKind.DELIVERED: both(en="Arrived", fr="Arrivé"),
    FeedbackKind.OPENED: both(en="Opened", fr="Ouvert"),
    FeedbackKind.DISMISSED: both(en="Dismissed", fr="Écarté"),
    FeedbackKind.USEFUL: both(en="Useful", fr="Utile"),
    FeedbackKind.NOT_INTERESTED: both(en="Not interested", fr="Pas intéressé"),
    FeedbackKind.COMPLAINT: both(en="Complaint", fr="Réclamation"),
}
REVOKED_BY_STAFF = "staff"
OPEN = (CouponState.ISSUED, CouponState.RESERVED)


def masked(code: str) -> str:
    """Return a code by its end alone: who reads this page must not be able to redeem it."""
    return f"····-{code[-4:]}"


def _state(coupon: Coupon) -> str:
    return str(STATES[CouponState(state_of(coupon, now=timezone.now()))])


def _title(coupon: Coupon) -> str | None:
    return coupon.terms.get("title") or None


def _revoke(request: HttpRequest, coupon: Coupon) -> Said:
    if revoke_coupons([coupon.pk], reason=REVOKED_BY_STAFF, now=timezone.now()):
        return Said(
            text=say(en="Revoked; its unit can be given again.", fr="Révoqué ; il peut être redistribué.")
        )
    return Said(
        text=say(
            en="It was not open any more: nothing changed.", fr="Il n’était plus valable : rien n’a changé."
        ),
        level=messages.WARNING,
    )


@admin.register(Coupon)
class CouponAdmin(MachineRowsAdmin):
    singular = both(en="coupon", fr="coupon")
    title = both(en="Coupons", fr="Coupons")
    columns = (
        column("code", en="Code", fr="Code", read=lambda row: masked(row.code), order=False),
        column("terms", en="What it gives", fr="Ce qu’il donne", read=_title, order=False),
        OF_CUSTOMER,
        column("state", en="State", fr="État", read=_state, order=False),
        STORE,
        AISLE,
        column("issued_at", en="Issued", fr="Distribué", order=False),
        column("valid_until", en="Good until", fr="Valable jusqu’à", order=False),
    )
    details = (
        *columns,
        column("reason", en="Why this customer", fr="Pourquoi ce client"),
        column("offer_ref", en="Offer", fr="Offre", read=lambda row: row.offer.ref),
        column("revision", en="Revision of the offer", fr="Révision de l’offre"),
        column("opened_at", en="Opened", fr="Ouvert"),
        column(
            "revoked_reason", en="Revoked for", fr="Révoqué pour", read=lambda row: row.revoked_reason or None
        ),
    )
    related = ("customer", "store", "aisle", "offer")
    searches = (BY_CUSTOMER, ("offer__ref__exact", ""), ("store__ref__exact", ""))
    list_filter = ("state",)
    actions = ("revoke",)
    moves = (
        Move(
            name="revoke",
            label=both(en="Revoke this coupon", fr="Révoquer ce coupon"),
            needs="offers.change_coupon",
            run=_revoke,
            is_possible=lambda coupon: coupon.state in OPEN,
            is_grave=True,
        ),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A whole code, as a customer reads it out at the till, finds its coupon."""
        code = normalise(search_term)
        if code is not None:
            return queryset.filter(claim__code=code), False
        return super().get_search_results(request, queryset, search_term)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("offers.change_coupon")

    @admin.action(
        description=both(en="Revoke these coupons", fr="Révoquer ces coupons"), permissions=["revoke"]
    )
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        coupons = list(queryset.filter(state__in=OPEN).order_by("id"))
        count = revoke_coupons([row.pk for row in coupons], reason=REVOKED_BY_STAFF, now=timezone.now())
        for coupon in coupons:
            self.log_change(request, coupon, say(en="Revoked", fr="Révoqué"))
        self.message_user(request, say(en=f"{count} coupons revoked.", fr=f"{count} coupons révoqués."))


@admin.register(CouponCode)
class CouponCodeAdmin(MachineRowsAdmin):
    title = both(en="Codes", fr="Codes")
    columns = (
        column("code", en="Code", fr="Code", read=lambda row: masked(row.code), order=False),
        OF_CUSTOMER,
        OF_COUPON,
    )
    related = ("customer", "coupon")
    searches = (BY_CUSTOMER,)


@admin.register(Exposure)
class ExposureAdmin(MachineRowsAdmin):
    title = both(en="Exposures", fr="Expositions")
    columns = (
        column("exposed_at", en="When", fr="Quand", order=False),
        OF_CUSTOMER,
        OFFER,
        column("arm", en="Arm", fr="Groupe", order=False, read=lambda row: ARMS[Arm(row.arm)]),
        STORE,
        column("voided_at", en="Given back", fr="Annulée", order=False),
    )
    related = ("customer", "offer", "store")
    searches = (BY_CUSTOMER, ("offer__ref__exact", ""))
    list_filter = ("arm",)


@admin.register(Feedback)
class FeedbackAdmin(MachineRowsAdmin):
    title = both(en="What customers said", fr="Avis des clients")
    columns = (
        column("given_at", en="When", fr="Quand", order=False),
        OF_CUSTOMER,
        OF_COUPON,
        column("kind", en="What", fr="Quoi", order=False, read=lambda row: KINDS[FeedbackKind(row.kind)]),
        column(
            "note", en="In their words", fr="Avec leurs mots", order=False, read=lambda row: row.note or None
        ),
    )
    related = ("customer", "coupon")
    searches = (BY_CUSTOMER,)
    list_filter = ("kind",)
