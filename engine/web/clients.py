"""Who sent a request: its address, behind proxies that are trusted to tell it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

from engine.settings import Network

_FORWARDED: Final = b"x-forwarded-for"
_HOPS: Final = 20
"""Addresses of X-Forwarded-For that are looked at, from its end."""
_HOUSEHOLD: Final = 64
"""Bits of an IPv6 address that somebody cannot choose himself."""


class Clients:
    """Tells the addresses of clients.

    Args:
        trusted: networks of the proxies before us. A request of anybody else has the address
            it came from, whatever it says.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def address(self, scope: Scope) -> str:
        """Give the client's address; of IPv6 the network of his household; empty if unknown."""
        host = (scope.get("client") or ("", 0))[0]
        address = _parsed(host)
        if self._trusted and address is not None and self._is_trusted(address):
            address = self._forwarded(scope, address)
        return _name(address) if address is not None else host[:60]

    def _forwarded(
        self, scope: Scope, nearest: IPv4Address | IPv6Address
    ) -> IPv4Address | IPv6Address:
        """Walk back from the nearest proxy to the first address that is not one of ours.

        What stands before that, its sender may have made up.
        """
        said = b",".join(value for name, value in scope["headers"] if name == _FORWARDED)
        for part in reversed(said.decode("latin-1").rsplit(",", _HOPS)[-_HOPS:]):
            address = _parsed(part.strip())
            if address is None:
                return nearest
            nearest = address
            if not self._is_trusted(address):
                return address
        return nearest

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _name(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address.packed, _HOUSEHOLD), strict=False))
