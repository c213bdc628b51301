"""Offers for marketers: a row is a sentence, a form is plain, and each step of an offer's life is a button."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils import timezone

from customers.admin.base import Move, Said
from customers.admin.columns import column
from customers.admin.words import both, say
from offers.admin.deals import STOP, DealPages, LastMinuteFilter
from offers.admin.law import law_words
from offers.admin.offer_form import OfferForm
from offers.admin.refusals import sentences_of
from offers.admin.sentences import STATES, audience_words, sentence, title_of, trigger_words
from offers.models import Offer, OfferState, OfferStore
from offers.operations import publishing
from offers.operations.outcomes import Refused, Written
from offers.operations.promotions import remove_offer

CHANGE = "offers.change_offer"
Step = Callable[..., Written[Offer] | Refused]
COLOURS = {"draft": "info", "live": "success", "paused": "warning", "ended": "default"}


def _step(step: Step, offer: Offer, *, done: str) -> Said:
    outcome = step(ref=offer.ref, now=timezone.now())
    if isinstance(outcome, Refused):
        return Said(text=f"{offer.ref}: {sentences_of(outcome)}", level=messages.ERROR)
    return Said(text=f"{offer.ref}: {done}")


def _publish(request: HttpRequest, offer: Offer) -> Said:
    return _step(publishing.publish_offer, offer, done=say(en="it is live now.", fr="elle est en cours."))


def _pause(request: HttpRequest, offer: Offer) -> Said:
    done = say(
        en="paused; coupons that are out stay good.", fr="en pause ; les coupons distribués restent valables."
    )
    return _step(publishing.pause_offer, offer, done=done)


def _resume(request: HttpRequest, offer: Offer) -> Said:
    return _step(publishing.resume_offer, offer, done=say(en="it is live again.", fr="elle reprend."))


def _end(request: HttpRequest, offer: Offer) -> Said:
    done = say(
        en="ended; coupons that are out stay good.", fr="terminée ; les coupons distribués restent valables."
    )
    return _step(publishing.end_offer, offer, done=done)


MOVES = (
    Move(
        name="publish",
        label=both(en="Publish", fr="Publier"),
        needs=CHANGE,
        run=_publish,
        is_possible=lambda offer: offer.state == OfferState.DRAFT,
    ),
    Move(
        name="pause",
        label=both(en="Pause", fr="Mettre en pause"),
        needs=CHANGE,
        run=_pause,
        is_possible=lambda offer: offer.state == OfferState.LIVE,
    ),
    Move(
        name="resume",
        label=both(en="Resume", fr="Reprendre"),
        needs=CHANGE,
        run=_resume,
        is_possible=lambda offer: offer.state == OfferState.PAUSED,
    ),
    Move(
        name="end",
        label=both(en="End for good", fr="Terminer définitivement"),
        needs=CHANGE,
        run=_end,
        is_possible=lambda offer: offer.state in (OfferState.LIVE, OfferState.PAUSED),
        is_grave=True,
    ),
)


def _sentence(offer: Offer) -> str:
    return sentence(offer, now=timezone.now())


def _state(offer: Offer) -> tuple[str, str]:
    return offer.state, str(STATES[OfferState(offer.state)])


STATE = column("state", en="State", fr="État", read=_state)
STATE.label = COLOURS  # type: ignore[attr-defined]  # unfold reads it


@admin.register(Offer)
class OfferAdmin(DealPages):
    singular = both(en="offer", fr="offre")
    title = both(en="Offers", fr="Offres")
    form = OfferForm
    columns = (
        column("ref", en="Offer", fr="Offre", read=_sentence),
        STATE,
        column("title", en="Title", fr="Titre", order=False, read=lambda offer: title_of(offer.title)),
        column("trigger_places", en="Sent", fr="Envoyée", order=False, read=trigger_words),
        column("min_affinity_share", en="For", fr="Pour", order=False, read=audience_words),
        column("priority", en="Priority", fr="Priorité"),
    )
    details = (column("key", en="Key", fr="Clé", read=lambda offer: offer.ref), *columns)
    form_fieldsets = (
        (
            both(en="What the customer reads", fr="Ce que le client lit"),
            {"fields": ("ref", ("title_fr", "title_en"), ("body_fr", "body_en"), "image_url")},
        ),
        (
            both(en="What they get, and on what", fr="Ce qu’il reçoit, et sur quoi"),
            {"fields": (("kind", "value"), ("target_brand", "target_category"), "gtins")},
        ),
        (
            both(en="Where and when", fr="Où et quand"),
            {
                "fields": (
                    "chosen_stores",
                    ("trigger_places", "trigger_on"),
                    "starts",
                    "valid_until",
                    "minutes",
                )
            },
        ),
        (
            both(en="For whom", fr="Pour qui"),
            {"fields": (("audience_share", "recent_days"), "newcomers", ("segment_words", "topic_words"))},
        ),
        (
            both(en="How many", fr="Combien"),
            {"fields": (("units", "budget"), ("times", "times_days"), ("holdout_percent", "rank"))},
        ),
    )
    autocomplete_fields = ("target_category",)
    related = ("capacity", "target_category", "deal_state")
    searches = (("ref__icontains", ""), ("target_brand__icontains", ""), ("title__icontains", ""))
    list_filter = ("state", LastMinuteFilter)
    list_before_template = "rayon/new_deal.html"
    ordering = ("-updated_at", "-id")
    moves = (STOP, *MOVES)
    actions = ("publish", "pause", "resume", "end")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).filter(removed_at__isnull=True)
        return rows.prefetch_related(Prefetch("offer_stores", queryset=OfferStore.objects.order_by("id")))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state != OfferState.ENDED)

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        offer = self.get_object(request, object_id)
        said = {} if offer is None else {"sentence": self._preview(offer)}
        return super().change_view(request, object_id, form_url, {**said, **(extra_context or {})})

    def _preview(self, offer: Offer) -> str:
        state = STATES[OfferState(offer.state)]
        said = f"{state} · {_sentence(offer)} · {trigger_words(offer)}, {audience_words(offer)}."
        return " ".join([said, *law_words(offer, now=timezone.now())])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_offer(ref=obj.ref, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for offer in queryset.order_by("id"):
            remove_offer(ref=offer.ref, now=timezone.now())

    @admin.action(description=both(en="Publish", fr="Publier"), permissions=["move"])
    def publish(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, MOVES[0])

    @admin.action(description=both(en="Pause", fr="Mettre en pause"), permissions=["move"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, MOVES[1])

    @admin.action(description=both(en="Resume", fr="Reprendre"), permissions=["move"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, MOVES[2])

    @admin.action(description=both(en="End for good", fr="Terminer définitivement"), permissions=["move"])
    def end(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, MOVES[3])

    def _each(self, request: HttpRequest, queryset: Any, move: Move) -> None:
        for offer in queryset.order_by("id"):
            said = move.run(request, offer)
            if said.level == messages.SUCCESS:
                self.log_change(request, offer, str(move.label))
            self.message_user(request, said.text, said.level)
