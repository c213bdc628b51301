"""Messages and what came of each try; dead letters can be sent again, waiting ones dropped."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline

from customers.admin.base import MachineRowsAdmin, Move, Said
from customers.admin.columns import column, linked
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both, say
from offers.admin.columns import OF_COUPON
from offers.admin.lanes import PROVIDERS
from offers.admin.message_life import CHANNELS, OUTCOMES, reason_of, shown_life, words_of
from offers.models import MessageState, OutboxMessage, Receipt
from offers.operations.dropping import drop_messages
from offers.operations.resending import resend_messages

CHANGE = "offers.change_outboxmessage"
DROPPED_BY_STAFF = "staff"
STATES = {
    MessageState.QUEUED: both(en="Waiting", fr="En attente"),
    MessageState.SENDING: both(en="Being sent", fr="En cours d’envoi"),
    MessageState.SENT: both(en="Sent", fr="Envoyé"),
    MessageState.DROPPED: both(en="Dropped", fr="Abandonné"),
    MessageState.DEAD: both(en="Dead letter", fr="En échec"),
}

BY = column("platform", en="By", fr="Par", order=False, read=lambda row: words_of(PROVIDERS, row.platform))
CAME_OF_IT = column(
    "outcome",
    en="What came of it",
    fr="Résultat",
    order=False,
    read=lambda row: words_of(OUTCOMES, row.outcome),
)


def _resend(request: HttpRequest, message: OutboxMessage) -> Said:
    if resend_messages([message.pk], now=timezone.now()):
        return Said(text=say(en="It waits to be sent again.", fr="Il attend d’être renvoyé."))
    return Said(
        text=say(
            en="Too late: the message or its coupon is over. Nothing was sent.",
            fr="Trop tard : le message ou son coupon est échu. Rien n’a été envoyé.",
        ),
        level=messages.WARNING,
    )


def _drop(request: HttpRequest, message: OutboxMessage) -> Said:
    if drop_messages([message.pk], reason=DROPPED_BY_STAFF, now=timezone.now()):
        return Said(
            text=say(en="Dropped; its coupon was given back.", fr="Abandonné ; son coupon est rendu.")
        )
    return Said(text=say(en="It was no longer waiting.", fr="Il n’attendait plus."), level=messages.WARNING)


class TryInline(TabularInline):
    """What came of each try, the first one first: with the lines above, the message's whole life."""

    model = Receipt
    verbose_name_plural = both(en="Tries", fr="Essais d’envoi")
    fields = readonly_fields = (
        column("at", en="When", fr="Quand"),
        BY,
        column("attempt", en="Try", fr="Essai"),
        CAME_OF_IT,
        column("provider_code", en="The provider’s word", fr="Réponse du fournisseur"),
        column("status", en="Status", fr="Statut"),
    )
    ordering = ("id",)
    extra = 0
    per_page = 50
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("offers.view_receipt")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(MachineRowsAdmin):
    singular = both(en="message", fr="message")
    title = both(en="Messages", fr="Messages")
    columns = (
        column("created_at", en="Promised", fr="Promis", order=False),
        OF_CUSTOMER,
        OF_COUPON,
        column("state", en="State", fr="État", order=False, read=lambda row: STATES[MessageState(row.state)]),
        column("reason", en="Why", fr="Pourquoi", order=False, read=reason_of),
        column("channel", en="By", fr="Par", order=False, read=lambda row: words_of(CHANNELS, row.channel)),
        column("attempts", en="Tries", fr="Essais", order=False),
        column("due_at", en="Due", fr="Prévu", order=False),
        column("expires_at", en="Too late from", fr="Trop tard dès", order=False),
    )
    details = (
        column("life", en="Its life", fr="Sa vie", read=shown_life),
        *columns,
        column("lane", en="Lane", fr="File", read=lambda row: PROVIDERS.get(row.lane, row.lane)),
        column("message_id", en="Its id", fr="Son identifiant"),
        column("accepted_at", en="Taken by the provider", fr="Accepté par le fournisseur"),
        column("delivered_at", en="Arrived", fr="Arrivé"),
        column("opened_at", en="Opened", fr="Ouvert"),
        column("returned_at", en="Came back", fr="Revenu"),
        column("finished_at", en="Done", fr="Terminé"),
    )
    related = ("customer", "coupon")
    searches = (BY_CUSTOMER, ("message_id__exact", ""))
    list_filter = ("state", "channel")
    inlines = (TryInline,)
    actions = ("resend", "drop")
    moves = (
        Move(
            name="resend",
            label=both(en="Send again", fr="Renvoyer"),
            needs=CHANGE,
            run=_resend,
            is_possible=lambda message: message.state == MessageState.DEAD,
        ),
        Move(
            name="drop",
            label=both(en="Drop", fr="Abandonner"),
            needs=CHANGE,
            run=_drop,
            is_possible=lambda message: message.state == MessageState.QUEUED,
            is_grave=True,
        ),
    )

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE)

    @admin.action(
        description=both(en="Send dead letters again", fr="Renvoyer ceux en échec"), permissions=["move"]
    )
    def resend(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset.filter(state=MessageState.DEAD).order_by("id"))
        count = resend_messages([row.pk for row in rows], now=timezone.now())
        for row in rows:
            self.log_change(request, row, say(en="Send again", fr="Renvoyer"))
        self.message_user(
            request, say(en=f"{count} messages wait again.", fr=f"{count} messages attendent à nouveau.")
        )

    @admin.action(
        description=both(en="Drop those that wait", fr="Abandonner ceux en attente"), permissions=["move"]
    )
    def drop(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset.filter(state=MessageState.QUEUED).order_by("id"))
        count = drop_messages([row.pk for row in rows], reason=DROPPED_BY_STAFF, now=timezone.now())
        for row in rows:
            self.log_change(request, row, say(en="Dropped", fr="Abandonné"))
        self.message_user(request, say(en=f"{count} messages dropped.", fr=f"{count} messages abandonnés."))


@admin.register(Receipt)
class ReceiptAdmin(MachineRowsAdmin):
    title = both(en="Tries", fr="Essais d’envoi")
    columns = (
        column("at", en="When", fr="Quand", order=False),
        OF_CUSTOMER,
        linked("message", en="Message", fr="Message", needs="offers.view_outboxmessage"),
        BY,
        column("attempt", en="Try", fr="Essai", order=False),
        CAME_OF_IT,
        column("provider_code", en="The provider’s word", fr="Réponse du fournisseur", order=False),
    )
    related = ("customer", "message")
    searches = (BY_CUSTOMER, ("message__message_id__exact", ""))
    list_filter = ("outcome",)
