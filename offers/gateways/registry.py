"""Which gateway serves a platform. Everything it needs is an argument: settings are read on the roof."""

from collections.abc import Callable, Mapping

from channels.layers import get_channel_layer

from .console import ConsoleGateway
from .email import EmailGateway
from .fcm import FcmGateway
from .port import PushGateway
from .settings import ProviderSettings
from .sms import SmsGateway
from .socket import SocketGateway


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
    "email": _email,
    "sms": _sms,
}
