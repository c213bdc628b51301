"""What is kept about customers, as ledgers: consents, purchases, affinities and profiles; to be read only."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Sum
from django.http import HttpRequest
from unfold.admin import TabularInline

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column, linked
from customers.admin.customers import consent_words
from customers.admin.money import money
from customers.admin.words import both, say
from customers.models import Affinity, AffinityKind, Consent, Profile, Purchase, PurchaseLine
from customers.rules.price_sensitivity import discount_share

OF_CUSTOMER = linked("customer", en="Customer", fr="Client", needs="customers.view_customer")
BY_CUSTOMER = ("customer__ref__exact", "customers.view_customer")


@admin.register(Consent)
class ConsentAdmin(MachineRowsAdmin):
    title = both(en="Consents", fr="Consentements")
    columns = (
        OF_CUSTOMER,
        column("purpose", en="Word", fr="Parole", read=consent_words, order=False),
        column("text_version", en="Text shown", fr="Texte affiché", order=False),
        column("source", en="Given in", fr="Donné par", order=False),
        column("recorded_at", en="When", fr="Quand", order=False),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER,)
    list_filter = ("purpose", "granted", "source")


def _bought(row: Any) -> str:
    lines = row.line_count
    return say(en=f"{lines} lines", fr=f"{lines} lignes")


class PurchaseLineInline(TabularInline):
    model = PurchaseLine
    verbose_name_plural = both(en="Lines", fr="Lignes")
    fields = readonly_fields = (
        column("gtin", en="Product", fr="Produit"),
        column("brand", en="Brand", fr="Marque"),
        column("category_ref", en="Category", fr="Catégorie"),
        column("quantity", en="Quantity", fr="Quantité"),
        column("unit_price_minor", en="Unit price (cents)", fr="Prix unitaire (centimes)"),
    )
    ordering = ("position",)
    extra = 0
    per_page = 50
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.view_purchase")


@admin.register(Purchase)
class PurchaseAdmin(MachineRowsAdmin):
    singular = both(en="purchase", fr="achat")
    title = both(en="Purchases", fr="Achats")
    columns = (
        column("receipt", en="Receipt", fr="Ticket", order=False),
        OF_CUSTOMER,
        column("store_ref", en="Store", fr="Magasin", order=False),
        column("purchased_at", en="When", fr="Quand", order=False),
        column("line_count", en="Basket", fr="Panier", read=_bought, order=False),
        column(
            "total_minor",
            en="Total",
            fr="Total",
            order=False,
            read=lambda row: money(minor=int(row.total_minor or 0), currency=row.currency),
        ),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER, ("receipt__exact", ""))
    inlines = (PurchaseLineInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        total = Sum(F("lines__quantity") * F("lines__unit_price_minor"))
        return rows.annotate(line_count=Count("lines"), total_minor=total)


KINDS = {
    AffinityKind.PRODUCT: both(en="Product", fr="Produit"),
    AffinityKind.BRAND: both(en="Brand", fr="Marque"),
    AffinityKind.CATEGORY: both(en="Category", fr="Catégorie"),
}


def _share(row: Any) -> str | None:
    profile = getattr(row.customer, "profile", None)
    if profile is None or not profile.weight:
        return None
    return f"{100 * row.weight / profile.weight:.1f} %"


@admin.register(Affinity)
class AffinityAdmin(MachineRowsAdmin):
    """The weight itself means nothing to a person; its share of all that the customer spends does."""

    title = both(en="Affinities", fr="Affinités")
    columns = (
        OF_CUSTOMER,
        column("kind", en="Of a", fr="Pour", order=False, read=lambda row: KINDS[AffinityKind(row.kind)]),
        column("key", en="Which", fr="Lequel", order=False),
        column("weight", en="Share of spending", fr="Part des dépenses", order=False, read=_share),
        column("purchases", en="Receipts", fr="Tickets", order=False),
        column("last_bought_at", en="Last bought", fr="Dernier achat", order=False),
    )
    related = ("customer", "customer__profile")
    searches = (BY_CUSTOMER, ("key__exact", ""))
    list_filter = ("kind",)


def _on_discount(row: Profile) -> str | None:
    """Return how much is bought at a discount, as the decisions take it; nothing where no usual price was known."""
    if not row.listed_lines:
        return None
    share = discount_share(discounted=row.discounted_lines, listed=row.listed_lines)
    return f"{100 * share:.0f} %"


@admin.register(Profile)
class ProfileAdmin(MachineRowsAdmin):
    singular = both(en="profile", fr="profil")
    title = both(en="Profiles", fr="Profils")
    columns = (
        OF_CUSTOMER,
        column("purchases", en="Receipts", fr="Tickets", order=False),
        column("spend_minor", en="Spent (cents)", fr="Dépensé (centimes)", order=False),
        column(
            "listed_lines",
            en="Bought at a discount",
            fr="Acheté en promotion",
            order=False,
            read=_on_discount,
        ),
        column("first_purchase_at", en="First purchase", fr="Premier achat", order=False),
        column("last_purchase_at", en="Last purchase", fr="Dernier achat", order=False),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER,)
