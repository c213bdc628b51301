"""Which Web Push endpoints may be called: a subscription is a URL that a stranger gives us to send requests to.

Asked twice: when a browser registers, and of every message before it is sent (docs/decisions/0013-web-push-guard.md).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

MAX_ENDPOINT_CHARS = 2048
MAX_HOST_CHARS = 253
WILDCARD = "*."

_DEFAULT_PORTS = {"https": 443, "http": 80}
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # printable ASCII without spaces and backslashes
_URL = re.compile(r"(https?)://([^/?#]+)(/.*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:([0-9]{1,5}))?")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})+")


class EndpointRefusal(StrEnum):
    """Why an endpoint is not called."""

    MALFORMED = "ENDPOINT_MALFORMED"
    USER_INFO = "ENDPOINT_WITH_USER_INFO"
    FRAGMENT = "ENDPOINT_WITH_FRAGMENT"
    NOT_HTTPS = "ENDPOINT_NOT_HTTPS"
    WRONG_PORT = "ENDPOINT_PORT_NOT_443"
    UNKNOWN_HOST = "ENDPOINT_HOST_NOT_ALLOWED"


class RefusedEndpoint(Exception):
    """An endpoint that is not called; the text of the error is the refusal's name, never the endpoint."""

    def __init__(self, refusal: EndpointRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint taken apart once, so that nobody reads the same text differently later."""

    scheme: str  # https; http only at a dev origin
    host: str  # small letters, an IPv6 address without its brackets
    port: int
    target: str  # path and query
    is_dev: bool = False  # at an origin that is allowed in spite of the guard

    @property
    def origin(self) -> str:
        """Return the origin as RFC 6454 writes it: the port only where it is not the scheme's own."""
        return origin_of(scheme=self.scheme, host=self.host, port=self.port)

    @property
    def url(self) -> str:
        return self.origin + self.target


def origin_of(*, scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{shown}:{port}"


def checked_endpoint(
    text: str, *, allowed_hosts: Collection[str], dev_origins: Collection[str] = ()
) -> Endpoint:
    """Return the endpoint, known to be one that may be called; raises RefusedEndpoint.

    allowed_hosts: names in small letters; `*.example` stands for example's subdomains at any depth, not for itself.
    dev_origins: scheme://host[:port]; what begins with one of them may be http, on any port and host.
    What a name resolves to is another question, asked when it is connected to.
    """
    endpoint = _parsed(text)
    if endpoint.origin in {origin_at(origin) for origin in dev_origins}:
        return Endpoint(
            scheme=endpoint.scheme,
            host=endpoint.host,
            port=endpoint.port,
            target=endpoint.target,
            is_dev=True,
        )
    if endpoint.scheme != "https":
        raise RefusedEndpoint(EndpointRefusal.NOT_HTTPS)
    if endpoint.port != _DEFAULT_PORTS["https"]:
        raise RefusedEndpoint(EndpointRefusal.WRONG_PORT)
    if not is_allowed(endpoint.host, allowed_hosts=allowed_hosts):
        raise RefusedEndpoint(EndpointRefusal.UNKNOWN_HOST)
    return endpoint


def is_allowed(host: str, *, allowed_hosts: Collection[str]) -> bool:
    """Whether a host in small letters is on the list."""
    if len(host) > MAX_HOST_CHARS or not _NAME.fullmatch(host):
        return False
    return any(
        host.endswith(allowed[1:]) if allowed.startswith(WILDCARD) else host == allowed
        for allowed in allowed_hosts
    )


def origin_at(url: str) -> str:
    """Return the origin of a URL with or without a path, in the form Endpoint.origin has; raises RefusedEndpoint."""
    return _parsed(url.rstrip("/") + "/").origin


def _parsed(text: str) -> Endpoint:
    if len(text) > MAX_ENDPOINT_CHARS or not _PLAIN.fullmatch(text):
        raise RefusedEndpoint(EndpointRefusal.MALFORMED)
    if "#" in text:
        raise RefusedEndpoint(EndpointRefusal.FRAGMENT)
    url = _URL.fullmatch(text)
    if url is None:
        raise RefusedEndpoint(EndpointRefusal.MALFORMED)
    scheme, authority, target = url[1].lower(), url[2].lower(), url[3]
    if "@" in authority:
        raise RefusedEndpoint(EndpointRefusal.USER_INFO)
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise RefusedEndpoint(EndpointRefusal.MALFORMED)
    port = int(parts[3]) if parts[3] else _DEFAULT_PORTS[scheme]
    return Endpoint(scheme=scheme, host=parts[1].strip("[]"), port=port, target=target)
