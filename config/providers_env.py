"""The environment's word on providers of pushes, e-mail and SMS."""

import re
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
from offers.gateways.sms_dialects import DIALECTS

ADDRESS = re.compile(r"[^@\s]@[^@\s]")
ANSWERABLE = re.compile(r"\+?[0-9]{3,15}|MG[0-9a-f]{32}")  # a number, or a Twilio service that picks one
MIN_KEY_CHARS = 20


class Reader(Protocol):
    """Reads one variable after the other and gathers what is wrong (config.env)."""

    def problem(self, name: str, sentence: str) -> None: ...
    def text(self, name: str, *, default: str) -> str: ...
    def listed(self, name: str, *, default: list[str]) -> list[str]: ...
    def whole(self, name: str, *, default: int, low: int, high: int) -> int: ...
    def url(self, name: str, *, schemes: tuple[str, ...], default: str = "") -> str: ...
    def readable_file(self, name: str) -> str: ...


def read_providers(reader: Reader, *, at_a_desk: bool) -> ProviderSettings:
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
            dev_origins=_dev_origins(reader, at_a_desk=at_a_desk),
            vapid_key_file=_file(reader, "WEBPUSH_VAPID_KEY_FILE"),
            vapid_subject=reader.text("WEBPUSH_VAPID_SUBJECT", default=""),
        ),
        email=_email(reader),
        sms=_sms(reader),
    )


def _file(reader: Reader, name: str) -> Path | None:
    given = reader.readable_file(name)
    return Path(given) if given else None


def _email(reader: Reader) -> EmailSettings:
    found = EmailSettings(
        is_configured=bool(reader.text("EMAIL_URL", default="")),
        from_address=reader.text("EMAIL_FROM", default=""),
        public_url=reader.url("PUBLIC_URL", schemes=("http", "https")).rstrip("/"),
        events_key=reader.text("EMAIL_EVENTS_KEY", default=""),
    )
    user, _, password = found.events_key.partition(":")
    if found.events_key and (not user or len(password) < MIN_KEY_CHARS):
        reader.problem(
            "EMAIL_EVENTS_KEY",
            f"must be user:password, with a random password of {MIN_KEY_CHARS} characters or more",
        )
    if found.is_configured and not ADDRESS.search(found.from_address):
        reader.problem("EMAIL_FROM", "must be the address that e-mails come from when EMAIL_URL is set")
    if found.is_configured and not found.public_url:
        reader.problem("PUBLIC_URL", "must be set when EMAIL_URL is: each e-mail links to a way to stop them")
    return found


def _sms(reader: Reader) -> SmsSettings:
    found = SmsSettings(
        url=reader.url("SMS_GATEWAY_URL", schemes=("http", "https")),
        provider=reader.text("SMS_PROVIDER", default="rayon"),
        sender=reader.text("SMS_SENDER", default=""),
        stop_number=reader.text("SMS_STOP_NUMBER", default=""),
        inbound_key=reader.text("SMS_INBOUND_KEY", default=""),
    )
    if found.provider not in DIALECTS:
        reader.problem("SMS_PROVIDER", f"must be one of: {', '.join(DIALECTS)}")
    if found.inbound_key and len(found.inbound_key) < MIN_KEY_CHARS:
        reader.problem("SMS_INBOUND_KEY", f"must be a random text of at least {MIN_KEY_CHARS} characters")
    if not found.url:
        return found
    if not found.sender:
        reader.problem("SMS_SENDER", "must be set when SMS_GATEWAY_URL is: a name, or a number")
    elif not ANSWERABLE.fullmatch(found.sender) and not found.stop_number:
        # A name cannot be answered, and the law asks for a way to say STOP.
        reader.problem("SMS_STOP_NUMBER", "must be the number that takes STOP when SMS_SENDER is a name")
    return found


def _dev_origins(reader: Reader, *, at_a_desk: bool) -> tuple[str, ...]:
    origins = tuple(reader.listed("WEBPUSH_DEV_ORIGINS", default=[]))
    if origins and not at_a_desk:
        # It switches off the guard against addresses that an attacker chose.
        reader.problem("WEBPUSH_DEV_ORIGINS", "is for development alone: unset it, or set DEBUG=1 or DEMO=1")
        return ()
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            reader.problem("WEBPUSH_DEV_ORIGINS", "must be a list such as http://127.0.0.1:8090")
    return tuple(origin.rstrip("/") for origin in origins)
