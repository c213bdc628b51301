"""Which gateway serves a platform. Everything it needs is an argument: settings are read on the roof."""

from pathlib import Path

from channels.layers import get_channel_layer

from .console import ConsoleGateway
from .fcm import DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_S, GOOGLE_BASE_URL, FcmGateway
from .port import PushGateway
from .socket import ACK_WAIT_S, SocketGateway


class NoGateway(Exception):
    """No gateway can be made for the platform; the text says what is missing."""


def gateway_for(
    platform: str,
    *,
    credentials_file: Path | None = None,
    base_url: str = GOOGLE_BASE_URL,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    concurrency: int = DEFAULT_CONCURRENCY,
    ack_wait_s: float = ACK_WAIT_S,
) -> PushGateway:
    """Return the gateway for a platform: fcm, socket or console.

    Raises NoGateway for any other platform, for socket without a channel layer, and for fcm without credentials; BadCredentialsFile for a file that
    is not a service account's.
    """
    if platform == "console":
        return ConsoleGateway()
    if platform == "socket":
        layer = get_channel_layer()
        if layer is None:
            raise NoGateway("Sockets need a channel layer: CHANNEL_LAYERS names none.")
        return SocketGateway(layer=layer, ack_wait_s=ack_wait_s)
    if platform != "fcm":
        raise NoGateway(f"There is no gateway for the platform {platform!r}.")
    if credentials_file is None:
        raise NoGateway("FCM needs a service account file: GOOGLE_APPLICATION_CREDENTIALS names none.")
    return FcmGateway(
        credentials_file=credentials_file,
        base_url=base_url,
        timeout_s=timeout_s,
        concurrency=concurrency,
    )
