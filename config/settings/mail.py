"""EMAIL_URL as Django's mail settings: SMTP in three kinds, or a mail provider's API through django-anymail."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import ENVIRONMENT

BACKENDS = "django.core.mail.backends"
SMTP_BACKEND = "offers.gateways.email_wire.EmailBackend"  # Django's, on a wire that can be cut
TIMEOUT_S = 8
# Scheme: how it is encrypted, and the port where none is given (RFC 8314, RFC 6409).
SMTP = {"smtp": ("", 25), "smtp+tls": ("EMAIL_USE_TLS", 587), "smtps": ("EMAIL_USE_SSL", 465)}
PROVIDER = "anymail+"
# The providers that can be told with each mail not to put a pixel or a redirect into it; for the others it is a setting
# of the account.
TELLABLE = frozenset(
    {
        "mailersend",
        "mailgun",
        "mailjet",
        "mandrill",
        "postmark",
        "sendgrid",
        "sparkpost",
        "unisender_go",
    }
)


def read_mail(*, url: str, from_address: str, is_private: bool) -> dict[str, Any]:
    """Return the settings that EMAIL_URL stands for.

    `smtp://`, `smtp+tls://` (STARTTLS), `smtps://` (TLS at once), each `user:password@host:port`; `console://`;
    `anymail+<provider>://?api_key=…`, with `-` for anymail's `_`, whose query holds anymail's own settings of that provider
    in small letters. Empty: printed where one works (`is_private`), nowhere else. Raises ImproperlyConfigured, without a secret in it.
    """
    common = {"EMAIL_TIMEOUT": TIMEOUT_S, **({"DEFAULT_FROM_EMAIL": from_address} if from_address else {})}
    try:
        parts = urlsplit(url)
        if not url or parts.scheme == "console":
            kind = "console" if url or is_private else "dummy"
            return {**common, "EMAIL_BACKEND": f"{BACKENDS}.{kind}.EmailBackend"}
        if parts.scheme in SMTP:
            return {**common, **_smtp(parts)}
        if parts.scheme.startswith(PROVIDER):
            return {**common, **_provider(parts)}
    except ValueError:  # a port that is none
        raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.") from None
    raise ImproperlyConfigured(
        f"EMAIL_URL must begin with {', '.join(f'{scheme}://' for scheme in (*SMTP, 'console'))} or {PROVIDER}<provider>://."
    )


def _smtp(parts: SplitResult) -> dict[str, Any]:
    if not parts.hostname:
        raise ValueError
    encryption, port = SMTP[parts.scheme]
    return {
        "EMAIL_BACKEND": SMTP_BACKEND,
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        **({encryption: True} if encryption else {}),
    }


def _provider(parts: SplitResult) -> dict[str, Any]:
    name = parts.scheme.removeprefix(PROVIDER).replace("-", "_")
    if not name.isidentifier() or find_spec(f"anymail.backends.{name}") is None:
        raise ImproperlyConfigured(f"EMAIL_URL names a mail provider that anymail does not know: {name}.")
    given = {f"{name}_{key}".upper(): value for key, value in parse_qsl(parts.query)}
    untracked = {"SEND_DEFAULTS": {"track_opens": False, "track_clicks": False}} if name in TELLABLE else {}
    return {
        "EMAIL_BACKEND": f"anymail.backends.{name}.EmailBackend",
        "ANYMAIL": {"REQUESTS_TIMEOUT": TIMEOUT_S, **given, **untracked},
    }


globals().update(
    read_mail(
        url=ENVIRONMENT.email_url,
        from_address=ENVIRONMENT.providers.email.from_address,
        is_private=ENVIRONMENT.debug or ENVIRONMENT.demo,
    )
)
