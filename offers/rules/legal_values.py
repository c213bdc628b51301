"""What the legal guard looks at, and by which rules of which day; docs/algorithms/legal-guard.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    """A rule of French law that an offer is held to; the values are settings and answers."""

    PROMOTION_CAP = "promotion_cap"
    LOWEST_PRICE = "lowest_price"
    BELOW_COST = "below_cost"
    FREE_WORD = "free_word"
    SENSITIVE_TARGET = "sensitive_target"
    MINORS = "minors"


class Goods(StrEnum):
    """What a category sells, as the law tells goods apart."""

    FOOD = "food"  # food, and food for pets
    HOUSEHOLD = "household"  # other everyday goods: cleaning, hygiene, beauty
    OTHER = "other"  # lasting goods: neither cap nor mark-up


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Where a rule stands, and while it is in force: [since, until], days in France; until None: no end is set."""

    since: date
    until: date | None
    source: str


LAWS: Mapping[Rule, Law] = {
    Rule.PROMOTION_CAP: Law(
        since=date(2019, 1, 1),
        until=date(2028, 4, 15),
        source="Loi n° 2020-1525 du 7 décembre 2020, art. 125, II; loi n° 2025-337 du 14 avril 2025, art. 1er",
    ),
    Rule.LOWEST_PRICE: Law(
        since=date(2022, 5, 28),
        until=None,
        source="Code de la consommation, art. L. 112-1-1; CJUE, 26 septembre 2024, C-330/23, Aldi Süd",
    ),
    Rule.BELOW_COST: Law(
        since=date(2000, 9, 21),
        until=None,
        source="Code de commerce, art. L. 442-5; loi n° 2020-1525, art. 125, I",
    ),
    Rule.FREE_WORD: Law(
        since=date(2018, 11, 2),
        until=None,
        source="Code de commerce, art. L. 443-1, I; Code de la consommation, art. L. 121-4, 19°",
    ),
    Rule.SENSITIVE_TARGET: Law(
        since=date(2018, 5, 25),
        until=None,
        source="Règlement (UE) 2016/679, art. 9; règlement (UE) 2022/2065, art. 26",
    ),
    Rule.MINORS: Law(
        since=date(2018, 5, 25),
        until=None,
        source="Loi n° 78-17 du 6 janvier 1978, art. 45; règlement (UE) 2016/679, art. 8",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalRules:
    """The rules as the house has set them."""

    off: frozenset[str] = frozenset()  # rules that are not asked
    food_share: float = 0.34  # of the price that a promotion may take off
    household_share: float = 0.40
    promotion_cap_until: date | None = LAWS[Rule.PROMOTION_CAP].until  # last day
    food_markup_share: float = 0.10  # what the price of food stands above its cost at least
    food_markup_until: date | None = date(2028, 4, 15)  # last day; from then on the cost itself
    refuses_unknown_prices: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "LegalRules":
        """Return the rules of settings.RAYON."""
        return cls(
            off=params["legal_rules_off"],
            food_share=params["legal_food_promotion_share"],
            household_share=params["legal_household_promotion_share"],
            promotion_cap_until=params["legal_promotion_cap_until"],
            food_markup_share=params["legal_food_markup_share"],
            food_markup_until=params["legal_food_markup_until"],
            refuses_unknown_prices=bool(params["legal_refuses_unknown_prices"]),
        )

    def asks(self, rule: Rule, *, on: date) -> bool:
        """Return whether the rule is switched on and in force on that day in France."""
        law = LAWS[rule]
        until = self.promotion_cap_until if rule is Rule.PROMOTION_CAP else law.until
        return rule not in self.off and law.since <= on and (until is None or on <= until)

    def promotion_share(self, goods: Goods) -> float | None:
        """Return what a promotion on these goods may take off; None: anything."""
        return {Goods.FOOD: self.food_share, Goods.HOUSEHOLD: self.household_share}.get(goods)

    def markup_share(self, goods: Goods, *, on: date) -> float:
        """Return by how much the price of these goods must exceed their cost."""
        in_force = self.food_markup_until is None or on <= self.food_markup_until
        return self.food_markup_share if goods is Goods.FOOD and in_force else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The offer's goods of one kind, by their cheapest and their dearest. Money in minor units of the offer."""

    goods: Goods
    lowest_minor: int | None = None  # None: no price is known
    highest_minor: int | None = None
    unpriced: int = 0  # products whose price is not known in the offer's currency


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePrice:
    """A product's lowest price of the 30 days before the reduction, and its price now."""

    gtin: str
    reference_minor: int
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalFacts:
    """All that the guard needs to know of one offer; kept beside it, and judged anew at each decision."""

    benefit_kind: str  # percent, amount, price
    benefit_value: int  # basis points for percent, else minor units
    priced: tuple[Priced, ...] = ()  # one per kind of goods
    names_products: bool = True  # by gtin; False: a category or a brand
    references: tuple[ReferencePrice, ...] = ()  # of products that the offer names, by gtin
    is_exempt: bool = False  # perishable, about to spoil, and shown inside the store only
    unit_cost_minor: int | None = None  # None: not known
    free_word: str = ""  # by which a text calls something free
    sensitive: tuple[str, ...] = ()  # kinds of sensitive goods that it targets

    @property
    def is_free(self) -> bool:
        """Return whether nothing is left to pay, whatever the price."""
        return self.benefit_value == (
            10_000 if self.benefit_kind == "percent" else 0
        ) and self.benefit_kind in (
            "percent",
            "price",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What stands against an offer. A finding that does not forbid says what could not be checked."""

    rule: Rule
    code: str  # names the sentence of offers.legal_texts
    forbids: bool = True
    numbers: Mapping[str, str | int | float] = field(default_factory=dict)  # what the sentence names
