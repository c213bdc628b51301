"""Stores, aisles and beacons, for store managers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from leaflet.admin import LeafletGeoAdminMixin

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column, linked
from customers.admin.words import both, say
from offers.admin.operation_forms import OperationAdmin
from offers.admin.place_forms import AisleForm, StoreForm
from offers.models import Aisle, Beacon, Store
from offers.operations.places import remove_aisle, remove_store

OF_STORE = linked("store", en="Store", fr="Magasin", needs="offers.view_store")


def fence_words(store: Store) -> str:
    """Return where a phone counts as in the store."""
    if store.radius_m is not None:
        return say(
            en=f"{store.radius_m:g} m around its position", fr=f"{store.radius_m:g} m autour de sa position"
        )
    return say(en="the area that was drawn", fr="la zone dessinée")


def aisle_count(store: Any) -> str:
    count = store.aisle_count
    return say(en=f"{count} aisles", fr=f"{count} rayons") if count != 1 else say(en="1 aisle", fr="1 rayon")


@admin.register(Store)
class StoreAdmin(LeafletGeoAdminMixin, OperationAdmin):
    singular = both(en="store", fr="magasin")
    title = both(en="Stores", fr="Magasins")
    form = StoreForm
    columns = (
        column("name", en="Store", fr="Magasin"),
        column("ref", en="Key", fr="Clé"),
        column(
            "radius_m", en="A phone is in within", fr="Un téléphone y est dans", read=fence_words, order=False
        ),
        column(
            "opening_hours",
            en="Open",
            fr="Ouvert",
            order=False,
            read=lambda row: row.opening_hours or say(en="always", fr="toujours"),
        ),
        column("aisle_count", en="Aisles", fr="Rayons", read=aisle_count, order=False),
        column("address", en="Address", fr="Adresse", order=False),
    )
    details = columns
    form_fieldsets = (
        (None, {"fields": (("ref", "name"), "address", ("opening_hours", "time_zone"))}),
        (
            both(
                en="Where a phone counts as in the store", fr="Où un téléphone compte comme dans le magasin"
            ),
            {"fields": ("radius_m", ("lat", "lon"), "location", "area")},
        ),
    )
    searches = (("name__icontains", ""), ("ref__startswith", ""), ("address__icontains", ""))
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        present = Q(aisles__removed_at__isnull=True)
        return (
            super()
            .get_queryset(request)
            .filter(removed_at__isnull=True)
            .annotate(aisle_count=Count("aisles", filter=present))
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        store = self.get_object(request, object_id)
        links = []
        if store is not None and request.user.has_perm("offers.view_aisle"):
            query = urlencode({"q": store.ref})
            links.append(
                {"label": aisle_count(store), "url": f"{reverse('admin:offers_aisle_changelist')}?{query}"}
            )
        return super().change_view(request, object_id, form_url, {"links": links, **(extra_context or {})})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_store(ref=obj.ref, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for store in queryset.order_by("id"):
            remove_store(ref=store.ref, now=timezone.now())


def _stands_there(aisle: Aisle) -> str:
    names = [category.name for category in aisle.categories.all()]
    return ", ".join(names) or say(
        en="not known: any offer may fire", fr="inconnu : toute offre peut s’afficher"
    )


@admin.register(Aisle)
class AisleAdmin(LeafletGeoAdminMixin, OperationAdmin):
    singular = both(en="aisle", fr="rayon")
    title = both(en="Aisles", fr="Rayons")
    form = AisleForm
    columns = (
        column("name", en="Aisle", fr="Rayon"),
        column("ref", en="Key", fr="Clé", order=False),
        OF_STORE,
        column("categories", en="What stands there", fr="Ce qui s’y trouve", read=_stands_there, order=False),
        column(
            "beacon_count",
            en="Beacons",
            fr="Balises",
            order=False,
            read=lambda row: (
                row.beacon_count
                or say(en="none: nobody is heard here", fr="aucune : personne n’y est entendu")
            ),
        ),
    )
    details = columns
    form_fieldsets = (
        (None, {"fields": ("store", ("ref", "name"), "categories", "beacon_lines", "dwell_s")}),
        (
            both(
                en="Area, where positions are precise enough", fr="Zone, si les positions sont assez précises"
            ),
            {"fields": ("area",)},
        ),
    )
    autocomplete_fields = ("store", "categories")
    related = ("store",)
    searches = (("name__icontains", ""), ("ref__exact", ""), ("store__ref__exact", "offers.view_store"))
    ordering = ("store__name", "name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).filter(removed_at__isnull=True, store__removed_at__isnull=True)
        return rows.annotate(beacon_count=Count("beacons")).prefetch_related("categories")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_aisle(store=obj.store, ref=obj.ref, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for aisle in queryset.order_by("id"):
            self.delete_model(request, aisle)


@admin.register(Beacon)
class BeaconAdmin(MachineRowsAdmin):
    """Which aisle a beacon stands for; they are changed on the aisle's page."""

    singular = both(en="beacon", fr="balise")
    title = both(en="Beacons", fr="Balises")
    columns = (
        column("uuid", en="UUID", fr="UUID", order=False),
        column("major", en="Major", fr="Majeur", order=False),
        column("minor", en="Minor", fr="Mineur", order=False),
        linked("aisle", en="Aisle", fr="Rayon", needs="offers.view_aisle"),
    )
    related = ("aisle",)
    searches = (("uuid__exact", ""), ("aisle__store__ref__exact", "offers.view_store"))
