"""Phones and browsers, without their push addresses; the library's own rows are shown as bare as ours."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice, WNSDevice

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both
from customers.models import Device


@admin.register(Device)
class DeviceAdmin(MachineRowsAdmin):
    singular = both(en="device", fr="appareil")
    title = both(en="Devices", fr="Appareils")
    columns = (
        column("device_id", en="Device", fr="Appareil", order=False),
        OF_CUSTOMER,
        column("platform", en="Kind", fr="Type", order=False, read=lambda row: row.get_platform_display()),
        "active",
        column("app_version", en="App", fr="Application", order=False),
        column("os_version", en="System", fr="Système", order=False),
        column("registered_at", en="Push address given", fr="Adresse donnée le", order=False),
        column("last_seen_at", en="Last seen", fr="Vu la dernière fois", order=False),
        column("implausible_fixes", en="Impossible positions", fr="Positions impossibles", order=False),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER, ("device_id__exact", ""))
    list_filter = ("platform", "active")


class AddressAdmin(MachineRowsAdmin):
    """A row of the push library: whether it is in use, never its token. The library's own test sends are not offered."""

    columns = (
        column("id", en="Number", fr="Numéro"),
        "active",
        column("date_created", en="Made", fr="Créé le", order=False),
    )
    list_filter = ("active",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).only("id", "active", "date_created")


for _model in (APNSDevice, GCMDevice, WebPushDevice, WNSDevice):
    admin.site.unregister(_model)
for _model, _title in (
    (GCMDevice, both(en="Android push addresses", fr="Adresses Android")),
    (APNSDevice, both(en="iOS push addresses", fr="Adresses iOS")),
    (WebPushDevice, both(en="Browsers’ push addresses", fr="Adresses des navigateurs")),
):
    admin.site.register(_model, type(f"{_model.__name__}Admin", (AddressAdmin,), {"title": _title}))
