"""The address that rate limits count by. Behind proxies it depends on uvicorn's `FORWARDED_ALLOW_IPS`."""

from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from starlette.requests import Request

UNKNOWN = "unknown"
# The IPv6 network of one household or one rented server: it could use another address for each request.
NETWORK_BITS = 64
MAX_REMEMBERED = 4_096


def address_of(request: Request) -> str:
    """The address to count by: IPv4 unchanged, IPv6 as its network, `UNKNOWN` without a peer."""
    return _normalized(request.client.host) if request.client else UNKNOWN


@lru_cache(MAX_REMEMBERED)
def _normalized(host: str) -> str:
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host[:64]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> (128 - NETWORK_BITS) << (128 - NETWORK_BITS))}/{NETWORK_BITS}"
