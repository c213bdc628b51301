"""Putting and removing offers: a draft until published, a new revision with each change after that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from offers.models import Capacity, Category, Offer, OfferState, OfferStore, Store
from offers.operations.legal import refresh_legal
from offers.operations.outcomes import Refused, Written, Wrong, invalid
from offers.operations.publishing import is_within, reasons_against, set_worth, take_offer
from offers.operations.targets import refresh_targets
from offers.operations.yields import close_deal


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTermsIn:
    """The fields of an offer that are columns, under the columns' names; exactly one target is given."""

    title: Mapping[str, str]
    body: Mapping[str, str]
    image_url: str
    benefit_kind: str
    benefit_value: int  # basis points for percent, else minor units
    currency: str
    target_gtins: tuple[str, ...]
    target_brand: str  # empty: none
    trigger_places: str
    trigger_on: str
    within_m: int | None
    min_affinity_share: float | None
    bought_within_days: int | None
    never_bought: bool
    segments: tuple[str, ...]
    topics: tuple[str, ...]
    answers_needs: bool
    valid_from: datetime
    valid_until: datetime
    minutes_after_issue: int
    per_customer: int | None
    per_customer_per_days: int | None
    deal: Mapping[str, Any] | None
    objective: str
    unit_cost_minor: int | None
    holdout_share: float
    priority: int

    def columns(self) -> dict[str, Any]:
        """Return the columns' values as the database gives them back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value)
            if isinstance(value, tuple)
            else dict(value)
            if isinstance(value, Mapping)
            else value
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferIn:
    ref: str
    terms: OfferTermsIn
    target_category: str | None  # ref
    stores: tuple[str, ...]  # refs; empty: all
    units: int | None
    budget_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    category_id: int | None
    store_ids: frozenset[int]


def put_offers(
    *, offers: Sequence[OfferIn], now: datetime, only_stores: Collection[str] = ()
) -> list[Written[Offer] | Refused]:
    """Write the offers by ref, each in a transaction of its own; one result per offer, same order.

    A draft takes any terms that hold together; a published offer takes only what could be published, and its
    revision rises if anything changed. An ended offer is closed; one that was deleted starts again as a draft.
    Refuses unknown_category, unknown_store, units_below_claimed, budget_below_spent; not_publishable; wrong_state;
    not_found for an offer of other stores than `only_stores` (empty: no such limit).
    """
    return [_put_offer(given=given, now=now, only_stores=only_stores) for given in offers]


def remove_offer(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> bool:
    """Delete a draft that was never published; end and hide any other. False if there is none."""
    with transaction.atomic():
        offer = take_offer(ref=ref, only_stores=only_stores)
        if offer is None:
            return False
        if offer.published_at is None and offer.revision == 1:
            offer.delete()
        else:
            Offer.objects.filter(pk=offer.pk).update(state=OfferState.ENDED, removed_at=now)
            close_deal(offer=offer, now=now)
    return True


def _put_offer(*, given: OfferIn, now: datetime, only_stores: Collection[str]) -> Written[Offer] | Refused:
    resolved = _resolve(given=given, only_stores=only_stores)
    if isinstance(resolved, Refused):
        return resolved
    with transaction.atomic():
        _, is_new = Offer.objects.get_or_create(
            ref=given.ref,
            defaults={"updated_at": now, "target_category_id": resolved.category_id, **given.terms.columns()},
        )
        offer = take_offer(ref=given.ref, removed_too=True)
        if offer is None:  # deleted by somebody else in between
            return Refused(code="not_found")
        outcome = _write(
            offer=offer, given=given, resolved=resolved, is_new=is_new, now=now, only_stores=only_stores
        )
        if isinstance(outcome, Refused):
            transaction.set_rollback(True)
    return outcome


def _write(
    *,
    offer: Offer,
    given: OfferIn,
    resolved: _Resolved,
    is_new: bool,
    now: datetime,
    only_stores: Collection[str],
) -> Written[Offer] | Refused:
    """Write one offer whose row this transaction holds; what is refused is rolled back by the caller."""
    had_stores = frozenset(OfferStore.objects.filter(offer=offer).values_list("store_id", flat=True))
    if not is_new and only_stores and not is_within(offer=offer, only_stores=only_stores):
        return Refused(code="not_found")
    is_again = offer.removed_at is not None
    if offer.state == OfferState.ENDED and not is_again:
        message = "An offer that has ended cannot be changed; put a new one."
        return Refused(code="wrong_state", wrongs=(Wrong(field="", code="wrong_state", message=message),))

    wanted = {**given.terms.columns(), "target_category_id": resolved.category_id}
    wanted["all_stores"] = not resolved.store_ids
    is_same = had_stores == resolved.store_ids and all(
        getattr(offer, name) == value for name, value in wanted.items()
    )
    for name, value in wanted.items():
        setattr(offer, name, value)
    if is_again:
        offer.state, offer.removed_at, offer.published_at = OfferState.DRAFT, None, None
        offer.revision += 1
    elif offer.published_at is not None and not is_same:
        offer.revision += 1
    offer.save()
    if had_stores != resolved.store_ids:
        OfferStore.objects.filter(offer=offer).exclude(store_id__in=resolved.store_ids).delete()
        OfferStore.objects.bulk_create(
            [OfferStore(offer=offer, store_id=pk) for pk in sorted(resolved.store_ids - had_stores)]
        )
    short = _set_capacity(offer=offer, units=given.units, budget_minor=given.budget_minor)
    if short is not None:
        return short
    if offer.published_at is not None:
        reasons = reasons_against(offer=offer, now=now)
        if reasons:
            return Refused(code="not_publishable", wrongs=reasons)
        if not is_same:
            set_worth(offer=offer, now=now)
            refresh_targets([offer.pk])
    refresh_legal([offer.pk], now=now)
    return Written(row=offer, is_new=is_new or is_again)


def _resolve(*, given: OfferIn, only_stores: Collection[str]) -> _Resolved | Refused:
    wrongs = []
    category_id = None
    if given.target_category is not None:
        category_id = Category.objects.filter(ref=given.target_category).values_list("id", flat=True).first()
        if category_id is None:
            message = "There is no such category."
            wrongs.append(Wrong(field="target.category", code="unknown_category", message=message))
    known = dict(Store.objects.present().filter(ref__in=given.stores).values_list("ref", "id"))
    for i, ref in enumerate(given.stores):
        if ref not in known or (only_stores and ref not in only_stores):
            wrongs.append(Wrong(field=f"stores.{i}", code="unknown_store", message="There is no such store."))
    if only_stores and not given.stores:
        message = "This key is limited to stores: name those that the offer is for."
        wrongs.append(Wrong(field="stores", code="required", message=message))
    if wrongs:
        return Refused(code="invalid", wrongs=tuple(wrongs))
    return _Resolved(category_id=category_id, store_ids=frozenset(known.values()))


def _set_capacity(*, offer: Offer, units: int | None, budget_minor: int | None) -> Refused | None:
    """Set the limits in one statement that fails where more was given out already; what stays is not locked."""
    Capacity.objects.bulk_create(
        [Capacity(offer=offer, units=units, budget_minor=budget_minor)], ignore_conflicts=True
    )
    if Capacity.objects.filter(offer=offer, units=units, budget_minor=budget_minor).exists():
        return None
    fits = Q(offer=offer)
    if units is not None:
        fits &= Q(claimed__lte=units)
    if budget_minor is not None:
        fits &= Q(spent_minor__lte=budget_minor)
    if Capacity.objects.filter(fits).update(units=units, budget_minor=budget_minor):
        return None
    if units is not None and Capacity.objects.filter(offer=offer, claimed__gt=units).exists():
        message = "More units than that have been given out."
        return invalid(field="limits.units", code="units_below_claimed", message=message)
    message = "More than that has been spent."
    return invalid(field="limits.budget_minor", code="budget_below_spent", message=message)
