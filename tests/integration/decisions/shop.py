"""A small shop to decide in: a store, its chilled aisle, yoghurts, offers, and customers with phones."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from push_notifications.models import GCMDevice

from customers.models import Affinity, AffinityKind, Customer, Device, Platform, Profile
from customers.rules.affinity import brand_key
from offers.flow import DecisionMade, Place, Trigger
from offers.models import Aisle, Brand, Capacity, Category, Offer, OfferState, Product, Store
from offers.operations.targets import refresh_targets
from offers.stages.candidates import find
from offers.stages.decide import choose
from offers.stages.facts import gather_facts
from offers.stages.issue import issue
from offers.stages.learned import gather_learned

YOGHURT = "3033490004521"
ALL_PURPOSES = ["push", "geolocation", "profiling"]


def make_category(*, ref: str, parent: Category | None = None) -> Category:
    return Category.objects.create(ref=ref, name=ref.capitalize(), parent=parent)


def make_product(*, gtin: str, brand: str, category: Category | None, now: datetime) -> Product:
    made, _ = Brand.objects.get_or_create(key=brand_key(brand), defaults={"name": brand})
    return Product.objects.create(
        gtin=gtin, name=f"{brand} {gtin}", brand=made, category=category, updated_at=now
    )


def make_store(*, now: datetime, **changed: Any) -> Store:
    values = {
        "ref": "S1",
        "name": "Rue de Rennes",
        "location": Point(2.33, 48.85, srid=4326),
        "radius_m": 60.0,
        "time_zone": "Europe/Paris",
        "updated_at": now,
    }
    return Store.objects.create(**{**values, **changed})


def make_aisle(
    *, store: Store, now: datetime, ref: str = "fresh", categories: Sequence[Category] = ()
) -> Aisle:
    aisle = Aisle.objects.create(store=store, ref=ref, name=ref, updated_at=now)
    aisle.categories.set(categories)
    return aisle


def make_offer(
    *, now: datetime, units: int | None = None, budget_minor: int | None = None, **changed: Any
) -> Offer:
    """Make a live offer on the brand Danone for every store's aisles, unless told otherwise."""
    values: dict[str, Any] = {
        "ref": "yoghurt-20",
        "state": OfferState.LIVE,
        "title": {"fr": "20 % sur Danone", "en": "20% off Danone"},
        "body": {"fr": "Au rayon frais", "en": "In the chilled aisle"},
        "benefit_kind": "percent",
        "benefit_value": 2000,
        "valid_from": now - timedelta(days=1),
        "valid_until": now + timedelta(days=7),
        "holdout_share": 0.0,
        "published_at": now,
        "updated_at": now,
    }
    if not {"target_gtins", "target_category"} & changed.keys():
        values["target_brand"] = "Danone"
    offer = Offer.objects.create(**{**values, **changed})
    Capacity.objects.create(offer=offer, units=units, budget_minor=budget_minor)
    refresh_targets([offer.pk])
    return offer


def make_customer(
    *, now: datetime, ref: str = "C1", phones: Sequence[str] = ("phone",), **changed: Any
) -> Customer:
    """Make an adult in Paris who allows everything and wants no quiet hours."""
    values: dict[str, Any] = {
        "ref": ref,
        "time_zone": "Europe/Paris",
        "granted": ALL_PURPOSES,
        "has_own_quiet_hours": True,
        "created_at": now,
        "updated_at": now,
    }
    customer = Customer.objects.create(**{**values, **changed})
    for age, device_id in enumerate(phones):
        make_phone(customer=customer, device_id=device_id, seen_at=now - timedelta(hours=age), now=now)
    return customer


def make_phone(*, customer: Customer, device_id: str, seen_at: datetime, now: datetime) -> Device:
    address = GCMDevice.objects.create(registration_id=f"address of {customer.ref} {device_id}")
    return Device.objects.create(
        customer=customer,
        device_id=device_id,
        platform=Platform.FCM,
        fcm=address,
        registered_at=now,
        last_seen_at=seen_at,
    )


def make_buyer(*, now: datetime, brand: str = "Danone", share: float = 0.4, **customer: Any) -> Customer:
    """Make a customer who spends this share on the brand; the last time ten days ago."""
    made = make_customer(now=now, **customer)
    remember(customer=made, kind=AffinityKind.BRAND, key=brand_key(brand), share=share, now=now)
    return made


def remember(
    *, customer: Customer, kind: str, key: str, share: float, now: datetime, days_ago: int = 10
) -> None:
    Profile.objects.get_or_create(customer=customer, defaults={"weight": 1000.0, "purchases": 10})
    Affinity.objects.create(
        customer=customer,
        kind=kind,
        key=key,
        weight=1000.0 * share,
        purchases=1,
        last_bought_at=now - timedelta(days=days_ago),
    )


def trigger_of(
    customer: Customer, *, store: Store, aisle: Aisle | None = None, now: datetime, **changed: Any
) -> Trigger:
    place = Place(
        store_id=store.pk,
        store_ref=store.ref,
        aisle_id=aisle.pk if aisle else None,
        aisle_ref=aisle.ref if aisle else None,
    )
    values: dict[str, Any] = {
        "customer_id": customer.pk,
        "device_id": "phone",
        "event_row_id": None,
        "event_id": str(uuid4()),
        "transition": "enter",
        "place": place,
        "visit_id": None,
        "store_visit_entered_at": now - timedelta(minutes=5),
        "occurred_at": now,
    }
    return Trigger(**{**values, **changed})


def run(
    triggers: Sequence[Trigger], *, now: datetime, before_issuing: Callable[[], object] = bool
) -> list[DecisionMade]:
    """Take triggers through the stages, as the pipeline does."""
    with transaction.atomic():
        candidates, terms = find(triggers, now=now)
        facts = gather_facts({trigger.customer_id for trigger in triggers}, now=now, params=settings.RAYON)
        learned = gather_learned(triggers, candidates, terms, facts)
        choices = choose(triggers, candidates, terms, facts, now=now, params=settings.RAYON, learned=learned)
        before_issuing()
        return issue(
            triggers, choices, terms, facts, now=now, params=settings.RAYON, random_bytes=secrets.token_bytes
        )
