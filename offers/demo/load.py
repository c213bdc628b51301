"""Loading the demo: the same imports and operations that a retailer uses, over the demo's own files."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.conf import settings

from customers.operations import CustomerUpsert, upsert_customers
from offers.demo import files
from offers.demo.offer_values import offer_in
from offers.imports.load import Job, load_categories, load_products, load_purchases, load_stores
from offers.imports.products import ProductWriter
from offers.imports.store_rows import StoreDefaults
from offers.imports.values import Remark, Summary
from offers.models import OfferState, Store
from offers.operations.outcomes import Refused
from offers.operations.places import AisleIn, BeaconIn, put_aisles
from offers.operations.promotions import put_offers
from offers.operations.publishing import publish_offer

STORE_RADIUS_M = 100.0
Step = tuple[str, Callable[[], str]]  # its name, and what does it and tells what was done


class DemoRefused(Exception):
    """Something of the demo's own files was refused: they and the code do not fit together."""


def steps(*, now: datetime, watch: Any) -> Sequence[Step]:
    """Return what loading does, in order; each step may be run again. `watch` draws the progress, as in imports.Job."""
    job = Job(now=now, tell=_tell, watch=watch)
    return (
        ("stores", partial(_stores, job=job)),
        ("categories", partial(_categories, job=job)),
        ("products", partial(_products, job=job)),
        ("aisles", partial(_aisles, now=now)),
        ("customers", partial(_customers, now=now)),
        ("purchases", partial(_purchases, job=job)),
        ("offers", partial(_offers, now=now)),
    )


def _tell(remark: Remark, is_refused: bool) -> None:
    if is_refused:
        raise DemoRefused(f"Line {remark.line}, {remark.key}: {remark.message}")


def _told(summary: Summary) -> str:
    counts = [f"{count:,} {verdict}" for verdict, count in summary.verdicts.items() if count]
    return ", ".join(counts)


def _stores(*, job: Job) -> str:
    defaults = StoreDefaults(radius_m=STORE_RADIUS_M, time_zone=files.TIME_ZONE)
    summary = load_stores(files.STORES, job=job, defaults=defaults, geocoder=None)
    return f"{_told(summary)}; {summary.notes} with hours nobody can read"


def _categories(*, job: Job) -> str:
    return _told(load_categories(files.CATEGORIES, job=job)[0])


def _products(*, job: Job) -> str:
    return _told(load_products(files.PRODUCTS, job=job, writer=ProductWriter(now=job.now)))


def _aisles(*, now: datetime) -> str:
    aisles = sorted(files.read_aisles(), key=itemgetter("store", "ref"))
    count = beacons = 0
    for store_ref, of_store in groupby(aisles, key=itemgetter("store")):
        given = [_aisle_in(aisle) for aisle in of_store]
        store = Store.objects.present().get(ref=store_ref)
        for outcome in put_aisles(store=store, aisles=given, now=now):
            if isinstance(outcome, Refused):
                raise DemoRefused(f"An aisle of {store_ref}: {outcome.wrongs[0].message}")
        count += len(given)
        beacons += sum(len(aisle.beacons) for aisle in given)
    return f"{count} with {beacons} beacons"


def _aisle_in(aisle: files.Aisle) -> AisleIn:
    beacons = [
        BeaconIn(uuid=UUID(beacon["uuid"]), major=beacon["major"], minor=beacon["minor"])
        for beacon in aisle["beacons"]
    ]
    return AisleIn(
        ref=aisle["ref"],
        name=aisle["name"],
        categories=tuple(aisle["categories"]),
        area=None,
        beacons=tuple(beacons),
        dwell_s=aisle["dwell_s"],
    )


def _customers(*, now: datetime) -> str:
    upserts = [
        CustomerUpsert(ref=row["ref"], changes={"language": row["language"], "time_zone": row["time_zone"]})
        for row in files.read_customers()
    ]
    results = upsert_customers(upserts=upserts, now=now)
    return f"{len(results)} households"


def _purchases(*, job: Job) -> str:
    weeks = files.weeks_to_shift(now=job.now)
    summary, _ = load_purchases(files.PURCHASES, job=job, moved=partial(files.shifted, weeks=weeks))
    return f"{summary.read:,} receipts on {summary.lines:,} lines: {_told(summary)}; moved by {weeks} weeks"


def _offers(*, now: datetime) -> str:
    """Put and publish the offers; one that staff have ended or paused since stays as they left it."""
    live = drafts = left = 0
    for offer in files.read_offers(now=now):
        given = offer_in(
            offer,
            holdout_share=settings.RAYON["holdout_share"],
            coupon_minutes=settings.RAYON["coupon_minutes"],
        )
        [outcome] = put_offers(offers=[given], now=now)
        if isinstance(outcome, Refused):
            if outcome.code != "wrong_state":
                raise DemoRefused(f"Offer {offer.ref}: {[wrong.message for wrong in outcome.wrongs]}")
            left += 1
            continue
        state = outcome.row.state
        if offer.publish and state == OfferState.DRAFT:
            published = publish_offer(ref=offer.ref, now=now)
            if isinstance(published, Refused):
                raise DemoRefused(f"Offer {offer.ref}: {[wrong.message for wrong in published.wrongs]}")
            state = published.row.state
        live += state == OfferState.LIVE
        drafts += state == OfferState.DRAFT
        left += state == OfferState.PAUSED
    return f"{live} live, {drafts} draft" + (f", {left} as staff left them" if left else "")
