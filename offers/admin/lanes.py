"""The lanes of delivery: how each provider stands, and the one step that staff take after a lane was stopped."""

from django.contrib import admin, messages
from django.http import HttpRequest

from customers.admin.base import MachineRowsAdmin, Move, Said
from customers.admin.columns import column
from customers.admin.words import both, say
from offers.models import Lane
from offers.operations.lanes import resume_lane

PROVIDERS = {
    "fcm": both(en="Android (FCM)", fr="Android (FCM)"),
    "apns": both(en="iPhone (APNs)", fr="iPhone (APNs)"),
    "webpush": both(en="Browsers (Web Push)", fr="Navigateurs (Web Push)"),
    "email": both(en="E-mail", fr="E-mail"),
    "sms": both(en="SMS", fr="SMS"),
    "socket": both(en="Apps that are open", fr="Applications ouvertes"),
}


def provider_of(lane: Lane) -> str:
    """Return the lane's provider, in words."""
    return str(PROVIDERS.get(lane.name, lane.name))


def state_of(lane: Lane) -> str:
    """Return how the lane stands, in words."""
    if lane.stopped_at is not None:
        return say(en="Stopped: too many dead addresses", fr="Arrêtée : trop d’adresses mortes")
    if lane.open_until is not None:
        return say(en="Waiting: the provider does not answer", fr="En attente : le fournisseur ne répond pas")
    return say(en="Sending", fr="Envois en cours")


def _deaths(lane: Lane) -> str | None:
    known = len(lane.recent)
    if not known:
        return None
    dead = lane.recent.count("1")
    return say(en=f"{dead} of the last {known}", fr=f"{dead} sur les {known} dernières")


def _resume(request: HttpRequest, lane: Lane) -> Said:
    if resume_lane(lane.name):
        return Said(text=say(en="Messages go out again.", fr="Les messages repartent."))
    return Said(text=say(en="It was not stopped.", fr="Elle n’était pas arrêtée."), level=messages.WARNING)


@admin.register(Lane)
class LaneAdmin(MachineRowsAdmin):
    singular = both(en="provider", fr="fournisseur")
    title = both(en="Providers", fr="Fournisseurs")
    columns = (
        column("name", en="Provider", fr="Fournisseur", read=provider_of),
        column("state", en="State", fr="État", order=False, read=state_of),
        column("recent", en="Dead addresses", fr="Adresses mortes", order=False, read=_deaths),
        column("stopped_at", en="Stopped since", fr="Arrêtée depuis", order=False),
        column("open_until", en="Tried again at", fr="Nouvel essai à", order=False),
        column(
            "cause",
            en="Last answer",
            fr="Dernière réponse",
            order=False,
            read=lambda lane: lane.cause or None,
        ),
    )
    ordering = ("name",)
    moves = (
        Move(
            name="resume",
            label=both(en="Send again", fr="Reprendre les envois"),
            needs="offers.change_lane",
            run=_resume,
            is_possible=lambda lane: lane.stopped_at is not None,
        ),
    )
