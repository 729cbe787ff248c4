"""How the command line calls a gateway: its address, the caller's key, and refusals as sentences."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from chatconnect import last_stack
from schemas.retry_after import retry_after_seconds

# Above the gateway's 15 s heartbeat: a connection that is silent for longer is dead.
SILENCE_SECONDS = 40
CONNECT_SECONDS = 5
BUSY_STATUSES = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
TRANSIENT_STATUSES = (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT)
MAX_PAUSE_SECONDS = 30.0


class ApiError(Exception):
    """The gateway refused, and asking again would not help. The message is a sentence for the user."""


class BusyError(Exception):
    """The gateway, or a proxy before it, asks to try again after `retry_after_seconds`."""

    def __init__(self, sentence: str, retry_after_seconds: float) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class GatewayAccess:
    """The gateway's address and our key."""

    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """A secret key travels as a bearer token, a publishable one as `x-api-key` (`docs/wire.md`)."""
        return {"Authorization": f"Bearer {self.key}"} if self.key.startswith("sk_") else {"x-api-key": self.key}

    @property
    def is_loopback(self) -> bool:
        """Whether the gateway is on this machine, so that a proxy must not be used."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def access(url: str | None, key: str | None, key_name: str) -> GatewayAccess:
    """From the flags, else the environment, else the last started stack. Raises `ApiError` when none has them."""
    known = last_stack.read() | {name: value for name in ("GATEWAY_URL", key_name) if (value := os.environ.get(name))}
    url, key = url or known.get("GATEWAY_URL"), key or known.get(key_name)
    if not url or not key:
        raise ApiError("No running stack is known here: start one with `make dev`, or pass --url and --key.")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ApiError(f"--url must start with http:// or https://, not {url!r}.")
    return GatewayAccess(url.rstrip("/"), key)


def timeout() -> httpx.Timeout:
    """Timeouts of every request; heartbeats keep streams open."""
    return httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)


def check(response: httpx.Response) -> None:
    """Raises `BusyError` or `ApiError` for a refusal. A refused streamed response must have been read."""
    if response.is_success:
        return
    if response.status_code in BUSY_STATUSES or response.status_code in TRANSIENT_STATUSES:
        raise BusyError(_sentence(response), _retry_after_seconds(response))
    raise ApiError(_sentence(response))


def unreachable(url: str) -> ApiError:
    """The error for a gateway that accepts no connection."""
    return ApiError(f"Nothing answers at {url}: start it with `make dev`, or pass another --url.")


def _sentence(response: httpx.Response) -> str:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"The gateway answered {response.status_code} {response.reason_phrase} to {response.request.url.path}."
    return str(detail)


def _retry_after_seconds(response: httpx.Response) -> float:
    seconds = retry_after_seconds(response.headers, datetime.now(UTC))
    return 1.0 if seconds is None else min(seconds, MAX_PAUSE_SECONDS)
