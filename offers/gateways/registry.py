"""Which gateway serves a platform. Everything it needs is an argument: settings are read on the roof."""

from pathlib import Path

from .console import ConsoleGateway
from .fcm import DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_S, GOOGLE_BASE_URL, FcmGateway
from .port import PushGateway


class NoGateway(Exception):
    """No gateway can be made for the platform; the text says what is missing."""


def gateway_for(
    platform: str,
    *,
    credentials_file: Path | None = None,
    base_url: str = GOOGLE_BASE_URL,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    concurrency: int = DEFAULT_CONCURRENCY,
) -> PushGateway:
    """Return the gateway for a platform: fcm or console.

    Raises NoGateway for any other platform and for fcm without credentials; BadCredentialsFile for a file that
    is not a service account's.
    """
    if platform == "console":
        return ConsoleGateway()
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
