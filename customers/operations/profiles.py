"""What the purchase history says of a customer, kept as additive sums; docs/algorithms/profile.md.

A new receipt is added to the sums; after a correction they are rebuilt from the ledger. Both ways lead to the same
values, up to rounding in the last digits of a float.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection, transaction

from customers.locks import lock_customers
from customers.models import Affinity, AffinityKind, Customer, Profile, PurchaseLine
from customers.rules.affinity import brand_key, summed, weight
from customers.rules.price_sensitivity import is_discounted

# Stands in for "never" where only returns are known: the column has no null, and `purchases` is 0 then.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
READ_AHEAD = 5_000  # lines held in memory at once while rebuilding


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One line as profiles see it."""

    customer_id: int
    purchase_id: int
    purchased_at: datetime
    gtin: str
    brand: str
    category_ref: str
    quantity: Decimal
    unit_price_minor: int
    list_price_minor: int | None = None  # None: unknown
    is_sensitive: bool = False  # then it tells that, when and for how much something was bought, and not what

    @property
    def is_listed(self) -> bool:
        """Return whether the line tells if it was bought at a discount."""
        return self.quantity > 0 and self.list_price_minor is not None and not self.is_sensitive

    @property
    def is_discounted(self) -> bool:
        return (
            self.is_listed
            and self.list_price_minor is not None
            and is_discounted(paid_minor=self.unit_price_minor, list_price_minor=self.list_price_minor)
        )

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.unit_price_minor

    @property
    def keys(self) -> list[tuple[int, str, str]]:
        """Return what the line counts towards: (customer, kind, key) of its product, brand and category; none if sensitive."""
        if self.is_sensitive:
            return []
        found = [
            (AffinityKind.PRODUCT, self.gtin),
            (AffinityKind.BRAND, brand_key(self.brand)),
            (AffinityKind.CATEGORY, self.category_ref),
        ]
        return [(self.customer_id, kind.value, key) for kind, key in found if key]


class _Sum:
    """What one key, or one customer, adds up to."""

    def __init__(self) -> None:
        self.weights: list[float] = []
        self.spend_minor = 0
        self.bought: dict[int, datetime] = {}  # receipts with a positive quantity: when
        self.listed = self.discounted = 0  # lines

    def add(self, line: LedgerLine) -> None:
        if not line.is_sensitive:  # the whole that shares are of, too, is of what may be told
            self.weights.append(weight(amount=float(line.amount), at=line.purchased_at))
        self.spend_minor += int(line.amount.to_integral_value(rounding=ROUND_HALF_UP))
        if line.quantity > 0:
            self.bought[line.purchase_id] = line.purchased_at
        self.listed += line.is_listed
        self.discounted += line.is_discounted

    @property
    def weight(self) -> float:
        return summed(self.weights)

    @property
    def first_at(self) -> datetime | None:
        return min(self.bought.values(), default=None)

    @property
    def last_at(self) -> datetime | None:
        return max(self.bought.values(), default=None)


@dataclass(frozen=True, slots=True)
class Sums:
    affinities: Mapping[tuple[int, str, str], _Sum]  # by (customer, kind, key)
    profiles: Mapping[int, _Sum]  # by customer


def sums_of(lines: Iterable[LedgerLine]) -> Sums:
    """Return what the lines add to each affinity and profile."""
    affinities: defaultdict[tuple[int, str, str], _Sum] = defaultdict(_Sum)
    profiles: defaultdict[int, _Sum] = defaultdict(_Sum)
    for line in lines:
        profiles[line.customer_id].add(line)
        for key in line.keys:
            affinities[key].add(line)
    return Sums(affinities, profiles)


def add_to_profiles(*, lines: Iterable[LedgerLine]) -> None:
    """Add new receipts' lines to their customers' sums. Two statements; the caller holds the customers' locks."""
    sums = sums_of(lines)
    keys = sorted(sums.affinities)
    people = sorted(sums.profiles)
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_AFFINITIES,
            [
                [key[0] for key in keys],
                [key[1] for key in keys],
                [key[2] for key in keys],
                [sums.affinities[key].weight for key in keys],
                [len(sums.affinities[key].bought) for key in keys],
                [sums.affinities[key].first_at for key in keys],
                [sums.affinities[key].last_at or NEVER for key in keys],
                [sums.affinities[key].listed for key in keys],
                [sums.affinities[key].discounted for key in keys],
            ],
        )
        cursor.execute(
            _ADD_PROFILES,
            [
                people,
                [sums.profiles[person].weight for person in people],
                [len(sums.profiles[person].bought) for person in people],
                [sums.profiles[person].spend_minor for person in people],
                [sums.profiles[person].first_at for person in people],
                [sums.profiles[person].last_at for person in people],
                [sums.profiles[person].listed for person in people],
                [sums.profiles[person].discounted for person in people],
            ],
        )


