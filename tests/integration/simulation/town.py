"""A shop with a beacon at its chilled aisle, an offer, a buyer and a neighbour; and paths through it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from offers.models import Aisle, Beacon, Offer, Store
from tests.integration.decisions.shop import make_aisle, make_buyer, make_customer, make_offer, make_store

BEACONS = UUID("f7826da6-4fa2-4e98-8024-bc5b71e0893e")


def make_town(*, now: datetime, **offer: Any) -> Offer:
    """Make store S1 with the aisle "fresh" and its beacon, a live offer on Danone, the buyer B and the neighbour N."""
    store = make_store(now=now)
    aisle = make_aisle(store=store, now=now)
    Beacon.objects.create(aisle=aisle, uuid=BEACONS, major=1, minor=1)
    make_buyer(now=now, ref="B", has_own_quiet_hours=False)
    make_customer(now=now, ref="N", phones=("another",), has_own_quiet_hours=False)
    return make_offer(now=now, **offer)


def sighting(at: datetime, **changed: Any) -> dict[str, Any]:
    event = {
        "id": str(uuid4()),
        "type": "beacon",
        "beacon": {"uuid": str(BEACONS), "major": 1, "minor": 1, "rssi_dbm": -60},
        "occurred_at": at.isoformat(),
    }
    return {**event, **changed}


def passes_by(at: datetime, *, seconds: tuple[int, ...] = (0, 5, 10, 20)) -> list[dict[str, Any]]:
    return [sighting(at + timedelta(seconds=s)) for s in seconds]


def places() -> tuple[Store, Aisle]:
    return Store.objects.get(ref="S1"), Aisle.objects.get(ref="fresh")


def whole_database() -> dict[str, tuple[int, str]]:
    """Return (rows, checksum) of every table there is, of all schemas but the system's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*), md5(COALESCE(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cursor.fetchone()
    return found
