"""The demo's files agree with each other and with what the import doors take."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest
from opening_hours import OpeningHours, ParserError
from stdnum import ean

from offers.demo import files
from offers.demo.cut.brands import brand_of
from offers.demo.cut.categories import category_of
from offers.demo.cut.products import has_valid_check_digit

NOW = datetime(2026, 11, 22, 10, 3, 7, tzinfo=UTC)
DISCOUNT_CAP_BP = 3_400


def products() -> list[dict[str, str]]:
    with files.PRODUCTS.open(newline="") as handle:
        return list(csv.DictReader(handle))


def purchases() -> Iterator[dict[str, str]]:
    with gzip.open(files.PURCHASES, "rt", newline="") as handle:
        yield from csv.DictReader(handle)


def store_features() -> list[dict]:
    with gzip.open(files.STORES, "rt") as handle:
        return json.load(handle)["features"]


def test_every_store_has_its_own_ref_that_fits_into_a_url():
    refs = [feature["properties"]["ref"] for feature in store_features()]
    assert len(refs) == len(set(refs)) == 597
    assert all(ref.replace("-", "").isalnum() for ref in refs)


def test_three_recorded_opening_hours_cannot_be_understood():
    odd = []
    for feature in store_features():
        hours = feature["properties"].get("opening_hours", "")
        try:
            OpeningHours(hours or "24/7")
        except ParserError:
            odd.append(hours)
    assert sorted(odd) == [
        "Lu-Sam 10:00-21:00",
        "Lu-Sam 10:00-21:00",
        "Mo-Su 09:00-23:00, Fr-Sa  09:00-24:00",
    ]


def test_every_gtin_has_a_check_digit_that_two_implementations_accept():
    gtins = [row["gtin"] for row in products()]
    assert len(gtins) == len(set(gtins)) == 1486
    assert all(ean.is_valid(gtin) and has_valid_check_digit(gtin) for gtin in gtins)


@pytest.mark.parametrize("gtin", ["3023290001852", "302329000185", "", "30232900O1851", "3" * 13])
def test_a_wrong_check_digit_is_seen(gtin):
    assert not has_valid_check_digit(gtin)


def test_every_product_lies_in_a_leaf_of_the_tree_and_has_a_price():
    categories = {row["ref"]: row["parent"] for row in files.read_categories()}
    leaves = set(categories) - set(categories.values())
    for row in products():
        assert row["category"] in leaves
        assert int(row["price_minor"]) > 0


def test_parents_stand_before_their_children():
    seen = {""}
    for row in files.read_categories():
        assert row["parent"] in seen
        seen.add(row["ref"])


def test_every_purchase_names_known_customers_stores_and_products():
    customers = {row["ref"] for row in files.read_customers()}
    stores = {feature["properties"]["ref"] for feature in store_features()}
    catalogue = {row["gtin"]: row for row in products()}
    receipts = {}
    for row in purchases():
        assert row["customer"] in customers
        assert row["store"] in stores
        assert (row["category"], row["brand"]) == (
            catalogue[row["gtin"]]["category"],
            catalogue[row["gtin"]]["brand"],
        )
        assert Decimal(row["quantity"]) >= 1
        assert int(row["unit_price_minor"]) >= 0
        head = (row["customer"], row["purchased_at"])
        assert receipts.setdefault((row["store"], row["receipt"]), head) == head
    assert len(receipts) == 3573


def test_the_lines_of_a_receipt_stand_together():
    closed, current = set(), None
    for row in purchases():
        key = (row["store"], row["receipt"])
        if key != current:
            assert key not in closed
            closed.add(key)
            current = key


def test_the_buyer_buys_the_brand_and_the_neighbour_never_does():
    story = files.read_story()
    of = {story.buyer: [], story.neighbour: []}
    for row in purchases():
        if row["customer"] in of:
            of[row["customer"]].append(row)
    assert sum(row["brand"] == story.brand and row["gtin"] in story.gtins for row in of[story.buyer]) == 7
    parent = {row["ref"]: row["parent"] for row in files.read_categories()}
    assert len({row["receipt"] for row in of[story.neighbour]}) == 72
    assert not [
        row
        for row in of[story.neighbour]
        if row["brand"] == story.brand or parent[row["category"]] == "yaourts"
    ]


def test_the_story_happens_at_a_beacon_of_the_storys_aisle():
    story = files.read_story()
    aisles = files.read_aisles()
    assert (aisles[0]["store"], aisles[0]["ref"], aisles[0]["beacons"]) == (
        story.store,
        story.aisle,
        [story.beacon],
    )
    triples = [tuple(beacon.values()) for aisle in aisles for beacon in aisle["beacons"]]
    assert len(triples) == len(set(triples)) == 7 * len(story.demo_stores)
    assert story.beacon["uuid"] == str(uuid5(NAMESPACE_URL, "https://rayon.example/demo/beacons"))


def test_the_storys_store_has_no_recorded_hours_that_would_close_it():
    story = files.read_story()
    (store,) = [feature for feature in store_features() if feature["id"] == story.store]
    assert "opening_hours" not in store["properties"]


def test_offers_target_what_the_catalogue_has_in_both_languages():
    brands = {row["brand"] for row in products()}
    categories = {row["ref"] for row in files.read_categories()}
    for offer in files.read_offers(now=NOW):
        ((kind, value),) = offer.body["target"].items()
        assert value in {"brand": brands, "category": categories}[kind]
        assert set(offer.body["title"]) == set(offer.body["body"]) == {"fr", "en"}


def test_no_offer_takes_off_more_than_the_legal_share():
    for offer in files.read_offers(now=NOW):
        benefit, target = offer.body["benefit"], offer.body["target"]
        if benefit["kind"] == "percent":
            assert benefit["value_bp"] <= DISCOUNT_CAP_BP
            continue
        prices = [int(row["price_minor"]) for row in products() if target.items() <= row.items()]
        assert benefit["value_minor"] * 10_000 <= DISCOUNT_CAP_BP * min(prices)


def test_no_offer_in_the_storys_store_is_for_the_neighbour():
    story = files.read_story()
    here = [offer for offer in files.read_offers(now=NOW) if story.store in offer.body["stores"]]
    assert [offer.ref for offer in here] == [story.offer, "tous-les-yaourts", "skyrs"]
    categories = {row["category"] for row in purchases() if row["customer"] == story.neighbour}
    yoghurts = {row["ref"] for row in files.read_categories() if row["parent"] == "yaourts"}
    assert [offer.body["target"] for offer in here[1:]] == [{"category": "yaourts"}, {"category": "skyrs"}]
    assert categories.isdisjoint(yoghurts)


def test_purchases_move_by_whole_weeks_to_the_seven_days_before_now():
    story = files.read_story()
    last = files.shifted(story.last_purchase_at, weeks=files.weeks_to_shift(now=NOW))
    assert timedelta(0) <= NOW - last < timedelta(days=7)


def test_a_shift_across_summer_time_keeps_the_hour_in_paris():
    winter = datetime(2017, 1, 3, 17, 30, tzinfo=UTC)
    moved = files.shifted(winter, weeks=26).astimezone(ZoneInfo("Europe/Paris"))
    assert (moved.weekday(), moved.hour, moved.minute) == (1, 18, 30)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Yaourt nature au lait entier", "yaourts-nature"),
        ("Skyr siggi's fraise", "skyrs"),
        ("Le Yaourt à la Grecque sur Lit de Myrtilles", "yaourts-grecs"),
        ("Yaourt à boire fraise", "yaourts-boire"),
        ("Fromage blanc battu DELICES DE DOUVILLE, 40%MG", "fromages-blancs"),
        ("Gâteau au yaourt", "biscuits"),
        ("Concombre au fromage blanc", ""),
        ("Sauce salade au yaourt", "sauces"),
        ("Moules Apéritif Cuites au Vin Blanc", "poissons"),
        ("Riz au lait", "desserts-lactes"),
        ("Brumes", ""),
    ],
)
def test_a_name_finds_its_leaf(name, category):
    assert category_of(name) == category


@pytest.mark.parametrize(
    ("gtin", "name", "dairy", "brand"),
    [
        ("3033490000000", "Taillefine fondants", False, "Taillefine"),  # the name wins over the prefix
        ("3033490000000", "Yaourt nature", True, "Danone"),
        ("3033490000000", "Biscuits", False, ""),  # a prefix known for milk only says nothing here
        ("3596710000000", "Spaghetti", False, "Auchan"),
        ("3770000000000", "Yaourt fermier", True, ""),
        ("3770000000000", "Yaourt coco", True, ""),
    ],
)
def test_a_brand_comes_from_the_name_or_from_the_prefix(gtin, name, dairy, brand):
    assert brand_of(gtin=gtin, name=name, dairy=dairy) == brand
