"""Which gateway serves a platform. Everything it needs is an argument: settings are read on the roof."""

from collections.abc import Callable, Mapping

from channels.layers import get_channel_layer

from .apns import ApnsGateway
from .apns_request import is_host, is_topic
from .console import ConsoleGateway
from .email import EmailGateway
from .fcm import FcmGateway
from .port import PushGateway
from .settings import ProviderSettings
from .sms import SmsGateway
from .socket import SocketGateway
from .webpush import WebPushGateway
from .webpush_guard import Guard
from .webpush_vapid import is_subject


class NoGateway(Exception):
    """No gateway can be made for the platform; the text says what is missing, `variable` where it is set."""

    def __init__(self, text: str, *, variable: str = "") -> None:
        super().__init__(text)
        self.variable = variable


def gateway_for(platform: str, *, providers: ProviderSettings) -> PushGateway:
    """Return the gateway for a platform: a name in GATEWAYS.

    Raises NoGateway for any other platform, for socket without a channel layer, and where credentials are missing;
    BadCredentialsFile for a file that is not what the provider gives.
    """
    make = GATEWAYS.get(platform)
    if make is None:
        raise NoGateway(f"There is no gateway for the platform {platform!r}.")
    return make(providers)


def _console(providers: ProviderSettings) -> PushGateway:
    return ConsoleGateway()


def _socket(providers: ProviderSettings) -> PushGateway:
    layer = get_channel_layer()
    if layer is None:
        raise NoGateway("Sockets need a channel layer: CHANNEL_LAYERS names none.", variable="REDIS_URL")
    return SocketGateway(layer=layer, ack_wait_s=providers.socket_ack_s)


def _fcm(providers: ProviderSettings) -> PushGateway:
    given = providers.fcm
    if given.credentials_file is None:
        raise NoGateway(
            "FCM needs a service account file: GOOGLE_APPLICATION_CREDENTIALS names none.",
            variable="GOOGLE_APPLICATION_CREDENTIALS",
        )
    return FcmGateway(
        credentials_file=given.credentials_file,
        base_url=given.base_url,
        ca_file=given.ca_file,
        timeout_s=providers.timeout_s,
        concurrency=providers.concurrency,
    )


def _apns(providers: ProviderSettings) -> PushGateway:
    given = providers.apns
    needed = {
        "APNS_KEY_FILE": given.key_file,
        "APNS_KEY_ID": given.key_id,
        "APNS_TEAM_ID": given.team_id,
        "APNS_TOPIC": given.topic,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise NoGateway(
            f"APNs needs a key, its id, a team and a topic: nothing in {', '.join(missing)}.",
            variable=missing[0],
        )
    if not is_topic(given.topic):
        raise NoGateway(
            "APNS_TOPIC is not an app's bundle id, such as com.example.shop.", variable="APNS_TOPIC"
        )
    if not is_host(given.host):
        raise NoGateway("APNS_HOST is not the name of a host.", variable="APNS_HOST")
    return ApnsGateway(settings=given, timeout_s=providers.timeout_s, concurrency=providers.concurrency)


def _webpush(providers: ProviderSettings) -> PushGateway:
    given = providers.webpush
    if given.vapid_key_file is None:
        raise NoGateway(
            "Web Push needs a VAPID key: WEBPUSH_VAPID_KEY_FILE names none; make_vapid_key makes one.",
            variable="WEBPUSH_VAPID_KEY_FILE",
        )
    if not is_subject(given.vapid_subject):
        raise NoGateway(
            "Web Push needs somebody to complain to: WEBPUSH_VAPID_SUBJECT must be a mailto: or https: address.",
            variable="WEBPUSH_VAPID_SUBJECT",
        )
    return WebPushGateway(
        guard=Guard.of(given),
        vapid_key_file=given.vapid_key_file,
        vapid_subject=given.vapid_subject,
        timeout_s=providers.timeout_s,
        concurrency=providers.concurrency,
    )


def _email(providers: ProviderSettings) -> PushGateway:
    if not providers.email.is_configured:
        raise NoGateway("E-mail needs a way out: EMAIL_URL names none.", variable="EMAIL_URL")
    return EmailGateway(
        from_address=providers.email.from_address,
        public_url=providers.email.public_url,
        timeout_s=providers.timeout_s,
    )


def _sms(providers: ProviderSettings) -> PushGateway:
    if not providers.sms.url:
        raise NoGateway("SMS needs a gateway: SMS_GATEWAY_URL names none.", variable="SMS_GATEWAY_URL")
    return SmsGateway(settings=providers.sms, timeout_s=providers.timeout_s)


GATEWAYS: Mapping[str, Callable[[ProviderSettings], PushGateway]] = {
    "console": _console,
    "socket": _socket,
    "fcm": _fcm,
    "apns": _apns,
    "webpush": _webpush,
    "email": _email,
    "sms": _sms,
}
