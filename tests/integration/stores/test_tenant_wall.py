"""G6, the stores: every function requires a client, and none returns or changes another client's data."""

import dataclasses
import inspect
import pkgutil
from datetime import UTC, date, datetime
from importlib import import_module

import pytest
from pydantic import BaseModel

import stores
from stores.postgres.sessions import SessionOwner
from stores.rate_limits.limits import LimitRequest, Policy
from tests.integration.tenants import (
    MARK,
    SECRET,
    Ids,
    Stores,
    advanced,
    chunk,
    client,
    completed,
    content,
    keys,
    rated,
    uploaded,
)
from tests.support.fakes_knowledge import unit

NO_TENANT = {
    "Attempts.purge": "deletes old rows of all clients and returns only their number",
    "CircuitBreaker.call": "awaits the call of another function",
    "Clients.by_api_key": "finds the client of a key",
    "Clients.by_key_hash": "finds the client of a key",
    "Clients.revoked": "returns which key hashes are revoked",
    "Connections.close": "ends the connections",
    "Connections.connect": "a connection carries no client",
    "Connections.fetch": "the driver under `Statement`",
    "Database.dispose": "ends the connections",
    "EmbeddingCache.close": "ends the connections",
    "Documents.every": "for the audit on the command line, which sees all clients",
    "Limits.close": "ends the connection",
    "Limits.ping": "checks whether Redis answers",
    "Limits.take_unknown": "counts a caller whose client is not known yet",
    "PipelinedRedis.close": "ends the connection",
    "PipelinedRedis.execute_command": "the driver under `Limits`, whose keys carry the client",
    "StaleWhileAwayCache.get": "the cache under `Clients`, whose keys are the client id or the hash of its API key",
    "Statement.fetch": "the driver under the stores, whose values carry the client",
    "Statement.fetch_one": "the driver under the stores, whose values carry the client",
    "Uploads.delete": "gets its uri from an event of the client",
    "Uploads.fetch": "gets its uri from an event of the client; a caller's uri is checked by `belongs_to` first",
    "VectorStore.close": "ends the connection",
    "open_folder": "opens the store",
    "open_server": "opens the store",
    "open_vectors": "opens the store",
    "upgrade": "creates the tables",
    "Uploads.files": "for the audit on the command line, which sees all clients",
    "VectorStore.versions": "for the audit on the command line; counts, no content",
}

ALPHA, BETA = "alpha", "beta"

# Calls by client beta with alpha's ids. `s`: the stores, `i`: the ids, `u`: the uri of alpha's file.
CALLS = {
    "Attempts.begin": lambda s, i, u: s.attempts.begin(BETA, i.message_id, i.session_id),
    "Attempts.renew": lambda s, i, u: s.attempts.renew(BETA, i.message_id, 1),
    "Attempts.finish": lambda s, i, u: s.attempts.finish(BETA, i.message_id, i.session_id, 7, {"text": "mine"}),
    "Attempts.ending": lambda s, i, u: s.attempts.ending(BETA, i.message_id, i.session_id),
    "ChatLogs.record": lambda s, i, u: s.chat_logs.record(completed(BETA, i, "mine")),
    "ChatLogs.get": lambda s, i, u: s.chat_logs.get(BETA, i.message_id),
    "ChatLogs.page": lambda s, i, u: s.chat_logs.page(BETA, i.session_id, before=None, limit=10),
    "ChatLogs.turns": lambda s, i, u: s.chat_logs.turns(BETA, i.session_id, before=datetime.now(UTC), limit=10),
    "ChatLogs.rate": lambda s, i, u: s.chat_logs.rate(rated(BETA, i, "mine")),
    "Clients.get": lambda s, i, u: s.clients.get(BETA),
    "Clients.widget": lambda s, i, u: s.clients.widget(BETA, i.widget_id),
    "Clients.create": lambda s, i, u: s.clients.create(client("gamma", "mine")),
    "Clients.ensure": lambda s, i, u: s.clients.ensure(client(BETA, "mine"), keys(ALPHA)),
    "Documents.register": lambda s, i, u: s.documents.register(uploaded(BETA, i, "mine", "file:///mine", 9)),
    "Documents.take_version": lambda s, i, u: s.documents.take_version(BETA, i.document_id, i.external_id),
    "Documents.by_external_id": lambda s, i, u: s.documents.by_external_id(BETA, i.external_id),
    "Documents.get": lambda s, i, u: s.documents.get(BETA, i.document_id),
    "Documents.ahead_of": lambda s, i, u: s.documents.ahead_of(BETA, i.document_id),
    "Documents.list": lambda s, i, u: s.documents.list(BETA),
    "Documents.advance": lambda s, i, u: s.documents.advance(advanced(BETA, i)),
    "Documents.delete": lambda s, i, u: s.documents.delete(BETA, i.document_id),
    "EmbeddingCache.get": lambda s, i, u: s.embeddings.get(BETA, [MARK]),
    "EmbeddingCache.put": lambda s, i, u: s.embeddings.put(BETA, {MARK: unit(2)}),
    "Limits.take": lambda s, i, u: s.limits.take(BETA, [ONE]),
    "UsageStats.days": lambda s, i, u: s.usage.days(BETA, date(2020, 1, 1), date(2100, 1, 1)),
    "Sessions.claim": lambda s, i, u: s.sessions.claim(BETA, i.session_id, SessionOwner("server")),
    "Sessions.find": lambda s, i, u: s.sessions.find(BETA, i.session_id),
    "Sessions.transfer": lambda s, i, u: s.sessions.transfer(BETA, i.session_id, "v"),
    "Uploads.put": lambda s, i, u: s.uploads.put(BETA, i.document_id, 1, f"{MARK}.txt", content("mine"), max_bytes=99),
    "Uploads.delete_older": lambda s, i, u: s.uploads.delete_older(BETA, i.document_id, 9, keep=u),
    "Uploads.delete_document": lambda s, i, u: s.uploads.delete_document(BETA, i.document_id),
    "VectorStore.upsert": lambda s, i, u: s.vectors.upsert(BETA, [chunk(i, "mine")]),
    "VectorStore.search": lambda s, i, u: s.vectors.search(BETA, unit(1), 10),
    "VectorStore.vectors_of": lambda s, i, u: s.vectors.vectors_of(BETA, i.document_id, [""]),
    "VectorStore.publish_version": lambda s, i, u: s.vectors.publish_version(BETA, i.document_id, 9),
    "VectorStore.delete": lambda s, i, u: s.vectors.delete(BETA, i.document_id),
    "VectorStore.count": lambda s, i, u: s.vectors.count(BETA, i.document_id),
}  # fmt: skip
ONE = LimitRequest(Policy("wall", 1))
# These return a name that beta passed in; nothing else may contain alpha's mark.
ECHOES = {"Uploads.put"}


