"""Who is calling: the socket's peer, or what trusted proxies say about it."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Network = IPv4Network | IPv6Network

HOPS_READ: Final = 32
HEADER_READ: Final = 2048
IPV6_CUSTOMER_BITS: Final = 64  # one customer holds a /64 and may use every address of it


class Addresses:
    """Tells client addresses apart, believing `X-Forwarded-For` only as far as proxies of ours wrote it."""

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted = tuple(trusted_proxies)

    def client(self, scope: Mapping[str, Any]) -> str:
        """The address to hold responsible, an IPv6 one as its /64."""
        peer = scope.get("client")
        address = str(peer[0]) if peer else "unknown"
        for claimed in self._claims(scope):
            if not self._is_proxy(address):
                break
            address = claimed
        return _responsible(address)

    def _claims(self, scope: Mapping[str, Any]) -> list[str]:
        """What was claimed, nearest hop first."""
        if not self._trusted:
            return []
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        text = b",".join(lines)[-HEADER_READ:].decode("latin-1")
        hops = [_without_port(hop.strip()) for hop in text.split(",")]
        return [hop for hop in reversed(hops) if hop][:HOPS_READ]

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted)


def is_loopback(scope: Mapping[str, Any]) -> bool:
    """Whether the socket's peer is this machine."""
    peer = scope.get("client")
    try:
        return peer is not None and ip_address(str(peer[0])).is_loopback
    except ValueError:
        return False


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop


def _responsible(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), IPV6_CUSTOMER_BITS), strict=False))
    return str(parsed)
