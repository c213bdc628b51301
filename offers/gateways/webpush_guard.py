"""What Web Push requests may reach: endpoints are chosen by strangers, so each is judged as an attack.

Two questions, both asked of every message: may this URL be called (customers.rules.push_endpoints, the same rule that a
browser is registered by), and is what its name resolves to a public address. docs/decisions/0013-web-push-guard.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from customers.rules.push_endpoints import (
    Endpoint,
    RefusedEndpoint,
    checked_endpoint,
    origin_at,
    origin_of,
)

from .fitting import CannotBuild
from .settings import WebPushSettings

ADDRESS_NOT_PUBLIC = "ADDRESS_NOT_PUBLIC"

# Python's registry knows the private, shared, reserved and documentation ranges of its own release; these it calls
# global, or only some releases know. IANA's special-purpose registries, read November 2026.
_NOT_PUBLIC_V4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
)
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")  # outside: mapped, compatible, NAT64, local, multicast
_NOT_PUBLIC_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them: it carries an IPv4 address
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4: carries an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)


class GuardRefused(CannotBuild):
    """A request that is not made; `code` names why and says nothing of the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The rule, with what the deployment allows."""

    allowed_hosts: tuple[str, ...]
    dev_origins: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: WebPushSettings) -> "Guard":
        return cls(
            allowed_hosts=tuple(host.lower() for host in settings.allowed_hosts),
            dev_origins=tuple(origin_at(origin) for origin in settings.dev_origins),
        )

    def endpoint(self, text: str) -> Endpoint:
        """Return the endpoint that may be called; raises GuardRefused."""
        try:
            return checked_endpoint(text, allowed_hosts=self.allowed_hosts, dev_origins=self.dev_origins)
        except RefusedEndpoint as error:
            raise GuardRefused(error.refusal.value) from None

    def is_dev(self, *, host: str, port: int) -> bool:
        """Whether a connection to this host and port is exempt."""
        return any(
            origin_of(scheme=scheme, host=host, port=port) in self.dev_origins for scheme in ("http", "https")
        )

    def public(self, addresses: Sequence[str]) -> list[str]:
        """Return the addresses that a name resolved to, each once, all known to be public; raises GuardRefused.

        One address that is not public spoils the lot: a name that mixes them is up to something.
        """
        if not addresses or not all(is_public(address) for address in addresses):
            raise GuardRefused(ADDRESS_NOT_PUBLIC)
        return list(dict.fromkeys(addresses))


def is_public(address: str) -> bool:
    """Whether an IP address, as text, is one of the public internet that no other form hides behind.

    >>> is_public("142.250.75.234"), is_public("::ffff:142.250.75.234"), is_public("100.64.0.1")
    (True, False, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    # A scope (fe80::1%eth0) belongs to this machine's own links.
    if address.scope_id is not None or address not in _GLOBAL_UNICAST_V6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_V6)