def public_functions():
    """(name, function) of every public coroutine function and method in `stores`."""
    for module in pkgutil.walk_packages(stores.__path__, "stores."):
        if ".versions" in module.name or module.name.endswith(".env"):
            continue
        for name, value in vars(import_module(module.name)).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.name:
                continue
            if inspect.isclass(value):
                yield from ((f"{name}.{method}", made) for method, made in vars(value).items()
                            if not method.startswith("_") and is_async(made))  # fmt: skip
            elif is_async(value):
                yield name, value


def is_async(value):
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


def carries_client(parameter):
    """Whether it is a required `client_id`, or an event or row that requires one."""
    if parameter.default is not inspect.Parameter.empty:
        return False
    kind = parameter.annotation
    if parameter.name == "client_id":
        return kind is str
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return "client_id" in kind.model_fields and kind.model_fields["client_id"].is_required()
    if dataclasses.is_dataclass(kind):
        return any(one.name == "client_id" and one.default is dataclasses.MISSING for one in dataclasses.fields(kind))
    return False


def test_no_function_of_a_store_can_be_called_without_a_client():
    found = dict(public_functions())
    without = {
        name for name, made in found.items()
        if not any(map(carries_client, inspect.signature(made, eval_str=True).parameters.values()))
    }  # fmt: skip

    assert without == set(NO_TENANT)
    assert set(found) - without == set(CALLS), "a function that takes a client is missing from CALLS"


@pytest.fixture
async def filled(engine, settings):
    """All stores; alpha has data in each, beta has only its client row."""
    stores, ids = await Stores.open(engine, settings), Ids()
    try:
        uri = await stores.fill(ALPHA, ids, SECRET)
        await stores.clients.ensure(client(BETA, "mine"), keys(BETA))
        yield stores, ids, uri
    finally:
        await stores.close()


@pytest.mark.parametrize("name", CALLS)
async def test_no_call_of_one_client_tells_or_changes_anything_of_another(filled, name):
    stores, ids, uri = filled
    before = await stores.belongings(ALPHA, ids)
    assert all(before.values()), "alpha has no data in one of the stores"

    answer = await CALLS[name](stores, ids, uri)

    assert name in ECHOES or MARK not in repr(answer)
    assert await stores.belongings(ALPHA, ids) == before


async def test_one_clients_used_up_limit_does_not_affect_another(filled):
    stores, ids, _ = filled
    once = [dataclasses.replace(ONE, owner=ids.session_id)]
    taken = [(await stores.limits.take(owner, once)).is_allowed for owner in (ALPHA, ALPHA, BETA)]

    assert taken == [True, False, True]


async def test_a_key_stays_with_its_client_and_a_file_in_its_folder(filled):
    stores, _, uri = filled
    await stores.clients.ensure(client(BETA, "mine"), keys(ALPHA))
    found = await stores.clients.by_api_key(keys(ALPHA).secret)

    assert found is not None
    assert found[0].client_id == ALPHA
    assert stores.uploads.belongs_to(ALPHA, uri)
    assert not stores.uploads.belongs_to(BETA, uri)
