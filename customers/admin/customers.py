"""Customers as staff may see them: by the retailer's key, with what they allow; contact details stay out."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import TabularInline

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column
from customers.admin.words import both, say
from customers.models import Consent, Customer, Device, Purpose

PURPOSES = {
    Purpose.PUSH: both(en="push", fr="notifications"),
    Purpose.EMAIL: both(en="e-mail", fr="e-mail"),
    Purpose.SMS: both(en="SMS", fr="SMS"),
    Purpose.GEOLOCATION: both(en="location", fr="localisation"),
    Purpose.PROFILING: both(en="use of purchase history", fr="utilisation de l’historique d’achats"),
}


def purpose_words(purpose: str) -> str:
    """Return what a purpose is called; its own code where it has no name."""
    return str(PURPOSES.get(Purpose(purpose), purpose)) if purpose in Purpose.values else purpose


def allowed(customer: Customer) -> str:
    """Return what the customer allows, in one line."""
    words = [purpose_words(purpose) for purpose in customer.granted]
    return ", ".join(words) or say(en="nothing", fr="rien")


def consent_words(row: Consent) -> str:
    """Return one word of the ledger as a sentence."""
    name = purpose_words(row.purpose)
    if row.granted:
        return say(en=f"Granted: {name}", fr=f"Accordé : {name}")
    return say(en=f"Withdrawn: {name}", fr=f"Retiré : {name}")


class _ReadOnlyInline(TabularInline):
    extra = 0
    max_num = 0
    can_delete = False
    per_page = 20
    hide_title = True
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConsentInline(_ReadOnlyInline):
    model = Consent
    verbose_name_plural = both(en="Consents, newest first", fr="Consentements, le plus récent d’abord")
    fields = readonly_fields = (
        column("purpose", en="Word", fr="Parole", read=consent_words),
        column("text_version", en="Text shown", fr="Texte affiché"),
        column("source", en="Given in", fr="Donné par"),
        column("recorded_at", en="When", fr="Quand"),
    )
    ordering = ("-id",)


class DeviceInline(_ReadOnlyInline):
    model = Device
    verbose_name_plural = both(en="Phones and browsers", fr="Téléphones et navigateurs")
    fields = readonly_fields = (
        column("device_id", en="Device", fr="Appareil"),
        column("get_platform_display", en="Kind", fr="Type", read=lambda row: row.get_platform_display()),
        "active",
        column("app_version", en="App", fr="Application"),
        column("last_seen_at", en="Last seen", fr="Vu la dernière fois"),
    )
    ordering = ("-last_seen_at", "id")


@admin.register(Customer)
class CustomerAdmin(MachineRowsAdmin):
    singular = both(en="customer", fr="client")
    title = both(en="Customers", fr="Clients")
    columns = (
        column("ref", en="Customer", fr="Client"),
        column("granted", en="Allows", fr="Autorise", read=allowed, order=False),
        column("language", en="Language", fr="Langue", order=False),
        column("time_zone", en="Time zone", fr="Fuseau horaire", order=False),
        column("created_at", en="Since", fr="Depuis", order=False),
    )
    details = (
        *columns,
        column("segments", en="Segments", fr="Segments", read=lambda row: ", ".join(row.segments) or None),
        column("topics", en="Topics", fr="Thèmes", read=lambda row: ", ".join(row.topics) or None),
        column(
            "muted_brands",
            en="Muted brands",
            fr="Marques coupées",
            read=lambda row: ", ".join(row.muted_brands) or None,
        ),
        column(
            "muted_categories",
            en="Muted categories",
            fr="Catégories coupées",
            read=lambda row: ", ".join(row.muted_categories) or None,
        ),
        column("paused_until", en="Wants a pause until", fr="En pause jusqu’au"),
        column("max_pushes_per_day", en="Pushes a day, own choice", fr="Notifications par jour, son choix"),
        column(
            "max_pushes_per_week", en="Pushes a week, own choice", fr="Notifications par semaine, son choix"
        ),
        column("erased_at", en="Erased", fr="Effacé"),
    )
    searches = (("ref__startswith", ""),)
    inlines = (ConsentInline, DeviceInline)
    # (permission, route of the list, label)
    lists = (
        ("customers.view_purchase", "customers_purchase", both(en="Purchases", fr="Achats")),
        ("customers.view_affinity", "customers_affinity", both(en="Affinities", fr="Affinités")),
        ("customers.view_profile", "customers_profile", both(en="Profile", fr="Profil")),
        ("customers.view_consent", "customers_consent", both(en="Consents", fr="Consentements")),
        ("customers.view_device", "customers_device", both(en="Devices", fr="Appareils")),
    )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        customer = self.get_object(request, object_id)
        links = self.links(request, customer) if customer is not None else []
        return super().change_view(request, object_id, form_url, {"links": links, **(extra_context or {})})

    def links(self, request: HttpRequest, customer: Customer) -> list[dict[str, Any]]:
        """Return the lists of what is kept about this customer, as far as the person may see them."""
        query = urlencode({"q": customer.ref})
        return [
            {"label": label, "url": f"{reverse(f'admin:{route}_changelist')}?{query}"}
            for permission, route, label in self.lists
            if request.user.has_perm(permission)
        ]
