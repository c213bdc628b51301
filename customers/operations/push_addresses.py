"""Whose push service an endpoint is, and whether it may be registered: the rule is customers.rules.push_endpoints."""

from collections.abc import Collection
from urllib.parse import urlsplit

from customers.rules.push_endpoints import RefusedEndpoint, checked_endpoint


def is_push_service(
    endpoint: str, *, allowed_hosts: Collection[str], dev_origins: Collection[str] = ()
) -> bool:
    """Whether a browser may be registered at the endpoint."""
    try:
        checked_endpoint(endpoint, allowed_hosts=allowed_hosts, dev_origins=dev_origins)
    except RefusedEndpoint:
        return False
    return True


def browser_of(endpoint: str) -> str:
    """Return the library's name of the browser whose push service this is."""
    host = urlsplit(endpoint).hostname or ""
    if host.endswith("mozilla.com"):
        return "FIREFOX"
    if host.endswith("windows.com"):
        return "EDGE"
    return "SAFARI" if host.endswith("apple.com") else "CHROME"
