"""Putting and removing categories and products, and keeping offers' targets true to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from customers.rules.affinity import brand_key
from offers import locks
from offers.models import Aisle, Brand, Category, Offer, Product
from offers.operations.legal import record_prices, refresh_legal
from offers.operations.outcomes import Refused, Written, invalid
from offers.operations.targets import refresh_targets

MAX_CATEGORY_DEPTH = 16
PRODUCT_FIELDS = ["name", "brand", "category", "price_minor", "currency", "image_url", "updated_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryIn:
    ref: str
    name: str
    parent: str | None  # ref
    flags: Mapping[str, str] = field(
        default_factory=dict
    )  # goods, never_targeted; what is left out stays as it is
    is_sensitive: bool | None = None  # None: as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductIn:
    gtin: str
    name: str
    brand: str | None  # its name
    category: str | None  # ref
    price_minor: int | None
    currency: str
    image_url: str


class CategoryInUse(Exception):
    """Products, subcategories, aisles or offers still point to this category."""


def put_categories(*, categories: Sequence[CategoryIn], now: datetime) -> list[Written[Category] | Refused]:
    """Write the categories by ref, each alone, in the order given: a parent comes before its children.

    Refuses unknown_category for the parent, category_cycle, and category_too_deep over 16 levels.
    """
    with transaction.atomic():
        locks.lock_targets()  # two changes of the tree together could close a circle
        tree = _Tree.read()
        outcomes = [_put_category(given=given, tree=tree) for given in categories]
        if tree.has_moved:
            refresh_targets()
        if tree.has_moved or tree.has_new_flags:
            refresh_legal(now=now)
    return outcomes


def remove_category(*, ref: str) -> bool:
    """Delete a category that nothing points to; False if there is none. Raises CategoryInUse."""
    with transaction.atomic():
        category = Category.objects.filter(ref=ref).first()
        if category is None:
            return False
        # an aisle that lost its last category would fire every offer of its store
        if Aisle.objects.filter(categories=category, removed_at__isnull=True).exists():
            raise CategoryInUse
        try:
            category.delete()
        except ProtectedError:
            raise CategoryInUse from None
    return True


def put_products(*, products: Sequence[ProductIn], now: datetime) -> list[Written[Product] | Refused]:
    """Write the products by GTIN in a fixed number of statements; one result per product, same order.

    Brands are made by their folded name. Refuses unknown_category. GTINs must be unique in `products`.
    """
    with transaction.atomic():
        refs = {product.category for product in products if product.category is not None}
        categories = dict(Category.objects.filter(ref__in=refs).values_list("ref", "id"))
        good = [product for product in products if product.category is None or product.category in categories]
        brands = _put_brands(names=[product.brand for product in good if product.brand])
        gtins = [product.gtin for product in good]
        had = dict(Product.objects.filter(gtin__in=gtins).values_list("gtin", "brand__key"))
        rows = Product.objects.bulk_create(
            [
                Product(
                    gtin=given.gtin,
                    name=given.name,
                    brand=brands[brand_key(given.brand)] if given.brand else None,
                    category_id=categories[given.category] if given.category is not None else None,
                    price_minor=given.price_minor,
                    currency=given.currency,
                    image_url=given.image_url,
                    updated_at=now,
                )
                # sorted: two writers that share products meet in one order
                for given in sorted(good, key=attrgetter("gtin"))
            ],
            update_conflicts=True,
            unique_fields=["gtin"],
            update_fields=PRODUCT_FIELDS,
        )
        record_prices(gtins, now=now)
        _refresh_offers_of(gtins=gtins, brand_keys={*had.values(), *brands}, now=now)
    by_gtin = {row.gtin: row for row in rows}
    return [_product_outcome(gtin=given.gtin, rows=by_gtin, known=had.keys()) for given in products]


def remove_product(*, gtin: str, now: datetime) -> bool:
    """Delete a product from the catalogue; receipts and offers keep its GTIN. False if there is none."""
    with transaction.atomic():
        product = Product.objects.filter(gtin=gtin).select_related("brand").first()
        if product is None:
            return False
        product.delete()
        record_prices([gtin], now=now)
        keys: set[str | None] = {product.brand.key} if product.brand else set()
        _refresh_offers_of(gtins=[gtin], brand_keys=keys, now=now)
    return True


class _Tree:
    """The category tree as it stands in this transaction."""

    def __init__(self, *, ids: dict[str, int], parents: dict[str, str | None]) -> None:
        self.ids = ids
        self.parents = parents
        self.has_moved = False
        self.has_new_flags = False

    @classmethod
    def read(cls) -> "_Tree":
        rows = list(Category.objects.order_by("id").values_list("ref", "id", "parent__ref"))
        return cls(ids={ref: pk for ref, pk, _ in rows}, parents={ref: parent for ref, _, parent in rows})

    def ancestors(self, ref: str | None) -> list[str]:
        found: list[str] = []
        while ref is not None:
            found.append(ref)
            ref = self.parents.get(ref)
        return found

    def height(self, ref: str) -> int:
        """Return the number of levels under and with `ref`; a new one has 1."""
        return 1 + max(
            (self.height(child) for child, parent in self.parents.items() if parent == ref), default=0
        )


def _put_category(*, given: CategoryIn, tree: _Tree) -> Written[Category] | Refused:
    if given.parent is not None and given.parent not in tree.ids and given.parent != given.ref:
        return invalid(field="parent", code="unknown_category", message="There is no such category.")
    above = tree.ancestors(given.parent)
    if given.ref in above:
        return invalid(field="parent", code="category_cycle", message="A category cannot stand under itself.")
    is_moved = given.ref not in tree.ids or tree.parents[given.ref] != given.parent
    if is_moved and len(above) + tree.height(given.ref) > MAX_CATEGORY_DEPTH:
        message = f"Categories go {MAX_CATEGORY_DEPTH} levels deep."
        return invalid(field="parent", code="category_too_deep", message=message)
    parent_id = tree.ids[given.parent] if given.parent is not None else None
    values: dict[str, Any] = {"name": given.name, "parent_id": parent_id, **given.flags}
    if given.is_sensitive is not None:
        values["is_sensitive"] = given.is_sensitive
    row, is_new = Category.objects.update_or_create(ref=given.ref, defaults=values)
    tree.has_new_flags |= bool(given.flags)
    tree.ids[given.ref] = row.pk
    tree.parents[given.ref] = given.parent
    tree.has_moved |= is_moved
    return Written(row=row, is_new=is_new)


def _put_brands(*, names: Sequence[str]) -> dict[str, Brand]:
    """Return the brands by key, made where missing; a known brand keeps its name."""
    wanted = {brand_key(name): name for name in reversed(names)}
    Brand.objects.bulk_create(
        [Brand(key=key, name=wanted[key]) for key in sorted(wanted)], ignore_conflicts=True
    )
    return {brand.key: brand for brand in Brand.objects.filter(key__in=wanted)}


def _product_outcome(
    *, gtin: str, rows: Mapping[str, Product], known: Collection[str]
) -> Written[Product] | Refused:
    if gtin not in rows:
        return invalid(field="category", code="unknown_category", message="There is no such category.")
    return Written(row=rows[gtin], is_new=gtin not in known)


def _refresh_offers_of(*, gtins: Collection[str], brand_keys: Collection[str | None], now: datetime) -> None:
    """Refresh the offers on these products, those on these brands (their aisles follow the brand's products), and
    what the legal guard knows of them and of the offers on categories."""
    locks.lock_targets()  # an offer that is being published must see these prices, or be seen here
    rows = Offer.objects.filter(removed_at__isnull=True).order_by("id")
    touched = list(rows.filter(target_gtins__overlap=list(gtins)).values_list("id", flat=True))
    branded = rows.exclude(target_brand="").values_list("id", "target_brand")
    touched += [offer_id for offer_id, brand in branded if brand_key(brand) in brand_keys]
    if touched:
        refresh_targets(touched)
    touched += rows.filter(target_category__isnull=False).values_list("id", flat=True)
    if touched:
        refresh_legal(touched, now=now)
