"""EMAIL_URL and what stands around it: read once, named where it is wrong, and no secret told."""

from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from config.env import read_environment
from config.settings.mail import TELLABLE, read_mail
from config.settings.rayon import read_rayon
from offers.gateways.settings import EmailSettings, ProviderSettings, SmsSettings

BACKENDS = "django.core.mail.backends"
PRODUCTION = {"DATABASE_URL": "postgis://app:secret@db.example:5433/rayon", "SECRET_KEY": "k"}
EMAIL = {
    "EMAIL_URL": "smtp+tls://u:hush@mail.example",
    "EMAIL_FROM": "Carotte <offres@carotte.example>",
    "PUBLIC_URL": "https://carotte.example/",
}
EVENTS_KEY = "provider:" + "x" * 20
SMS = {"SMS_GATEWAY_URL": "https://u:hush@sms.example", "SMS_SENDER": "Carotte", "SMS_STOP_NUMBER": "36180"}


def read(url: str, *, is_private: bool = False) -> dict[str, Any]:
    return read_mail(url=url, from_address="", is_private=is_private)


def smtp(host: str, port: int, user: str = "", password: str = "", **more: bool) -> dict[str, Any]:
    return {
        "EMAIL_TIMEOUT": 8,
        "EMAIL_BACKEND": "offers.gateways.email_wire.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        **more,
    }


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://127.0.0.1:2525", smtp("127.0.0.1", 2525)),
        ("smtp://mail.example", smtp("mail.example", 25)),
        ("smtp+tls://u:p%40ss@mail.example", smtp("mail.example", 587, "u", "p@ss", EMAIL_USE_TLS=True)),
        ("smtps://u%40x:p@mail.example:4650", smtp("mail.example", 4650, "u@x", "p", EMAIL_USE_SSL=True)),
        ("smtps://mail.example", smtp("mail.example", 465, EMAIL_USE_SSL=True)),
        ("smtp://[::1]:2525", smtp("::1", 2525)),
        ("console://", {"EMAIL_TIMEOUT": 8, "EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}),
        ("", {"EMAIL_TIMEOUT": 8, "EMAIL_BACKEND": f"{BACKENDS}.dummy.EmailBackend"}),
    ],
)
def test_a_url_becomes_djangos_settings(url: str, found: dict[str, Any]) -> None:
    assert read(url) == found


def test_at_a_desk_mail_is_printed() -> None:
    assert read("", is_private=True)["EMAIL_BACKEND"] == f"{BACKENDS}.console.EmailBackend"


def test_the_sender_is_djangos_too() -> None:
    found = read_mail(url="", from_address="offres@carotte.example", is_private=False)
    assert found["DEFAULT_FROM_EMAIL"] == "offres@carotte.example"


@pytest.mark.parametrize(
    ("url", "backend", "anymail"),
    [
        (
            "anymail+brevo://?api_key=k%2B1&api_url=http://127.0.0.1:8025/",
            "brevo",
            {"BREVO_API_KEY": "k+1", "BREVO_API_URL": "http://127.0.0.1:8025/"},
        ),
        (
            "anymail+mailgun://?api_key=k&sender_domain=mg.carotte.example",
            "mailgun",
            {
                "MAILGUN_API_KEY": "k",
                "MAILGUN_SENDER_DOMAIN": "mg.carotte.example",
                "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
            },
        ),
        (
            "anymail+unisender-go://?api_key=k",
            "unisender_go",
            {
                "UNISENDER_GO_API_KEY": "k",
                "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
            },
        ),
    ],
)
def test_a_providers_api_is_anymails(url: str, backend: str, anymail: dict[str, Any]) -> None:
    assert read(url) == {
        "EMAIL_TIMEOUT": 8,
        "EMAIL_BACKEND": f"anymail.backends.{backend}.EmailBackend",
        "ANYMAIL": {"REQUESTS_TIMEOUT": 8, **anymail},
    }


def test_what_is_read_is_what_a_provider_gets(settings: Any) -> None:
    for name, value in read("anymail+brevo://?api_key=k&api_url=http://127.0.0.1:8025/v3").items():
        setattr(settings, name, value)
    backend = get_connection()
    assert (backend.api_url, backend.timeout) == ("http://127.0.0.1:8025/v3/", 8)


@pytest.mark.parametrize("name", sorted(TELLABLE))
def test_who_is_told_not_to_follow_can_be_told(name: str) -> None:
    module = import_module(f"anymail.backends.{name}")
    [payload] = [one for key, one in vars(module).items() if key.endswith("Payload") and _is_tellable(one)]
    assert payload.__module__ == module.__name__


