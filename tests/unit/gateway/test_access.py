import pytest
from starlette.requests import Request

from gateway.admission.access import Access
from gateway.admission.api_keys import NEW_KEYS, ApiKeys
from gateway.admission.tickets import Tickets
from gateway.web.problems import Problem
from stores.postgres.clients import Client, hash_key
from stores.rate_limits.limits import Limits

# Nothing listens there, so the process counts by itself.
NO_REDIS = "redis://127.0.0.1:1/0"
TICKETS = Tickets([b"s" * 32])
ACME = Client("acme", "Acme", "free", ("https://acme.example",))
OPEN = Client("open", "Open", "free", ("*",))
NONE = Client("none", "None", "free", ())


class FakeClients:
    def __init__(self):
        self.lookups = []

    async def by_api_key(self, api_key):
        self.lookups.append(api_key)
        kind, _, name = api_key.partition("_")
        client = await self.get(name)
        return (client, {"pk": "publishable", "sk": "secret"}[kind]) if client and kind in ("pk", "sk") else None

    async def by_key_hash(self, key_hash):
        return (ACME, "publishable") if key_hash == hash_key("pk_acme") else None

    async def get(self, client_id):
        return {"acme": ACME, "open": OPEN, "none": NONE}.get(client_id)


def access_of(clients, *secrets):
    return Access(clients, ApiKeys(clients, Limits(NO_REDIS)), TICKETS, secrets)


ACCESS = access_of(FakeClients(), "first secret", "second secret")


def request(address="192.0.2.1", **headers):
    pairs = [(key.replace("_", "-").encode(), value.encode("latin-1")) for key, value in headers.items()]
    return Request({"type": "http", "headers": pairs, "client": (address, 1)})


def ticket(client_id="acme", session_id="s", key=None):
    return "Bearer " + TICKETS.issue(client_id, session_id, "v", key and hash_key(key))[0]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"x_api_key": "pk_acme", "origin": "https://acme.example"}, "publishable"),
        ({"x_api_key": "pk_open", "origin": "https://anywhere.example"}, "publishable"),
        ({"x_api_key": "pk_open"}, "publishable"),
        ({"authorization": ticket()}, "ticket"),
        ({"authorization": ticket(), "origin": "https://acme.example"}, "ticket"),
        ({"authorization": ticket(key="pk_acme")}, "ticket"),
        ({"authorization": "Bearer sk_acme"}, "secret"),
        ({"authorization": "bearer sk_none"}, "secret"),
        ({"x_internal_secret": "first secret", "x_client_id": "acme"}, "internal"),
        ({"x_internal_secret": "second secret", "x_client_id": "acme"}, "internal"),
    ],
)
async def test_the_four_ways_in(headers, kind):
    assert (await ACCESS.caller(request(**headers))).kind == kind


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x_api_key": "pk_unknown", "origin": "https://acme.example"}, 401),
        ({"x_api_key": "", "origin": "https://acme.example"}, 401),
        ({"x_api_key": "pk_acme"}, 403),
        ({"x_api_key": "pk_none", "origin": "https://acme.example"}, 403),
        ({"x_api_key": "pk_acme", "origin": "https://evil.example"}, 403),
        ({"x_api_key": "pk_acme", "origin": "https://acme.example.evil.example"}, 403),
        ({"x_api_key": "pk_acme", "origin": "null"}, 403),
        ({"x_api_key": "sk_acme"}, 403),
        ({"authorization": "Bearer sk_acme", "origin": "https://acme.example"}, 403),
        ({"authorization": "Bearer sk_unknown"}, 401),
        ({"authorization": "Bearer pk_acme"}, 401),
        ({"authorization": "Basic sk_acme"}, 401),
        ({"authorization": "Bearer rubbish"}, 401),
        ({"authorization": ticket("gone")}, 401),
        ({"authorization": ticket(key="pk_revoked")}, 401),
        ({"authorization": ticket("none", key="pk_acme")}, 401),
        ({"x_internal_secret": "first secret", "x_client_id": "acme", "origin": "https://acme.example"}, 403),
        ({"authorization": ticket(), "origin": "https://evil.example"}, 403),
        ({"x_internal_secret": "wrong", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "\xe9", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "first secret", "x_client_id": "unknown"}, 403),
        ({"x_internal_secret": "first secret"}, 403),
        # A valid key does not help next to a wrong internal secret.
        ({"x_internal_secret": "wrong", "authorization": "Bearer sk_acme"}, 401),
    ],
)
async def test_everybody_else_is_refused_with_the_right_status(headers, status):
    with pytest.raises(Problem) as refused:
        await ACCESS.caller(request(**headers))

    assert refused.value.status == status


async def test_without_a_configured_secret_every_secret_is_refused():
    access = access_of(FakeClients())
    for secret in ("", "x"):
        with pytest.raises(Problem):
            access.require_internal(request(x_internal_secret=secret))


async def test_only_an_allowed_origin_is_noted_for_cors():
    allowed = request(x_api_key="pk_acme", origin="https://acme.example")
    refused = request(x_api_key="pk_acme", origin="https://evil.example")
    await ACCESS.caller(allowed)
    with pytest.raises(Problem):
        await ACCESS.caller(refused)

    assert allowed.state.allowed_origin == "https://acme.example"
    assert not hasattr(refused.state, "allowed_origin")


async def test_a_ticket_opens_its_own_session_and_no_server_route():
    caller = await ACCESS.caller(request(authorization=ticket(session_id="mine")))

    caller.require_session("mine")
    for forbidden in (lambda: caller.require_session("yours"), caller.require_server):
        with pytest.raises(Problem) as refused:
            forbidden()
        assert refused.value.status == 403


async def test_a_flood_of_unknown_keys_is_not_looked_up_and_known_keys_still_work():
    clients = FakeClients()
    access = access_of(clients)
    await access.caller(request(authorization="Bearer sk_acme"))
    statuses = []
    for number in range(500):
        with pytest.raises(Problem) as refused:
            await access.caller(request(authorization=f"Bearer sk_{number}"))
        statuses.append(refused.value.status)

    assert len(clients.lookups) == NEW_KEYS.per_minute
    assert statuses == sorted(statuses)
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert int(refused.value.headers["retry-after"]) > 0
    assert (await access.caller(request(authorization="Bearer sk_acme"))).kind == "secret"
    assert (await access.caller(request(address="192.0.2.2", authorization="Bearer sk_open"))).kind == "secret"
