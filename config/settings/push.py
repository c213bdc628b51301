"""Providers; django-push-notifications: its models and admin only; the gateways of this project do the sending."""

from dataclasses import replace

from config.settings.base import ENVIRONMENT
from config.settings.rayon import RAYON

PROVIDERS = replace(ENVIRONMENT.providers, socket_ack_s=RAYON["socket_ack_s"])
RAYON["channels"] = PROVIDERS.channels

PUSH_NOTIFICATIONS_SETTINGS = {
    "CONFIG": "push_notifications.conf.AppConfig",
    "APPLICATIONS": {},
    "UPDATE_ON_DUPLICATE_REG_ID": False,  # nobody takes a device over by posting its token
}
