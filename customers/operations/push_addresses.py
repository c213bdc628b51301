"""Which Web Push endpoints may be called: a subscription is a URL that a stranger gives us to send requests to."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

# The push services of the browsers; docs of each vendor name these hosts.
HOSTS = frozenset({"fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com"})
HOST_SUFFIXES = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
MAX_ENDPOINT_CHARS = 2048

_PLAIN = re.compile(r"[\x21-\x7e]+")  # printable ASCII without spaces
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def is_push_service(endpoint: str, *, also: Collection[str] = ()) -> bool:
    """Whether the endpoint is an https URL of a browser's push service, or one whose host[:port] is in `also`.

    Port 443 only, no user info, no fragment, plain ASCII. What a name resolves to is checked when sending.
    """
    if len(endpoint) > MAX_ENDPOINT_CHARS or not _PLAIN.fullmatch(endpoint) or "\\" in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return False
    if "@" in parts.netloc or "#" in endpoint or not parts.path.startswith("/"):
        return False
    if parts.netloc in also:
        return parts.scheme in ("http", "https")
    host = parts.hostname or ""
    if (
        parts.scheme != "https"
        or parts.netloc.lower() not in (host, f"{host}:443")
        or not _HOST.fullmatch(host)
    ):
        return False
    return host in HOSTS or host.endswith(HOST_SUFFIXES)


def browser_of(endpoint: str) -> str:
    """Return the library's name of the browser whose push service this is."""
    host = urlsplit(endpoint).hostname or ""
    if host.endswith("mozilla.com"):
        return "FIREFOX"
    if host.endswith("windows.com"):
        return "EDGE"
    return "SAFARI" if host.endswith("apple.com") else "CHROME"
