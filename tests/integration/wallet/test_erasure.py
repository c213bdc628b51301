"""Erasure reaches all that is held on a person, and nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from customers.models import BearerToken, Customer, CustomerRef, Purchase
from offers.models import (
    Capacity,
    Coupon,
    Decision,
    Exposure,
    Feedback,
    LocationEvent,
    OutboxMessage,
    Presence,
    Visit,
)
from tests.integration.backoffice.office import Office, codes
from tests.integration.wallet.conftest import make_coupon


def leave_traces(office: Office, phone: Office, *, ref: str) -> Coupon:
    coupon = make_coupon(office, customer=ref, minutes=120)
    customer = coupon.customer
    now = datetime.now(UTC)
    phone.post(f"coupons/{coupon.code}/feedback", {"kind": "delivered"})
    event = LocationEvent.objects.create(
        customer=customer,
        event_id=uuid4(),
        digest=b"x",
        device_id="phone",
        type="fix",
        lat=48.8,
        lon=2.3,
        occurred_at=now,
        received_at=now,
    )
    Visit.objects.create(customer=customer, store=coupon.store, entered_at=now, last_seen_at=now)
    Presence.objects.create(customer=customer, state={"a": 1})
    Decision.objects.filter(customer=customer).update(event=event, event_uid=event.event_id)
    Decision.objects.create(customer=customer, outcome="none", reason="stale", event=event, decided_at=now)
    receipt = {
        "receipt": f"R-{ref}",
        "store": "S1",
        "customer": ref,
        "purchased_at": "2026-06-16T18:00:00Z",
        "currency": "EUR",
        "lines": [{"gtin": "3033490004521", "quantity": 1, "unit_price_minor": 249}],
    }
    assert office.post("purchases", {"purchases": [receipt]})[1]["results"][0]["status"] == "accepted"
    return coupon


@pytest.mark.parametrize("by", ["phone", "office"])
def test_nothing_personal_is_left_and_the_neighbour_keeps_everything(
    office: Office, sign_in: Callable[..., Office], by: str
) -> None:
    phone, other = sign_in("C1", email="a@example.com", birth_year=1980), sign_in("C2")
    coupon = leave_traces(office, phone, ref="C1")
    kept = leave_traces(office, other, ref="C2")
    Capacity.objects.update(claimed=2)
    status, answer = phone.delete("me") if by == "phone" else office.delete("customers/C1")
    assert (status, set(answer)) == (202, {"erased_at"})

    for model in (LocationEvent, Visit, Presence, Feedback, Purchase, BearerToken, CustomerRef):
        assert list(model.objects.values_list("customer_id", flat=True)) == [kept.customer_id], model
    gone = Customer.objects.get(pk=coupon.customer_id)
    assert (gone.email, gone.birth_year, gone.granted) == ("", None, [])
    assert gone.ref != "C1"
    assert gone.erased_at is not None
    coupon.refresh_from_db()
    assert (coupon.state, coupon.reason) == ("revoked", "")
    assert OutboxMessage.objects.get(coupon=coupon).state == "dropped"
    assert Capacity.objects.get().claimed == 1
    decision = Decision.objects.get(customer=gone)
    assert (decision.event_id, decision.event_uid, decision.candidates) == (None, None, [])
    assert Exposure.objects.get(customer=gone).decision_id == decision.pk

    assert OutboxMessage.objects.get(coupon=kept).state == "queued"
    assert Decision.objects.filter(customer_id=kept.customer_id).count() == 2
    assert codes(phone.get("me")) == (401, "invalid_credentials", [])
    assert codes(office.get("customers/C1")) == (404, "not_found", [])
    assert codes(office.delete("customers/C1")) == (404, "not_found", [])
    assert other.get("me")[0] == 200


def test_a_redeemed_coupon_keeps_its_state_under_the_pseudonym(
    office: Office, sign_in: Callable[..., Office]
) -> None:
    phone = sign_in()
    coupon = make_coupon(office, customer="C1", state="redeemed")
    assert phone.delete("me")[0] == 202
    coupon.refresh_from_db()
    assert (coupon.state, coupon.reason) == ("redeemed", "")
    assert Capacity.objects.get().claimed == 1


def test_an_erased_customer_can_be_put_again_as_somebody_new(
    office: Office, sign_in: Callable[..., Office]
) -> None:
    sign_in("C1")
    office.delete("customers/C1")
    assert office.put("customers/C1", {})[0] == 201
    assert Customer.objects.count() == 2


def test_customers_in_bulk_are_judged_alone(office: Office) -> None:
    lines = [{"ref": "C1", "language": "en"}, {"ref": "C2", "language": "xx"}, b"{", {"ref": "C1"}]
    status, results = office.bulk("customers/bulk", lines)
    assert status == 200
    assert [(row["line"], row["status"], row["error"]) for row in results] == [
        (1, "created", None),
        (2, "rejected", "invalid"),
        (3, "rejected", "malformed_json"),
        (4, "updated", None),
    ]
    assert Customer.objects.get().language == "en"
