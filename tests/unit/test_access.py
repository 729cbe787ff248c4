import pytest
from starlette.requests import Request

from gateway.access import Access
from gateway.problems import Problem
from gateway.tickets import Tickets
from stores.clients import Client

TICKETS = Tickets([b"s" * 32])
ACME = Client("acme", "Acme", "free", ("https://acme.example",))
OPEN = Client("open", "Open", "free", ("*",))
NONE = Client("none", "None", "free", ())


class FakeClients:
    async def by_api_key(self, api_key):
        kind, _, name = api_key.partition("_")
        client = await self.get(name)
        return (client, {"pk": "publishable", "sk": "secret"}[kind]) if client and kind in ("pk", "sk") else None

    async def get(self, client_id):
        return {"acme": ACME, "open": OPEN, "none": NONE}.get(client_id)


ACCESS = Access(FakeClients(), TICKETS, ("first secret", "second secret"))


def request(**headers):
    pairs = [(key.replace("_", "-").encode(), value.encode("latin-1")) for key, value in headers.items()]
    return Request({"type": "http", "headers": pairs})


def ticket(client_id="acme", session_id="s"):
    return "Bearer " + TICKETS.issue(client_id, session_id, "v")[0]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"x_api_key": "pk_acme", "origin": "https://acme.example"}, "publishable"),
        ({"x_api_key": "pk_open", "origin": "https://anywhere.example"}, "publishable"),
        ({"x_api_key": "pk_open"}, "publishable"),
        ({"authorization": ticket()}, "ticket"),
        ({"authorization": ticket(), "origin": "https://acme.example"}, "ticket"),
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
        ({"authorization": ticket(), "origin": "https://evil.example"}, 403),
        ({"x_internal_secret": "wrong", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "\xe9", "x_client_id": "acme"}, 401),
        ({"x_internal_secret": "first secret", "x_client_id": "unknown"}, 403),
        ({"x_internal_secret": "first secret"}, 403),
        # Whoever comes with a wrong internal secret is not let in by the key beside it.
        ({"x_internal_secret": "wrong", "authorization": "Bearer sk_acme"}, 401),
    ],
)
async def test_everybody_else_is_refused_with_the_right_status(headers, status):
    with pytest.raises(Problem) as refused:
        await ACCESS.caller(request(**headers))

    assert refused.value.status == status


async def test_without_a_configured_secret_no_secret_is_right():
    access = Access(FakeClients(), TICKETS, ())
    for secret in ("", "x"):
        with pytest.raises(Problem):
            access.require_internal(request(x_internal_secret=secret))


async def test_only_an_allowed_origin_is_told_to_the_browser():
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
