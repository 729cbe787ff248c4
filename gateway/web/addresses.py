"""Where a request comes from, as far as one can tell: behind proxies uvicorn's `FORWARDED_ALLOW_IPS` decides."""

from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from starlette.requests import Request

UNKNOWN = "unknown"
# What one household or one rented server has of IPv6: it could use another address for each request.
NETWORK_BITS = 64
MAX_REMEMBERED = 4_096


def address_of(request: Request) -> str:
    """The address to count by: IPv4 whole, IPv6 by its network."""
    return _counted(request.client.host) if request.client else UNKNOWN


@lru_cache(MAX_REMEMBERED)
def _counted(host: str) -> str:
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host[:64]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> (128 - NETWORK_BITS) << (128 - NETWORK_BITS))}/{NETWORK_BITS}"
