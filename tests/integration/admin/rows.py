"""Rows of every kind that staff can look at, as many as asked for."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.contrib.gis.geos import Point
from procrastinate.contrib.django.models import ProcrastinateJob
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from customers import models as people
from customers.rules.affinity import brand_key
from offers import models
from offers.rules.response import COLD, model_to_json

POISON = "<img src=x onerror=alert(1)>"
_number = iter(range(1, 10_000_000))


def ref(kind: str) -> str:
    return f"{kind}-{next(_number)}"


def gtin() -> str:
    body = f"{next(_number):012d}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighed % 10}"


def a_customer(*, now: datetime, **changed: Any) -> people.Customer:
    values = {
        "ref": ref("c"),
        "time_zone": "Europe/Paris",
        "granted": ["push"],
        "created_at": now,
        "updated_at": now,
    }
    customer = people.Customer.objects.create(**{**values, **changed})
    people.CustomerRef.objects.create(ref=customer.ref, customer=customer)
    return customer


def a_store(*, now: datetime, **changed: Any) -> models.Store:
    values = {
        "ref": ref("s"),
        "name": "Rue de Rennes",
        "location": Point(2.33, 48.85, srid=4326),
        "radius_m": 60.0,
        "time_zone": "Europe/Paris",
        "updated_at": now,
    }
    return models.Store.objects.create(**{**values, **changed})


def an_aisle(*, now: datetime, **changed: Any) -> models.Aisle:
    store = changed.pop("store", None) or a_store(now=now)
    aisle = models.Aisle.objects.create(store=store, ref=ref("a"), name="Frais", updated_at=now, **changed)
    aisle.categories.add(a_category(now=now))
    models.Beacon.objects.create(aisle=aisle, uuid=uuid4(), major=1, minor=2)
    return aisle


def a_category(*, now: datetime, **changed: Any) -> models.Category:
    parent = models.Category.objects.create(ref=ref("k"), name="Crèmerie")
    return models.Category.objects.create(**{"ref": ref("k"), "name": "Yaourts", "parent": parent, **changed})


def a_product(*, now: datetime, **changed: Any) -> models.Product:
    name = changed.pop("brand_name", ref("Danone"))
    brand, _ = models.Brand.objects.get_or_create(key=brand_key(name), defaults={"name": name})
    values = {
        "gtin": gtin(),
        "name": "Yaourt",
        "brand": brand,
        "category": a_category(now=now),
        "updated_at": now,
    }
    return models.Product.objects.create(**{**values, **changed})


def an_offer(*, now: datetime, units: int | None = 300, **changed: Any) -> models.Offer:
    values: dict[str, Any] = {
        "ref": ref("o"),
        "state": "live",
        "title": {"fr": "20 % sur Nestlé", "en": "20% off Nestlé"},
        "body": {"fr": "Au rayon frais", "en": "In the chilled aisle"},
        "benefit_kind": "percent",
        "benefit_value": 2000,
        "target_brand": "Nestlé",
        "valid_from": now - timedelta(days=1),
        "valid_until": now + timedelta(days=7),
        "published_at": now,
        "updated_at": now,
    }
    offer = models.Offer.objects.create(**{**values, **changed})
    models.Capacity.objects.create(offer=offer, units=units)
    if not offer.all_stores:
        models.OfferStore.objects.create(offer=offer, store=a_store(now=now))
    return offer


def a_coupon(*, now: datetime, **changed: Any) -> models.Coupon:
    code = "".join(secrets.choice("0123456789ABCDEF") for _ in range(16))
    values: dict[str, Any] = {
        "customer": changed.get("customer") or a_customer(now=now),
        "offer": changed.get("offer") or an_offer(now=now),
        "revision": 1,
        "code": code,
        "terms": {"title": "20 % sur Nestlé"},
        "reason": "Vous achetez souvent du Nestlé.",
        "store": changed.get("store") or a_store(now=now),
        "issued_at": now,
        "valid_from": now,
        "valid_until": now + timedelta(hours=1),
    }
    coupon = models.Coupon.objects.create(**{**values, **changed})
    models.CouponCode.objects.create(code=code, customer=coupon.customer, coupon=coupon)
    return coupon


def a_decision(*, now: datetime, **changed: Any) -> models.Decision:
    offer = changed.get("offer") or an_offer(now=now)
    values: dict[str, Any] = {
        "customer": changed.get("customer") or a_customer(now=now),
        "store": a_store(now=now),
        "transition": "enter",
        "outcome": "none",
        "reason": "not_relevant",
        "candidates": [{"offer": offer.ref, "revision": 1, "reason": "not_relevant", "affinity_share": 0.0}],
        "decided_at": now,
    }
    return models.Decision.objects.create(**{**values, **changed})


def an_exposure(*, now: datetime) -> models.Exposure:
    decision = a_decision(now=now)
    return models.Exposure.objects.create(
        customer=decision.customer,
        offer=an_offer(now=now),
        revision=1,
        arm="treated",
        decision=decision,
        store=a_store(now=now),
        store_visit_entered_at=now,
        exposed_at=now,
    )


def a_message(*, now: datetime, **changed: Any) -> models.OutboxMessage:
    coupon = changed.pop("coupon", None) or a_coupon(now=now)
    values = {"created_at": now, "due_at": now, "expires_at": now + timedelta(minutes=15)}
    return models.OutboxMessage.objects.create(
        customer=coupon.customer, coupon=coupon, **{**values, **changed}
    )


def a_receipt(*, now: datetime) -> models.Receipt:
    message = a_message(now=now)
    return models.Receipt.objects.create(
        message=message, customer=message.customer, platform="fcm", attempt=1, outcome="accepted", at=now
    )


def an_event(*, now: datetime) -> models.LocationEvent:
    return models.LocationEvent.objects.create(
        customer=a_customer(now=now),
        event_id=uuid4(),
        digest=b"d" * 32,
        device_id="phone",
        type="enter",
        store=a_store(now=now),
        lat=48.851234,
        lon=2.331234,
        accuracy_m=12.0,
        occurred_at=now,
        received_at=now,
    )


def a_visit(*, now: datetime) -> models.Visit:
    return models.Visit.objects.create(
        customer=a_customer(now=now), store=a_store(now=now), entered_at=now, last_seen_at=now
    )


def a_device(*, now: datetime) -> people.Device:
    address = GCMDevice.objects.create(registration_id=f"secret-address-{next(_number)}")
    return people.Device.objects.create(
        customer=a_customer(now=now),
        device_id=ref("phone"),
        platform="fcm",
        fcm=address,
        registered_at=now,
        last_seen_at=now,
    )


def a_purchase(*, now: datetime) -> people.Purchase:
    customer = a_customer(now=now)
    purchase = people.Purchase.objects.create(
        customer=customer,
        store_ref="s",
        receipt=ref("r"),
        purchased_at=now,
        currency="EUR",
        digest=b"d" * 32,
        received_at=now,
    )
    people.PurchaseLine.objects.create(
        purchase=purchase, customer=customer, position=1, gtin=gtin(), quantity=2, unit_price_minor=149
    )
    return purchase


def an_affinity(*, now: datetime) -> people.Affinity:
    customer = a_customer(now=now)
    people.Profile.objects.create(customer=customer, weight=10.0, purchases=3)
    return people.Affinity.objects.create(
        customer=customer, kind="brand", key="nestle", weight=4.0, purchases=2, last_bought_at=now
    )


def a_consent(*, now: datetime) -> people.Consent:
    return people.Consent.objects.create(
        customer=a_customer(now=now),
        purpose="push",
        granted=True,
        text_version="2026-01",
        source="app",
        recorded_at=now,
    )


def a_key(*, now: datetime) -> people.ApiKey:
    key, _ = people.ApiKey.objects.create_key(name=ref("till"), scopes=["offers:write"])
    return key


def a_token(*, now: datetime) -> people.BearerToken:
    return people.BearerToken.objects.create(
        digest=secrets.token_bytes(32),
        customer=a_customer(now=now),
        device_id="phone",
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def a_feedback(*, now: datetime) -> models.Feedback:
    coupon = a_coupon(now=now)
    return models.Feedback.objects.create(
        customer=coupon.customer, coupon=coupon, kind="useful", given_at=now
    )


def a_next_basket(*, now: datetime, **changed: Any) -> models.NextBasket:
    values: dict[str, Any] = {
        "customer": changed.get("customer") or a_customer(now=now, granted=["push", "profiling"]),
        "gtins": [a_product(now=now, name="Skyr").gtin, "3000000000007"],
        "chances": [0.4321, 0.05],
        "own": [2.5, 0.0],
        "alike": [0.3, 0.02],
        "together": [0.0, 0.4],
        "popular": [0.6, -0.2],
        "computed_at": now,
    }
    return models.NextBasket.objects.create(**{**values, **changed})


def a_response_model(*, now: datetime, **changed: Any) -> models.ResponseModel:
    version = next(_number)
    learned = replace(COLD, version=version)
    values: dict[str, Any] = {
        "version": version,
        "parameters": model_to_json(learned),
        "exposures": 1_234,
        "figures": {"log_loss": 0.21, "log_loss_before": 0.22, "auc": 0.81},
        "trained_at": now,
    }
    return models.ResponseModel.objects.create(**{**values, **changed})


# What makes one row for each page that staff can open, by "app.model".
MAKERS: dict[str, Callable[..., Any]] = {
    "auth.user": lambda *, now: User.objects.create_user(ref("staff")),
    "auth.group": lambda *, now: Group.objects.create(name=ref("group")),
    "customers.affinity": an_affinity,
    "customers.apikey": a_key,
    "customers.bearertoken": a_token,
    "customers.consent": a_consent,
    "customers.customer": lambda *, now: a_device(now=now).customer,
    "customers.device": a_device,
    "customers.profile": lambda *, now: an_affinity(now=now).customer.profile,
    "customers.purchase": a_purchase,
    "offers.aisle": an_aisle,
    "offers.beacon": lambda *, now: an_aisle(now=now).beacons.get(),
    "offers.brand": lambda *, now: a_product(now=now).brand,
    "offers.category": a_category,
    "offers.coupon": a_coupon,
    "offers.couponcode": lambda *, now: a_coupon(now=now).claim,
    "offers.decision": a_decision,
    "offers.exposure": an_exposure,
    "offers.feedback": a_feedback,
    "offers.lane": lambda *, now: models.Lane.objects.create(name=secrets.token_hex(4)),
    "offers.locationevent": an_event,
    "offers.nextbasket": a_next_basket,
    "offers.offer": lambda *, now: an_offer(now=now, all_stores=False),
    "offers.outboxmessage": a_message,
    "offers.presence": lambda *, now: models.Presence.objects.create(
        customer=a_customer(now=now), due_at=now
    ),
    "offers.product": a_product,
    "offers.receipt": a_receipt,
    "offers.responsemodel": a_response_model,
    "offers.store": lambda *, now: an_aisle(now=now).store,
    "offers.visit": a_visit,
    "procrastinate.procrastinatejob": lambda *, now: ProcrastinateJob(pk=0),
    "push_notifications.apnsdevice": lambda *, now: APNSDevice.objects.create(
        registration_id=secrets.token_hex(32)
    ),
    "push_notifications.gcmdevice": lambda *, now: GCMDevice.objects.create(
        registration_id=ref("secret-address")
    ),
    "push_notifications.webpushdevice": lambda *, now: WebPushDevice.objects.create(
        registration_id=f"https://push.example/{ref('secret-address')}", p256dh="k", auth="a"
    ),
}
