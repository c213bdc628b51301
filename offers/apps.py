"""The offers app, as Django knows it."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class OffersConfig(AppConfig):
    name = "offers"
    verbose_name = "Offers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_bring_groups_up_to_date, dispatch_uid="offers.staff_groups")


def _bring_groups_up_to_date(*, app_config: AppConfig, **rest: Any) -> None:
    """Give the staff's groups what this version says, once all apps have their permissions: after the last of them."""
    from offers.operations.staff import ensure_groups

    if app_config is list(apps.get_app_configs())[-1]:
        ensure_groups()
