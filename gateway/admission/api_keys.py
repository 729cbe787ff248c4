"""The client of an API key. An unknown key costs a query, so an address may try only so many."""

import asyncio
from typing import Literal, Protocol

from cachetools import FIFOCache

from gateway.admission.shedding import too_many
from stores.postgres.clients import Client, hash_key
from stores.rate_limits.limits import LimitRequest, Limits, Policy

# A page or a server has one or two keys; two queries a second do not hurt.
NEW_KEYS = Policy("keys", 120)
# The dashboard asks about the keys that pages send to it.
RELAYED_KEYS = Policy("keys", 1_200)
MAX_REMEMBERED = 10_000

KeyKind = Literal["publishable", "secret"]


class ApiKeyStore(Protocol):
    """What `ApiKeys` needs of `stores.postgres.clients.Clients`."""

    async def by_api_key(self, api_key: str) -> tuple[Client, KeyKind] | None:
        """The client and kind of a key; None when it is unknown or revoked."""
        ...


class ApiKeys:
    """Looks keys up. A key that was valid before is never refused for other requests of its address."""

    def __init__(self, keys: ApiKeyStore, limits: Limits) -> None:
        self._keys = keys
        self._limits = limits
        self._valid: FIFOCache[str, None] = FIFOCache(MAX_REMEMBERED)
        self._pending: dict[str, asyncio.Future[None]] = {}

    async def find(self, api_key: str, address: str, policy: Policy = NEW_KEYS) -> tuple[Client, KeyKind] | None:
        """The client and the kind of a key; None for an unknown one. Raises `Problem` 429 for a flood of new keys."""
        digest = hash_key(api_key)
        # All visitors of a site send one key, at the same time to an instance that has just started.
        while digest not in self._valid and digest in self._pending:
            await asyncio.wait([self._pending[digest]])
        if digest in self._valid:
            return await self._look_up(api_key, digest)
        looked_up = self._pending[digest] = asyncio.get_running_loop().create_future()
        try:
            status = await self._limits.take_unknown(LimitRequest(policy, address))
            if not status.is_allowed:
                raise too_many(status, "keys were tried from this address")
            return await self._look_up(api_key, digest)
        finally:
            del self._pending[digest]
            looked_up.set_result(None)

    async def _look_up(self, api_key: str, digest: str) -> tuple[Client, KeyKind] | None:
        found = await self._keys.by_api_key(api_key)
        if found is None:
            self._valid.pop(digest, None)
        else:
            self._valid[digest] = None
        return found
