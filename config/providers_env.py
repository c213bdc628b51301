"""The environment's word on providers of pushes, e-mail and SMS."""

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from offers.gateways.settings import (
    APPLE_HOST,
    GOOGLE_BASE_URL,
    PUSH_SERVICES,
    ApnsSettings,
    EmailSettings,
    FcmSettings,
    ProviderSettings,
    SmsSettings,
    WebPushSettings,
)


class Reader(Protocol):
    """Reads one variable after the other and gathers what is wrong (config.env)."""

    def problem(self, name: str, sentence: str) -> None: ...
    def text(self, name: str, *, default: str) -> str: ...
    def listed(self, name: str, *, default: list[str]) -> list[str]: ...
    def whole(self, name: str, *, default: int, low: int, high: int) -> int: ...
    def url(self, name: str, *, schemes: tuple[str, ...], default: str = "") -> str: ...
    def readable_file(self, name: str) -> str: ...


def read_providers(reader: Reader, *, debug: bool) -> ProviderSettings:
    """Return the providers' settings; what is wrong is told to the reader."""
    return ProviderSettings(
        fcm=FcmSettings(
            base_url=reader.url("FCM_BASE_URL", schemes=("http", "https"), default=GOOGLE_BASE_URL).rstrip(
                "/"
            ),
            credentials_file=_file(reader, "GOOGLE_APPLICATION_CREDENTIALS"),
            ca_file=_file(reader, "FCM_CA_FILE"),
        ),
        apns=ApnsSettings(
            host=reader.text("APNS_HOST", default=APPLE_HOST),
            port=reader.whole("APNS_PORT", default=443, low=1, high=65535),
            ca_file=_file(reader, "APNS_CA_FILE"),
            key_file=_file(reader, "APNS_KEY_FILE"),
            key_id=reader.text("APNS_KEY_ID", default=""),
            team_id=reader.text("APNS_TEAM_ID", default=""),
            topic=reader.text("APNS_TOPIC", default=""),
        ),
        webpush=WebPushSettings(
            allowed_hosts=tuple(reader.listed("WEBPUSH_ALLOWED_HOSTS", default=list(PUSH_SERVICES))),
            dev_origins=_dev_origins(reader, debug=debug),
            vapid_key_file=_file(reader, "WEBPUSH_VAPID_KEY_FILE"),
            vapid_subject=reader.text("WEBPUSH_VAPID_SUBJECT", default=""),
        ),
        email=EmailSettings(
            is_configured=bool(reader.text("EMAIL_URL", default="")),
            from_address=reader.text("EMAIL_FROM", default=""),
        ),
        sms=SmsSettings(
            url=reader.url("SMS_GATEWAY_URL", schemes=("http", "https")),
            provider=reader.text("SMS_PROVIDER", default="rayon"),
            sender=reader.text("SMS_SENDER", default=""),
        ),
    )


def _file(reader: Reader, name: str) -> Path | None:
    given = reader.readable_file(name)
    return Path(given) if given else None


def _dev_origins(reader: Reader, *, debug: bool) -> tuple[str, ...]:
    origins = tuple(reader.listed("WEBPUSH_DEV_ORIGINS", default=[]))
    if origins and not debug:
        # It switches off the guard against addresses that an attacker chose.
        reader.problem("WEBPUSH_DEV_ORIGINS", "is for development alone: unset it, or set DEBUG=1")
        return ()
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            reader.problem("WEBPUSH_DEV_ORIGINS", "must be a list such as http://127.0.0.1:8090")
    return tuple(origin.rstrip("/") for origin in origins)
