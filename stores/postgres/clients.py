"""Tenants, their keys and their widgets."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from time import monotonic
from typing import Any, Literal, cast

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.events import Tier
from schemas.tables import ApiKeyRow, ClientRow, WidgetRow
from stores.postgres.database import single_statements
from stores.postgres.stale_cache import StaleWhileAwayCache

KEY_BYTES = 24
# How exactly `last_used_at` is known: a key that is used all the time costs a write a minute.
LAST_USED_WITHIN = timedelta(minutes=1)

KeyKind = Literal["publishable", "secret"]


class ClientExistsError(Exception):
    """A client with this id exists already."""


@dataclass(frozen=True, slots=True)
class Client:
    """A tenant. `allowed_origins` are whole origins, or `*` for any."""

    client_id: str
    name: str
    tier: Tier
    allowed_origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Widget:
    """How a client's widget answers and looks. The tier chooses a missing `provider` or `model`."""

    client_id: str
    widget_id: str
    provider: str | None = None
    model: str | None = None
    temperature: float = 0.2
    max_tokens: int = 1024
    system_prompt: str | None = None
    no_answer_text: str | None = None
    theme: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keys:
    """A client's API keys in plain text; only their hashes are stored."""

    publishable: str
    secret: str


def hash_key(api_key: str) -> str:
    """The stored form of a key. Keys are long random strings, so a plain digest cannot be guessed."""
    return sha256(api_key.encode()).hexdigest()


class Clients:
    """The rows of `clients`, `api_keys` and `client_widgets`."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = monotonic) -> None:
        self._engine = engine
        self._statements = single_statements(engine)
        self._clients: StaleWhileAwayCache[str, Client] = StaleWhileAwayCache("client", clock)
        self._widgets: StaleWhileAwayCache[tuple[str, str | None], Widget] = StaleWhileAwayCache("widget", clock)
        self._owners: StaleWhileAwayCache[str, tuple[Client, KeyKind]] = StaleWhileAwayCache("key owner", clock)

    async def by_api_key(self, api_key: str) -> tuple[Client, KeyKind] | None:
        """The key's client and kind, or None for an unknown or revoked key.

        Cached like `get`: a revoked key stays valid for 10 s, or until Postgres is back.
        """
        return await self.by_key_hash(hash_key(api_key))

    async def by_key_hash(self, key_hash: str) -> tuple[Client, KeyKind] | None:
        """The same for a key's hash."""
        return await self._owners.get(key_hash, lambda: self._load_owner(key_hash))

    async def revoked(self, key_hashes: Collection[str]) -> set[str]:
        """Those of these hashes that are revoked or unknown."""
        query = select(ApiKeyRow.key_hash).where(ApiKeyRow.key_hash.in_(key_hashes), ApiKeyRow.revoked_at.is_(None))
        async with self._statements.connect() as connection:
            return set(key_hashes) - set((await connection.execute(query)).scalars())

    async def get(self, client_id: str) -> Client | None:
        """The client, or None. At most 10 s old; while Postgres is unavailable, the last one seen."""
        return await self._clients.get(client_id, lambda: self._load(client_id))

    async def widget(self, client_id: str, widget_id: str | None) -> Widget:
        """The named widget; for None or an unknown id the client's first; for a client without any, the defaults.

        Cached like `get`.
        """
        found = await self._widgets.get((client_id, widget_id), lambda: self._load_widget(client_id, widget_id))
        assert found is not None, "there is always the default"
        return found

    async def create(self, client: Client) -> Keys:
        """Adds the client with a new pair of keys. Raises `ClientExistsError`."""
        keys = Keys(f"pk_{token_urlsafe(KEY_BYTES)}", f"sk_{token_urlsafe(KEY_BYTES)}")
        statement = insert(ClientRow).values(_values(client)).on_conflict_do_nothing().returning(ClientRow.client_id)
        async with self._engine.begin() as connection:
            if (await connection.execute(statement)).one_or_none() is None:
                raise ClientExistsError(f"A client named {client.client_id} exists already: choose another id.")
            await _insert_keys(connection, client.client_id, keys)
        return keys

    async def ensure(self, client: Client, keys: Keys) -> None:
        """Creates or updates the client and adds these keys; its other keys stay valid."""
        values = _values(client)
        statement = insert(ClientRow).values(values).on_conflict_do_update(index_elements=["client_id"], set_=values)
        async with self._engine.begin() as connection:
            await connection.execute(statement)
            await _insert_keys(connection, client.client_id, keys)
        self._clients.forget(client.client_id)
        for key in (keys.publishable, keys.secret):
            self._owners.forget(hash_key(key))

    async def _load_owner(self, key_hash: str) -> tuple[Client, KeyKind] | None:
        is_valid = (ApiKeyRow.key_hash == key_hash) & ApiKeyRow.revoked_at.is_(None)
        is_stale = ApiKeyRow.last_used_at.is_(None) | (ApiKeyRow.last_used_at < func.now() - LAST_USED_WITHIN)
        used = update(ApiKeyRow).where(is_valid, is_stale).values(last_used_at=func.now()).cte("used")
        query = (
            select(ClientRow, ApiKeyRow.kind)
            .join(ApiKeyRow, ApiKeyRow.client_id == ClientRow.client_id)
            .where(is_valid)
            .add_cte(used)
        )
        async with self._statements.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return (_client(row), cast("KeyKind", row.kind)) if row else None

    async def _load(self, client_id: str) -> Client | None:
        async with self._statements.connect() as connection:
            row = (await connection.execute(select(ClientRow).where(ClientRow.client_id == client_id))).one_or_none()
        return _client(row) if row else None

    async def _load_widget(self, client_id: str, widget_id: str | None) -> Widget:
        query = (
            select(WidgetRow)
            .where(WidgetRow.client_id == client_id)
            .order_by((WidgetRow.widget_id == (widget_id or "")).desc(), WidgetRow.widget_id)
            .limit(1)
        )
        async with self._statements.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return Widget(**row) if row else Widget(client_id, "default")


async def _insert_keys(connection: AsyncConnection, client_id: str, keys: Keys) -> None:
    rows = [
        {"key_hash": hash_key(keys.publishable), "client_id": client_id, "kind": "publishable"},
        {"key_hash": hash_key(keys.secret), "client_id": client_id, "kind": "secret"},
    ]
    await connection.execute(insert(ApiKeyRow).values(rows).on_conflict_do_nothing())


def _values(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "tier": client.tier,
        "allowed_origins": list(client.allowed_origins),
    }


def _client(row: Any) -> Client:
    return Client(row.client_id, row.name, row.tier, tuple(row.allowed_origins))
