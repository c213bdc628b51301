"""Categories, products and offers as the back office sees them."""

from collections.abc import Collection

from django.db.models import Prefetch, QuerySet

from offers.models import Category, Offer, OfferStore, Product


def list_categories() -> QuerySet[Category]:
    return Category.objects.select_related("parent").order_by("id")


def list_products() -> QuerySet[Product]:
    return Product.objects.select_related("brand", "category").order_by("id")


def list_offers(*, only_stores: Collection[str] = ()) -> QuerySet[Offer]:
    """Return the offers that are not deleted, with stores and capacity; `only_stores`: of these alone."""
    offers = Offer.objects.filter(removed_at__isnull=True)
    if only_stores:
        elsewhere = OfferStore.objects.exclude(store__ref__in=only_stores)
        offers = offers.filter(all_stores=False).exclude(pk__in=elsewhere.values("offer_id"))
    rows = OfferStore.objects.select_related("store").order_by("store__ref")
    return (
        offers.select_related("capacity", "target_category", "deal_state", "legal")
        .prefetch_related(Prefetch("offer_stores", queryset=rows))
        .order_by("id")
    )


def get_offer(*, ref: str, only_stores: Collection[str] = ()) -> Offer | None:
    return list_offers(only_stores=only_stores).filter(ref=ref).first()
