"""What the gateways need to know of their providers; read from the environment on the roof, handed down as one value."""

from dataclasses import dataclass, field
from pathlib import Path

GOOGLE_BASE_URL = "https://fcm.googleapis.com"
APPLE_HOST = "api.push.apple.com"
# The push services of Chrome, Firefox, Safari and Edge; `*.` stands for any one or more labels.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "web.push.apple.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FcmSettings:
    base_url: str = GOOGLE_BASE_URL  # https means HTTP/2, plain http HTTP/1.1
    credentials_file: Path | None = None  # a service account's
    ca_file: Path | None = None  # trusted besides the system's, for a stand-in over TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsSettings:
    host: str = APPLE_HOST
    port: int = 443
    ca_file: Path | None = None  # trusted besides the system's
    key_file: Path | None = None  # the .p8 file: an EC private key, PEM
    key_id: str = ""
    team_id: str = ""
    topic: str = ""  # the app's bundle id


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPushSettings:
    allowed_hosts: tuple[str, ...] = PUSH_SERVICES
    dev_origins: tuple[
        str, ...
    ] = ()  # scheme://host:port allowed in spite of the guard; refused unless DEBUG
    vapid_key_file: Path | None = None  # an EC private key, PEM
    vapid_subject: str = ""  # mailto: or https: address that a push service may complain to


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings:
    is_configured: bool = False  # EMAIL_URL was given; Django's mail settings then hold the rest
    from_address: str = ""
    public_url: str = ""  # where the house is reached from outside: links to unsubscribe begin with it
    # user:password that a mail provider shows when it tells what became of mails; empty: no door
    events_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSettings:
    # of the HTTP gateway; user information in it holds the credentials
    url: str = field(default="", repr=False)
    provider: str = "rayon"  # the dialect it speaks: offers/gateways/sms_dialects.py
    sender: str = ""
    stop_number: str = ""  # where STOP is sent to; empty: to the sender itself, which then is a number
    inbound_key: str = field(default="", repr=False)  # what the gateway shows at our door; empty: no door


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    fcm: FcmSettings = field(default_factory=FcmSettings)
    apns: ApnsSettings = field(default_factory=ApnsSettings)
    webpush: WebPushSettings = field(default_factory=WebPushSettings)
    email: EmailSettings = field(default_factory=EmailSettings)
    sms: SmsSettings = field(default_factory=SmsSettings)
    socket_ack_s: float = 10.0  # without the app's acknowledgement by then, the push goes out
    timeout_s: float = 8.0  # one request, whole
    concurrency: int = 64  # requests under way at one provider

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that new messages may take; pushes wait for their provider, and so are always there."""
        has = {"push": True, "email": self.email.is_configured, "sms": bool(self.sms.url)}
        return tuple(channel for channel, is_there in has.items() if is_there)