def _is_tellable(payload: Any) -> bool:
    return {"set_track_opens", "set_track_clicks"} <= vars(payload).keys()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "mail.example:25",
            "EMAIL_URL must begin with smtp://, smtp+tls://, smtps://, console:// or anymail+",
        ),
        ("smtp+ssl://u:hush@mail.example", "EMAIL_URL must begin with"),
        ("smtp://u:hush@mail.example:many", "EMAIL_URL must look like smtp+tls://user:password@host:587."),
        ("smtp://", "EMAIL_URL must look like"),
        (
            "anymail+pigeon://?api_key=hush",
            "EMAIL_URL names a mail provider that anymail does not know: pigeon.",
        ),
        ("anymail+://?api_key=hush", "EMAIL_URL names a mail provider that anymail does not know: ."),
        (
            "anymail+base.x://?api_key=hush",
            "EMAIL_URL names a mail provider that anymail does not know: base.x.",
        ),
    ],
)
def test_a_wrong_url_is_named_without_its_secret(url: str, told: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read(url)
    assert str(raised.value).startswith(told)
    assert "hush" not in str(raised.value)


def test_the_environment_says_who_sends_and_where_we_are() -> None:
    found = read_environment(
        source={**PRODUCTION, **EMAIL, **SMS, "SMS_INBOUND_KEY": "x" * 20, "EMAIL_EVENTS_KEY": EVENTS_KEY}
    ).providers
    assert found.email == EmailSettings(
        is_configured=True,
        from_address="Carotte <offres@carotte.example>",
        public_url="https://carotte.example",
        events_key=EVENTS_KEY,
    )
    assert found.sms == SmsSettings(
        url="https://u:hush@sms.example", sender="Carotte", stop_number="36180", inbound_key="x" * 20
    )
    assert found.channels == ("push", "email", "sms")
    assert "hush" not in repr(found) and "xxxx" not in repr(found)


@pytest.mark.parametrize(
    ("given", "channels"),
    [({}, ("push",)), (EMAIL, ("push", "email")), (SMS, ("push", "sms"))],
)
def test_a_house_has_the_channels_it_has_a_way_for(given: dict[str, str], channels: tuple[str, ...]) -> None:
    assert read_environment(source={**PRODUCTION, **given}).providers.channels == channels
    assert ProviderSettings().channels == ("push",)


def test_channels_follow_from_the_providers_and_are_not_set_by_hand() -> None:
    with pytest.raises(ImproperlyConfigured, match="RAYON_CHANNELS is not a setting of Rayon."):
        read_rayon(source={"RAYON_CHANNELS": "push,email"})


@pytest.mark.parametrize("sender", ["36180", "+33757900000", f"MG{'0a' * 16}"])
def test_a_sender_that_can_be_answered_needs_no_other_number(sender: str) -> None:
    given = {**PRODUCTION, **SMS, "SMS_SENDER": sender, "SMS_STOP_NUMBER": ""}
    assert read_environment(source=given).providers.sms.sender == sender


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({**EMAIL, "EMAIL_FROM": ""}, "EMAIL_FROM must be the address"),
        ({**EMAIL, "EMAIL_FROM": "Carotte"}, "EMAIL_FROM must be the address"),
        ({**EMAIL, "PUBLIC_URL": ""}, "PUBLIC_URL must be set when EMAIL_URL is"),
        ({**EMAIL, "PUBLIC_URL": "carotte.example"}, "PUBLIC_URL must be a URL"),
        ({**SMS, "SMS_SENDER": ""}, "SMS_SENDER must be set when SMS_GATEWAY_URL is"),
        ({**SMS, "SMS_STOP_NUMBER": ""}, "SMS_STOP_NUMBER must be the number that takes STOP"),
        ({**SMS, "SMS_PROVIDER": "pigeon"}, "SMS_PROVIDER must be one of: rayon, twilio, vonage"),
        ({**SMS, "SMS_GATEWAY_URL": "sms.example"}, "SMS_GATEWAY_URL must be a URL"),
        ({"EMAIL_EVENTS_KEY": "provider:short"}, "EMAIL_EVENTS_KEY must be user:password"),
        ({"EMAIL_EVENTS_KEY": "x" * 40}, "EMAIL_EVENTS_KEY must be user:password"),
        ({"EMAIL_EVENTS_KEY": ":" + "x" * 20}, "EMAIL_EVENTS_KEY must be user:password"),
        ({"SMS_INBOUND_KEY": "short"}, "SMS_INBOUND_KEY must be a random text of at least 20"),
    ],
)
def test_a_wrong_variable_is_named(given: dict[str, str], told: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read_environment(source={**PRODUCTION, **given})
    (line,) = str(raised.value).splitlines()
    assert line.startswith(told)
    assert "hush" not in line and "short" not in line
