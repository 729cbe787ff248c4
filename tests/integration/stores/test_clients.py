"""Tenants on a real Postgres."""

import asyncpg
import pytest
from sqlalchemy import insert, text, update
from structlog.testing import capture_logs

from schemas.tables import WidgetRow
from stores.postgres.clients import Client, ClientExistsError, Clients, Keys, Widget, hash_key
from stores.postgres.database import DATABASE_ERRORS
from stores.postgres.stale_cache import FRESH_SECONDS
from tests.support.clock import Clock

ACME = Client("acme", "Acme", "paid", ("https://acme.example",))
KEYS = Keys("pk_demo", "sk_demo")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def clients(engine, clock):
    clients = Clients(engine, clock)
    await clients.ensure(ACME, KEYS)
    return clients


@pytest.fixture
def close_database(services, database_url):
    """Ends the connections to the test's database; Postgres refuses new ones."""

    async def close():
        name = database_url.rpartition("/")[2]
        postgres = await asyncpg.connect(services.postgres_url)
        await postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await postgres.close()

    return close


async def add_widget(engine, widget_id, **fields):
    async with engine.begin() as connection:
        await connection.execute(insert(WidgetRow).values(client_id="acme", widget_id=widget_id, **fields))


async def test_keys_name_their_client_and_kind(clients):
    assert await clients.by_api_key("pk_demo") == (ACME, "publishable")
    assert await clients.by_api_key("sk_demo") == (ACME, "secret")
    assert await clients.by_api_key("pk_other") is None


async def test_revoked_key_stops_working_when_its_cached_row_expires(clients, engine, clock, close_database):
    await clients.by_api_key("sk_demo")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE api_keys SET revoked_at = now() WHERE kind = 'secret'"))
    assert await clients.by_api_key("sk_demo") is not None

    clock.now += FRESH_SECONDS
    assert await clients.by_api_key("sk_demo") is None
    assert await clients.by_api_key("pk_demo") is not None
    await close_database()
    with pytest.raises(DATABASE_ERRORS):
        await clients.by_api_key("sk_demo")


async def test_cached_keys_work_while_postgres_is_away_and_are_logged_nowhere(clients, clock, close_database):
    await clients.by_api_key("sk_demo")
    clock.now += FRESH_SECONDS
    await close_database()
    with capture_logs() as logs:
        assert await clients.by_api_key("sk_demo") == (ACME, "secret")
    with pytest.raises(DATABASE_ERRORS):
        await clients.by_api_key("pk_demo")
    # The key itself is no key of the cache: only its hash is.
    assert await clients.by_key_hash(hash_key("sk_demo")) == (ACME, "secret")
    with pytest.raises(DATABASE_ERRORS):
        await clients.by_key_hash("sk_demo")

    assert len(logs) == 1
    assert "sk_demo" not in str(logs)
    assert hash_key("sk_demo") not in str(logs)


async def test_unknown_keys_are_not_remembered(clients):
    await clients.by_api_key("sk_soon")
    await clients.ensure(Client("soon", "Soon", "free", ()), Keys("pk_soon", "sk_soon"))

    assert (await clients.by_api_key("sk_soon"))[0].client_id == "soon"


async def test_keys_are_stored_hashed(clients, engine):
    async with engine.connect() as connection:
        stored = set((await connection.execute(text("SELECT key_hash FROM api_keys"))).scalars())

    assert stored == {hash_key("pk_demo"), hash_key("sk_demo")}


async def test_new_client_gets_two_keys_and_its_name_is_taken(clients):
    keys = await clients.create(Client("new", "New", "free", ()))

    assert (await clients.by_api_key(keys.publishable))[1] == "publishable"
    assert (await clients.by_api_key(keys.secret))[1] == "secret"
    with pytest.raises(ClientExistsError):
        await clients.create(Client("new", "Other", "free", ()))


async def test_ensure_may_be_repeated_and_updates(clients):
    richer = Client("acme", "Acme Inc.", "free", ("*",))
    await clients.by_api_key("sk_demo")
    await clients.ensure(richer, KEYS)
    await clients.ensure(richer, KEYS)

    assert await clients.get("acme") == richer
    assert await clients.by_api_key("sk_demo") == (richer, "secret")
    assert await clients.get("nobody") is None


async def test_key_of_one_client_cannot_be_ensured_for_another(clients):
    await clients.ensure(Client("rival", "Rival", "free", ()), KEYS)

    assert (await clients.by_api_key("sk_demo"))[0].client_id == "acme"


async def test_widget_is_the_named_or_the_first_or_the_defaults(clients, engine):
    assert await clients.widget("acme", None) == Widget("acme", "default")
    await add_widget(engine, "b", model="gpt-4.1", theme={"color": "red"})
    await add_widget(engine, "a", temperature=0.9)

    assert (await clients.widget("acme", "b")).theme == {"color": "red"}
    assert (await Clients(engine).widget("acme", None)).temperature == 0.9
    assert (await clients.widget("acme", "unknown")).widget_id == "a"
    assert await clients.widget("rival", "b") == Widget("rival", "default")


async def test_widget_is_read_again_when_its_cached_row_expires(clients, engine, clock):
    await add_widget(engine, "a", model="before")
    await clients.widget("acme", "a")
    async with engine.begin() as connection:
        await connection.execute(update(WidgetRow).values(model="after"))

    assert (await clients.widget("acme", "a")).model == "before"
    clock.now += FRESH_SECONDS
    assert (await clients.widget("acme", "a")).model == "after"


async def test_cached_widget_is_used_while_postgres_is_away(clients, engine, clock, close_database):
    await add_widget(engine, "a", model="seen")
    await clients.widget("acme", "a")
    clock.now += FRESH_SECONDS
    await close_database()

    assert (await clients.widget("acme", "a")).model == "seen"
    with pytest.raises(DATABASE_ERRORS):
        await clients.widget("acme", "never seen")
