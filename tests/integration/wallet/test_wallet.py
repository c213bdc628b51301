"""The phone's wallet: own coupons, their reasons, feedback, decisions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Customer
from offers.models import Coupon, Decision, Feedback
from offers.rules.coupon_codes import grouped
from tests.integration.backoffice.office import Office, codes
from tests.integration.wallet.conftest import make_coupon


def test_a_coupon_is_shown_as_it_was_issued(office: Office, sign_in: Callable[..., Office]) -> None:
    phone = sign_in()
    coupon = make_coupon(office, customer="C1", minutes=120)
    status, shown = phone.get(f"coupons/{coupon.code}")
    assert status == 200
    times = {name: shown.pop(name) for name in ("issued_at", "valid_from", "valid_until")}
    assert shown == {
        "code": grouped(coupon.code),
        "state": "issued",
        "offer": "O1",
        "title": "-20 %",
        "body": "Au rayon frais.",
        "image_url": None,
        "benefit": {"kind": "percent", "value_bp": 2000, "currency": "EUR"},
        "target": {"gtins": [], "category": None, "brand": "Alsace Lait"},
        "store": "S1",
        "aisle": None,
        "reason": "Vous achetez souvent de l’Alsace Lait.",
        "notice": None,
        "reference_prices": [],
    }
    assert datetime.fromisoformat(times["valid_until"]) == coupon.valid_until
    assert times["issued_at"].endswith("Z")
    assert phone.get("coupons")[1]["results"] == [{**shown, **times}]


def test_a_code_is_found_however_it_is_typed(office: Office, sign_in: Callable[..., Office]) -> None:
    phone = sign_in()
    code = make_coupon(office, customer="C1").code
    for typed in (code, grouped(code), code.lower(), code.replace("0", "o").replace("1", "l")):
        assert phone.get(f"coupons/{typed}")[0] == 200


def test_an_issued_coupon_reads_expired_as_soon_as_its_time_has_passed(
    office: Office, sign_in: Callable[..., Office]
) -> None:
    phone = sign_in()
    over = make_coupon(office, customer="C1", minutes=30)
    good = make_coupon(office, customer="C1", minutes=120)
    used = make_coupon(office, customer="C1", minutes=30, state="redeemed")
    shown = {
        state: [coupon["code"] for coupon in phone.get(f"coupons?state={state}")[1]["results"]]
        for state in ("issued", "expired", "redeemed", "revoked")
    }
    assert shown == {
        "issued": [grouped(good.code)],
        "expired": [grouped(over.code)],
        "redeemed": [grouped(used.code)],
        "revoked": [],
    }
    assert phone.get(f"coupons/{over.code}")[1]["state"] == "expired"
    assert [coupon["state"] for coupon in phone.get("coupons")[1]["results"]] == [
        "redeemed",
        "issued",
        "expired",
    ]
    assert codes(phone.get("coupons?state=lost")) == (400, "invalid", [("state", "invalid_choice")])


def test_another_customers_coupon_looks_like_none(office: Office, sign_in: Callable[..., Office]) -> None:
    sign_in("C1")
    other = sign_in("C2")
    coupon = make_coupon(office, customer="C1")
    for code in (coupon.code, "0000-0000-0000-0000", "nonsense", "%00"):
        for answer in (
            other.get(f"coupons/{code}"),
            other.get(f"coupons/{code}/why"),
            other.post(f"coupons/{code}/feedback", {"kind": "opened"}),
        ):
            assert codes(answer) == (404, "not_found", [])
    assert other.get("coupons")[1]["results"] == []
    assert other.get("me/decisions")[1]["results"] == []
    assert not Feedback.objects.exists()
    assert Coupon.objects.get().opened_at is None


def test_feedback_is_kept_and_the_first_opening_marks_the_coupon(
    office: Office, sign_in: Callable[..., Office]
) -> None:
    phone = sign_in()
    coupon = make_coupon(office, customer="C1")
    status, answer = phone.post(f"coupons/{coupon.code}/feedback", {"kind": "opened"})
    assert (status, answer["kind"], answer["note"]) == (201, "opened", "")
    opened_at = Coupon.objects.get().opened_at
    assert opened_at is not None
    phone.post(f"coupons/{coupon.code}/feedback", {"kind": "opened"})
    assert Coupon.objects.get().opened_at == opened_at
    phone.post(f"coupons/{coupon.code}/feedback", {"kind": "not_interested", "note": "no milk"})
    assert list(Feedback.objects.order_by("id").values_list("kind", "note")) == [
        ("opened", ""),
        ("opened", ""),
        ("not_interested", "no milk"),
    ]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("kind", "required")]),
        ({"kind": "loved"}, [("kind", "invalid_choice")]),
        ({"kind": "useful", "note": 3}, [("note", "invalid")]),
        ({"kind": "useful", "stars": 5}, [("stars", "unknown_field")]),
    ],
)
def test_bad_feedback_is_refused(
    office: Office, sign_in: Callable[..., Office], body: object, errors: list[tuple[str, str]]
) -> None:
    phone = sign_in()
    coupon = make_coupon(office, customer="C1")
    assert codes(phone.post(f"coupons/{coupon.code}/feedback", body)) == (400, "invalid", errors)
    assert not Feedback.objects.exists()


def test_feedback_with_one_key_twice_is_kept_once(office: Office, sign_in: Callable[..., Office]) -> None:
    phone = sign_in()
    path = f"coupons/{make_coupon(office, customer='C1').code}/feedback"
    first = phone.post(path, {"kind": "useful"}, Idempotency_Key="a")
    assert phone.post(path, {"kind": "useful"}, Idempotency_Key="a") == first
    assert codes(phone.post(path, {"kind": "complaint"}, Idempotency_Key="a")) == (
        422,
        "idempotency_key_reused",
        [],
    )
    assert Feedback.objects.count() == 1


def test_why_says_it_in_words_and_in_data(office: Office, sign_in: Callable[..., Office]) -> None:
    phone = sign_in()
    coupon = make_coupon(office, customer="C1")
    status, why = phone.get(f"coupons/{coupon.code}/why")
    assert (status, why["offer"], why["reason"]) == (200, "O1", "Vous achetez souvent de l’Alsace Lait.")
    decision = why["decision"]
    decision.pop("decided_at")
    assert decision == {
        "transition": "enter",
        "place": {"kind": "store", "store": "S1", "aisle": None},
        "outcome": "issued",
        "reason": "issued",
        "text": "Vous achetez souvent de l’Alsace Lait.",
        "offer": "O1",
        "title": "-20 % sur les yaourts",
        "coupon": grouped(coupon.code),
        "candidates": [
            {
                "offer": "O1",
                "title": "-20 % sur les yaourts",
                "reason": "issued",
                "text": "Une offre vous a été envoyée.",
                "affinity_share": 0.25,
                "rule": None,
            },
            {
                "offer": "O2",
                "title": None,
                "reason": "not_relevant",
                "text": "Les offres d’ici ne correspondent pas à ce que vous achetez.",
                "affinity_share": 0.0,
                "rule": None,
            },
        ],
    }


def test_decisions_are_listed_newest_first_in_the_customers_language(
    office: Office, sign_in: Callable[..., Office]
) -> None:
    phone = sign_in(language="en")
    customer = Customer.objects.get(ref="C1")
    start = datetime.now(UTC)
    for i, reason in enumerate(["not_relevant", "stale"]):
        Decision.objects.create(
            customer=customer, outcome="none", reason=reason, decided_at=start + timedelta(seconds=i)
        )
    status, page = phone.get("me/decisions")
    assert status == 200
    assert [
        (row["reason"], row["text"], row["transition"], row["place"], row["candidates"])
        for row in page["results"]
    ] == [
        ("stale", "What your phone reported came too late.", None, None, []),
        ("not_relevant", "The offers here do not match what you buy.", None, None, []),
    ]
    _, first = phone.get("me/decisions?limit=1")
    _, second = phone.get(first["next"].partition("/v1/")[2])
    assert [row["reason"] for row in first["results"] + second["results"]] == ["stale", "not_relevant"]
