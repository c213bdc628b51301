"""The offers app, as Django knows it."""

from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "offers"
    verbose_name = "Offers"
    default_auto_field = "django.db.models.BigAutoField"
