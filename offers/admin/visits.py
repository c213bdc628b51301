"""Phones' events and the visits that follow from them: without coordinates, which are nobody's to look at."""

from typing import Any

from django.contrib import admin

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both, say
from offers.admin.columns import AISLE, STORE
from offers.admin.reasons import reason_words
from offers.models import LocationEvent, Presence, Visit


def _position(event: LocationEvent) -> str:
    if event.accuracy_m is None:
        return say(en="none kept", fr="aucune conservée")
    return say(en=f"known within {event.accuracy_m:.0f} m", fr=f"connue à {event.accuracy_m:.0f} m près")


def _verdict(event: LocationEvent) -> str:
    return reason_words(event.verdict) if event.verdict else say(en="acted on", fr="pris en compte")


@admin.register(LocationEvent)
class LocationEventAdmin(MachineRowsAdmin):
    title = both(en="Events", fr="Événements")
    columns = (
        column("received_at", en="Received", fr="Reçu", order=False),
        column("occurred_at", en="Happened", fr="Survenu", order=False),
        OF_CUSTOMER,
        column("type", en="Kind", fr="Type", order=False),
        STORE,
        AISLE,
        column("accuracy_m", en="Position", fr="Position", read=_position, order=False),
        column("verdict", en="What came of it", fr="Suite donnée", read=_verdict, order=False),
    )
    details = (
        *columns,
        column("event_id", en="Its id", fr="Son identifiant"),
        column("device_id", en="Device", fr="Appareil"),
        column("rssi_dbm", en="Signal in dBm", fr="Signal en dBm"),
        "is_mock",
    )
    related = ("customer", "store", "aisle")
    searches = (BY_CUSTOMER,)
    list_filter = ("type",)


@admin.register(Visit)
class VisitAdmin(MachineRowsAdmin):
    title = both(en="Visits", fr="Visites")
    columns = (
        OF_CUSTOMER,
        STORE,
        AISLE,
        column("entered_at", en="Arrived", fr="Arrivée", order=False),
        column("dwelled_at", en="Stayed", fr="Arrêt", order=False),
        column("last_seen_at", en="Last seen", fr="Vu la dernière fois", order=False),
        column("exited_at", en="Left", fr="Départ", order=False),
    )
    related = ("customer", "store", "aisle")
    searches = (BY_CUSTOMER,)


def _waits(presence: Any) -> str | None:
    return None if presence.due_at else say(en="nothing to wait for", fr="rien à attendre")


@admin.register(Presence)
class PresenceAdmin(MachineRowsAdmin):
    """The state itself holds positions and stays out."""

    title = both(en="Where the service follows customers", fr="Suivi en cours")
    columns = (
        OF_CUSTOMER,
        column("last_event_at", en="Last event", fr="Dernier événement", order=False),
        column(
            "due_at",
            en="Looks again",
            fr="Prochain regard",
            order=False,
            read=lambda row: row.due_at or _waits(row),
        ),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER,)
