"""Writing imported products, and the categories they need."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from customers.rules.affinity import brand_key
from offers.imports.run import Outcome
from offers.imports.values import Given, Refusal, Remark
from offers.models import Category, Product
from offers.operations.catalogue import CategoryIn, ProductIn, put_categories, put_products
from offers.operations.outcomes import Refused


class CategoryWriter:
    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def write(self, batch: Sequence[Given[CategoryIn]]) -> list[Outcome]:
        """Write the categories that are new or changed; one outcome each, same order."""
        had = _categories([given.key for given in batch])
        fresh = [given.value for given in batch if had.get(given.key) != given.value]
        outcomes = (
            dict(
                zip((one.ref for one in fresh), put_categories(categories=fresh, now=self._now), strict=True)
            )
            if fresh
            else {}
        )
        return [_verdict(given, outcomes.get(given.key)) for given in batch]


class ProductWriter:
    """`categories` are those of a file, by ref; `creates_missing`: others are made too, under their ref as name."""

    def __init__(
        self,
        *,
        now: datetime,
        categories: Mapping[str, CategoryIn] | None = None,
        creates_missing: bool = False,
    ) -> None:
        self._now = now
        self._categories = dict(categories or {})
        self._creates_missing = creates_missing
        self.created: set[str] = set()  # refs of categories made by the way

    def write(self, batch: Sequence[Given[ProductIn]]) -> list[Outcome]:
        """Write the products that are new or changed; one outcome each, same order."""
        self._make_categories({given.value.category for given in batch if given.value.category})
        had = _products([given.key for given in batch])
        fresh = [given.value for given in batch if not _is_same(had.get(given.key), given.value)]
        outcomes = (
            dict(zip((one.gtin for one in fresh), put_products(products=fresh, now=self._now), strict=True))
            if fresh
            else {}
        )
        return [_verdict(given, outcomes.get(given.key)) for given in batch]

    def _make_categories(self, refs: set[str]) -> None:
        """Make what is missing, parents first. In a dry run each batch makes its own, and they go with it."""
        known = set(Category.objects.filter(ref__in=refs).values_list("ref", flat=True))
        needed: dict[str, CategoryIn] = {}
        for ref in sorted(refs - known):
            for one in self._with_parents(ref):
                needed.setdefault(one.ref, one)
        if needed:
            put_categories(categories=list(needed.values()), now=self._now)
            self.created |= needed.keys() - self._categories.keys()

    def _with_parents(self, ref: str) -> list[CategoryIn]:
        found: list[CategoryIn] = []
        wanted: str | None = ref
        while wanted in self._categories and all(one.ref != wanted for one in found):
            found.insert(0, self._categories[wanted])
            wanted = found[0].parent
        if not found and self._creates_missing:
            return [CategoryIn(ref=ref, name=ref, parent=None)]
        return found


def _categories(refs: Sequence[str]) -> dict[str, CategoryIn]:
    rows = Category.objects.filter(ref__in=refs).values_list("ref", "name", "parent__ref")
    return {ref: CategoryIn(ref=ref, name=name, parent=parent) for ref, name, parent in rows}


def _products(gtins: Sequence[str]) -> dict[str, Product]:
    rows = Product.objects.filter(gtin__in=gtins).select_related("brand", "category").order_by("id")
    return {product.gtin: product for product in rows}


def _is_same(had: Product | None, wanted: ProductIn) -> bool:
    if had is None:
        return False
    brand = had.brand.key if had.brand is not None else ""
    category = had.category.ref if had.category is not None else None
    return (had.name, had.price_minor, had.currency, had.image_url, category) == (
        wanted.name,
        wanted.price_minor,
        wanted.currency,
        wanted.image_url,
        wanted.category,
    ) and brand == brand_key(wanted.brand or "")


def _verdict(given: Given[CategoryIn] | Given[ProductIn], outcome: object) -> Outcome:
    if outcome is None:
        return "same"
    if isinstance(outcome, Refused):
        return Refusal(
            remarks=tuple(
                Remark(line=given.line, key=given.key, code=wrong.code, message=wrong.message)
                for wrong in outcome.wrongs
            )
        )
    return "new" if getattr(outcome, "is_new", False) else "changed"
