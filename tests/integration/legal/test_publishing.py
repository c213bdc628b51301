"""The legal guard at publishing: what is refused, by which rule, and what the catalogue's flags and prices change."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from offers.models import Category, Offer, OfferLegal, OfferState, Product, ProductPrice
from offers.operations.legal import refresh_legal
from tests.integration.backoffice.office import CIRCLE, OFFER, Office, codes

GTIN = "3033490004521"
OTHER = "96385074"
LEGAL = (409, "not_publishable")


def put_product(
    office: Office, *, gtin: str = GTIN, price: int | None = 300, category: str | None = None
) -> None:
    body = {"name": "Yoghurt", "brand": "Alsace Lait", "price_minor": price, "category": category}
    assert office.put(f"products/{gtin}", body)[0] in (200, 201)


def put_offer(office: Office, **changed: Any) -> None:
    assert office.put("offers/O1", {**OFFER, **changed})[0] in (200, 201)


def rules_of(answer: Any) -> list[tuple[str, str]]:
    """Return (field, rule) of each legal reason of a refusal."""
    status, body = answer
    assert (status, body["code"]) == LEGAL
    assert {error["code"] for error in body["errors"]} == {"legal_guard"}
    return [(error["field"], error["rule"]) for error in body["errors"]]


def percent(bp: int) -> dict[str, Any]:
    return {"kind": "percent", "value_bp": bp}


def amount(minor: int) -> dict[str, Any]:
    return {"kind": "amount", "value_minor": minor, "currency": "EUR"}


def test_an_offer_too_deep_stays_a_draft_and_its_answer_says_why(office: Office) -> None:
    put_offer(office, benefit=percent(3401))
    answer = office.post("offers/O1/publish")
    assert codes(answer) == (*LEGAL, [("benefit", "legal_guard")])
    [error] = answer[1]["errors"]
    assert error["rule"] == "promotion_cap"
    assert error["messages"] == {
        "fr": "Plafond des promotions : La remise atteint 34,01 % du prix ; les denrées alimentaires admettent 34 % au "
        "plus. Seuls des produits périssables, menacés d’altération rapide et annoncés uniquement en magasin, y échappent.",
        "en": "Cap on promotions: The reduction reaches 34.01% of the price; food may be reduced by 34%. Only perishable "
        "goods about to spoil, announced inside the store alone, are exempt.",
    }
    assert error["message"] == f"{error['messages']['fr']} / {error['messages']['en']}"
    assert Offer.objects.get().state == OfferState.DRAFT
    put_offer(office, benefit=percent(3400))
    assert office.post("offers/O1/publish")[0] == 200


def test_a_draft_shows_its_findings_before_anybody_publishes_it(office: Office) -> None:
    put_offer(office, benefit=percent(5000))
    assert [
        (finding["rule"], finding["code"], finding["forbids"])
        for finding in office.get("offers/O1")[1]["legal"]["findings"]
    ] == [("promotion_cap", "over_the_cap", True)]


def test_every_reason_is_named_at_once(office: Office) -> None:
    office.put("categories/care", {"name": "Care", "never_targeted": "health"})
    put_product(office, category="care")
    put_offer(
        office,
        benefit=percent(5000),
        target={"gtins": [GTIN]},
        unit_cost_minor=200,
        title={"fr": "Presque GRATUIT"},
        body={"fr": "Au rayon."},
    )
    assert rules_of(office.post("offers/O1/publish")) == [
        ("benefit", "promotion_cap"),
        ("benefit", "below_cost"),
        ("title", "free_word"),
        ("target", "sensitive_target"),
    ]


def test_a_rule_that_is_switched_off_is_not_asked(office: Office) -> None:
    put_offer(office, benefit=percent(5000))
    off = {**settings.RAYON, "legal_rules_off": frozenset({"promotion_cap"})}
    with override_settings(RAYON=off):
        assert office.post("offers/O1/publish")[0] == 200


def test_a_live_offer_cannot_be_put_beyond_the_law(office: Office) -> None:
    put_offer(office)
    office.post("offers/O1/publish")
    before = office.get("offers/O1")
    assert rules_of(office.put("offers/O1", {**OFFER, "benefit": percent(5000)})) == [
        ("benefit", "promotion_cap")
    ]
    assert office.get("offers/O1") == before


@pytest.mark.parametrize(
    ("goods", "above", "found"),
    [
        (None, None, [("benefit", "promotion_cap")]),
        ("food", "other", [("benefit", "promotion_cap")]),
        (None, "other", []),
        (None, "household", []),
        ("household", None, []),
        ("other", "food", []),
    ],
)
def test_what_a_category_sells_is_inherited_and_food_where_nobody_said_so(
    office: Office, goods: str | None, above: str | None, found: list[tuple[str, str]]
) -> None:
    office.put("categories/top", {"name": "Top", "goods": above})
    office.put("categories/mid", {"name": "Mid", "parent": "top", "goods": goods})
    office.put("categories/low", {"name": "Low", "parent": "mid"})
    put_product(office, category="low")
    put_offer(office, benefit=percent(4000), target={"gtins": [GTIN]})
    answer = office.post("offers/O1/publish")
    assert (rules_of(answer) if answer[0] == 409 else []) == found


def test_a_target_of_several_goods_is_held_to_each(office: Office) -> None:
    office.put("categories/soap", {"name": "Soap", "goods": "household"})
    put_product(office, category="soap", price=100)
    put_product(office, gtin=OTHER, price=300)
    target = {"gtins": [GTIN, OTHER]}
    put_offer(office, benefit=amount(40), target=target)
    assert office.post("offers/O1/publish")[0] == 200  # 40 % of soap, 13 % of food
    answer = office.put("offers/O1", {**OFFER, "benefit": amount(41), "target": target})
    assert rules_of(answer) == [("benefit", "promotion_cap")]
    assert (
        "41% of the price (at worst: €1.00); other everyday goods" in answer[1]["errors"][0]["messages"]["en"]
    )


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"category": "pharmacy"}, True),
        ({"category": "pills"}, True),  # below it
        ({"category": "shop"}, True),  # it has one below
        ({"category": "food"}, False),
        ({"gtins": [GTIN]}, True),
        ({"gtins": [OTHER]}, False),
        ({"brand": "Alsace Lait"}, True),  # half of its known products
    ],
)
def test_nothing_sensitive_is_targeted(office: Office, target: dict[str, Any], found: bool) -> None:
    office.put("categories/shop", {"name": "Shop"})
    office.put("categories/pharmacy", {"name": "Pharmacy", "parent": "shop", "never_targeted": "pharmacy"})
    office.put("categories/pills", {"name": "Pills", "parent": "pharmacy"})
    office.put("categories/food", {"name": "Food", "parent": "shop"})
    put_product(office, category="pills")
    put_product(office, gtin=OTHER, category="food")
    put_offer(office, target=target)
    answer = office.post("offers/O1/publish")
    assert (rules_of(answer) if answer[0] == 409 else []) == (
        [("target", "sensitive_target")] if found else []
    )


def test_a_brand_with_few_sensitive_products_may_be_targeted(office: Office) -> None:
    office.put("categories/pharmacy", {"name": "Pharmacy", "never_targeted": "pharmacy"})
    put_product(office, category="pharmacy")
    for gtin in (OTHER, "3017760609395"):
        put_product(office, gtin=gtin)
    put_offer(office)
    assert office.post("offers/O1/publish")[0] == 200


def test_flags_stay_when_a_category_is_put_without_them(office: Office) -> None:
    whole = {"ref": "a", "name": "A", "parent": None, "goods": "other", "never_targeted": "religion"}
    office.put("categories/a", {"name": "A", "goods": "other", "never_targeted": "religion"})
    assert office.put("categories/a", {"name": "A"}) == (200, whole)
    office.bulk("categories/bulk", [{"ref": "a", "name": "A"}])
    assert office.get("categories/a") == (200, whole)
    assert (
        office.put("categories/a", {"name": "A", "goods": None, "never_targeted": None})[1]["goods"] is None
    )
    assert Category.objects.values_list("goods", "never_targeted").get() == ("", "")
    answer = office.put("categories/a", {"name": "A", "goods": "drugs", "never_targeted": True})
    assert codes(answer) == (
        400,
        "invalid",
        [("goods", "invalid_choice"), ("never_targeted", "invalid_choice")],
    )


# --- prices --------------------------------------------------------------------------------------------------


def past_price(*, price: int | None, days_ago: float, gtin: str = GTIN) -> None:
    since = timezone.now() - timedelta(days=days_ago)
    ProductPrice.objects.create(gtin=gtin, price_minor=price, currency="EUR", since=since)


def history(gtin: str = GTIN) -> list[tuple[int | None, str]]:
    rows = ProductPrice.objects.filter(gtin=gtin).order_by("since", "id")
    return list(rows.values_list("price_minor", "currency"))


def test_a_price_is_written_down_when_it_changes_and_not_else(office: Office) -> None:
    put_product(office, price=300)
    put_product(office, price=300)
    assert history() == [(300, "EUR")]
    office.bulk(
        "products/bulk", [{"gtin": GTIN, "name": "Y", "price_minor": 280}, {"gtin": OTHER, "name": "O"}]
    )
    assert history() == [(300, "EUR"), (280, "EUR")]
    assert history(OTHER) == []
    office.delete(f"products/{GTIN}")
    assert history() == [(300, "EUR"), (280, "EUR"), (None, "EUR")]
    put_product(office, price=280)
    assert history() == [(300, "EUR"), (280, "EUR"), (None, "EUR"), (280, "EUR")]


def test_a_reduction_on_a_price_raised_within_30_days_is_refused(office: Office) -> None:
    past_price(price=250, days_ago=60)
    put_product(office, price=300)
    put_offer(office, target={"gtins": [GTIN]})
    assert rules_of(office.post("offers/O1/publish")) == [("benefit", "lowest_price")]
    ProductPrice.objects.filter(price_minor=250).delete()
    assert office.post("offers/O1/publish")[0] == 200


def test_the_reference_price_is_that_before_the_first_of_successive_reductions(office: Office) -> None:
    past_price(price=300, days_ago=60)
    put_product(office, price=300)
    put_offer(office, target={"gtins": [GTIN]})
    office.post("offers/O1/publish")
    Offer.objects.update(published_at=timezone.now() - timedelta(days=40))
    put_product(office, price=260)
    put_offer(office, target={"gtins": [GTIN]}, benefit=percent(3000))  # deeper: the next revision
    offer = office.get("offers/O1")[1]
    assert (offer["revision"], offer["legal"]) == (
        2,
        {"findings": [], "reference_prices": [{"gtin": GTIN, "price_minor": 300, "currency": "EUR"}]},
    )


def test_another_currency_is_no_price(office: Office) -> None:
    put_product(office, price=300)
    put_offer(
        office, target={"gtins": [GTIN]}, benefit={"kind": "amount", "value_minor": 200, "currency": "CHF"}
    )
    status, offer = office.post("offers/O1/publish")
    assert (status, [(one["code"], one["forbids"]) for one in offer["legal"]["findings"]]) == (
        200,
        [("price_unknown", False)],
    )


# --- facts that change --------------------------------------------------------------------------------------


def test_what_the_guard_knows_follows_prices_and_categories(office: Office) -> None:
    office.put("categories/shop", {"name": "Shop"})
    office.put("categories/dairy", {"name": "Dairy", "parent": "shop"})
    put_product(office, price=300, category="dairy")
    put_offer(office, target={"category": "shop"}, benefit=amount(90))
    office.post("offers/O1/publish")

    def rules() -> list[str]:
        return [one["rule"] for one in office.get("offers/O1")[1]["legal"]["findings"] if one["forbids"]]

    assert rules() == []
    put_product(office, price=200, category="dairy")
    assert rules() == ["promotion_cap"]
    put_product(office, price=300, category="dairy")
    assert rules() == []
    office.put("categories/dairy", {"name": "Dairy", "parent": "shop", "never_targeted": "health"})
    assert rules() == ["sensitive_target"]
    assert rules_of_resumed(office) == [("target", "sensitive_target")]
    office.put(
        "categories/dairy", {"name": "Dairy", "parent": "shop", "never_targeted": None, "goods": "other"}
    )
    assert rules() == []
    assert office.delete(f"products/{GTIN}") == (204, None)
    assert rules() == []


def rules_of_resumed(office: Office) -> list[tuple[str, str]]:
    office.post("offers/O1/pause")
    return rules_of(office.post("offers/O1/resume"))


def test_the_facts_of_many_offers_cost_as_many_statements_as_those_of_one(
    office: Office, count_queries: Any
) -> None:
    put_product(office)
    for number in range(30):
        target = {"gtins": [GTIN, OTHER]} if number % 2 else {"brand": "Alsace Lait"}
        office.put(f"offers/O{number}", {**OFFER, "target": target})
    first = Offer.objects.get(ref="O1").pk
    costs = []
    for ids in ([first], None):
        with count_queries() as seen:
            refresh_legal(ids, now=timezone.now())
        costs.append(len(seen))
    assert costs[0] == costs[1]
    assert OfferLegal.objects.count() == 30


def test_an_offer_that_has_ended_is_left_as_it_is(office: Office) -> None:
    put_product(office, price=300)
    put_offer(office, target={"gtins": [GTIN]}, benefit=amount(90))
    office.post("offers/O1/publish")
    office.post("offers/O1/end")
    kept = OfferLegal.objects.get().facts
    Product.objects.update(price_minor=100)
    refresh_legal(now=timezone.now())
    assert OfferLegal.objects.get().facts == kept


def test_the_command_lists_what_it_finds(office: Office) -> None:
    put_offer(office, benefit=percent(5000))
    out = StringIO()
    call_command("check_legal", language="fr", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("! O1: Plafond des promotions : La remise atteint 50 % du prix")
    assert lines[1:] == ["1 offers looked at, 1 forbidden"]


def test_staff_see_the_findings_on_the_offers_page(office: Office, boss: Client) -> None:
    put_offer(office, benefit=percent(5000))
    url = f"/admin/offers/offer/{Offer.objects.get().pk}/change/"
    assert "⚠ Cap on promotions: The reduction reaches 50% of the price" in boss.get(url).content.decode()
    boss.post(f"/admin/offers/offer/{Offer.objects.get().pk}/publish/")
    assert Offer.objects.get().state == OfferState.DRAFT


def test_staff_set_the_flags_of_a_category(office: Office, boss: Client) -> None:
    office.put("categories/care", {"name": "Care"})
    url = f"/admin/offers/category/{Category.objects.get().pk}/change/"
    form = {"ref": "care", "name": "Care", "parent": "", "goods": "household", "never_targeted": "health"}
    assert boss.post(url, form).status_code == 302
    assert Category.objects.values_list("goods", "never_targeted").get() == ("household", "health")
    assert "Never targeted" in boss.get(url).content.decode()


def test_reference_prices_begin_at_publishing_or_at_the_offers_start_whichever_is_later(
    office: Office,
) -> None:
    office.put("stores/S1", CIRCLE)
    past_price(price=300, days_ago=60)
    past_price(price=200, days_ago=50)
    past_price(price=300, days_ago=25)
    put_product(office, price=300)
    later = datetime.now(UTC) + timedelta(days=20)
    valid = {"from": later.isoformat(), "until": "2099-01-01T00:00:00Z"}
    put_offer(office, target={"gtins": [GTIN]}, valid=valid)
    assert office.post("offers/O1/publish")[0] == 200  # the 200 ended 45 days before the offer begins
    answer = office.put("offers/O1", {**OFFER, "target": {"gtins": [GTIN]}})
    assert rules_of(answer) == [("benefit", "lowest_price")]