@transaction.atomic
def rebuild_profiles(*, customer_ids: Collection[int]) -> None:
    """Make these customers' affinities and profiles anew from the ledger. Erased customers are left alone.

    Locks the customers. A fixed number of statements.
    """
    living = lock_customers(customer_ids=customer_ids)
    Affinity.objects.filter(customer_id__in=living).delete()
    Profile.objects.filter(customer_id__in=living).delete()
    add_to_profiles(lines=_ledger(customer_ids=living))


def rebuild_all(*, batch: int) -> int:
    """Rebuild everybody's profile, `batch` customers in one transaction each; return how many customers were looked at.

    Receipts may come in meanwhile. Must not run inside a transaction, which would keep every customer locked to its end.
    """
    rebuilt, last = 0, 0
    while True:
        following = Customer.objects.filter(id__gt=last, erased_at__isnull=True).order_by("id")
        ids = list(following.values_list("id", flat=True)[:batch])
        if not ids:
            return rebuilt
        rebuild_profiles(customer_ids=ids)
        rebuilt, last = rebuilt + len(ids), ids[-1]


def _ledger(*, customer_ids: Collection[int]) -> Iterable[LedgerLine]:
    rows = PurchaseLine.objects.filter(purchase__customer_id__in=customer_ids).values_list(
        "purchase__customer_id",
        "purchase_id",
        "purchase__purchased_at",
        "gtin",
        "brand",
        "category_ref",
        "quantity",
        "unit_price_minor",
        "list_price_minor",
        "is_sensitive",
    )
    for row in rows.iterator(chunk_size=READ_AHEAD):
        yield LedgerLine(
            customer_id=row[0],
            purchase_id=row[1],
            purchased_at=row[2],
            gtin=row[3],
            brand=row[4],
            category_ref=row[5],
            quantity=row[6],
            unit_price_minor=row[7],
            list_price_minor=row[8],
            is_sensitive=row[9],
        )


_ADD_AFFINITIES = """
    INSERT INTO customers_affinity AS known (customer_id, kind, key, weight, purchases, first_bought_at,
                                             last_bought_at, listed_lines, discounted_lines)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::float8[], %s::int[], %s::timestamptz[],
                         %s::timestamptz[], %s::int[], %s::int[])
    ON CONFLICT (customer_id, kind, key) DO UPDATE SET
        weight = known.weight + EXCLUDED.weight,
        purchases = known.purchases + EXCLUDED.purchases,
        first_bought_at = LEAST(known.first_bought_at, EXCLUDED.first_bought_at),
        last_bought_at = GREATEST(known.last_bought_at, EXCLUDED.last_bought_at),
        listed_lines = known.listed_lines + EXCLUDED.listed_lines,
        discounted_lines = known.discounted_lines + EXCLUDED.discounted_lines
"""
_ADD_PROFILES = """
    INSERT INTO customers_profile AS known (customer_id, weight, purchases, spend_minor, first_purchase_at,
                                            last_purchase_at, listed_lines, discounted_lines)
    SELECT * FROM unnest(%s::bigint[], %s::float8[], %s::int[], %s::bigint[], %s::timestamptz[],
                         %s::timestamptz[], %s::int[], %s::int[])
    ON CONFLICT (customer_id) DO UPDATE SET
        weight = known.weight + EXCLUDED.weight,
        purchases = known.purchases + EXCLUDED.purchases,
        spend_minor = known.spend_minor + EXCLUDED.spend_minor,
        first_purchase_at = LEAST(known.first_purchase_at, EXCLUDED.first_purchase_at),
        last_purchase_at = GREATEST(known.last_purchase_at, EXCLUDED.last_purchase_at),
        listed_lines = known.listed_lines + EXCLUDED.listed_lines,
        discounted_lines = known.discounted_lines + EXCLUDED.discounted_lines
"""
