"""Every route has a rate limit, and every concurrency limit a share per client."""

import asyncio
from uuid import uuid4

import pytest
from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.concurrency import DOCUMENT_STREAMS, ConcurrencyLimit
from gateway.admission.rate_limits import ACTIONS, PUBLIC, READS, REFUSALS, RENEWALS
from gateway.admission.shedding import FullError
from gateway.routes import ROUTES
from stores.postgres.clients import Client
from tests.support.gateway_running import running_gateway

PAGE = {"origin": "https://shop.example"}


def test_no_route_is_without_a_rate():
    for route in ROUTES:
        assert route.rate.address or route.rate.server, route.path


async def test_every_route_has_a_limit(settings):
    """Floods get 429: cancels, feedback, history, ticket renewals, and routes that need no key."""
    async with running_gateway(settings) as running:
        keys = await running.seed(f"c-{uuid4().hex}", "*")
        opened = await running.http.post(
            "/chat", headers={**PAGE, "x-api-key": keys.publishable, "prefer": "respond-async"}, json={"message": "?"}
        )
        visitor = {"authorization": f"Bearer {opened.json()['ticket']}", "accept": "application/json"}
        session, message = opened.json()["sessionId"], opened.json()["messageId"]
        floods = {
            ("POST", f"/chat/{message}/cancel"): ACTIONS.session,
            ("POST", f"/chat/{uuid4()}/feedback"): ACTIONS.session,
            ("GET", f"/sessions/{session}/messages"): READS.session,
            ("POST", f"/sessions/{session}/ticket"): RENEWALS.session,
            ("GET", "/health"): PUBLIC.address,
            ("GET", "/openapi.json"): PUBLIC.address,
        }
        for (method, path), policy in floods.items():
            body = {"rating": "up"} if method == "POST" else None
            # All at once: spread over a minute they might stay within the limit.
            answers = await asyncio.gather(
                *(running.http.request(method, path, headers=visitor, json=body) for _ in range(policy.per_minute + 10))
            )
            refused = [answer for answer in answers if answer.status_code == 429]
            assert refused, path
            assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert (await running.http.get("/health/live")).status_code == 200


async def test_wrong_keys_are_counted_and_good_keys_still_pass(settings):
    async with running_gateway(settings) as running:
        keys = await running.seed(f"c-{uuid4().hex}", "*")
        guesses = [
            running.http.get("/documents", headers={"authorization": "Bearer guess"})
            for _ in range(REFUSALS.per_minute + 10)
        ]
        statuses = {answer.status_code for answer in await asyncio.gather(*guesses)}
        good = await running.http.get("/documents", headers={"authorization": f"Bearer {keys.secret}"})

    assert (statuses, good.status_code) == ({401, 429}, 200)


async def test_one_clients_document_streams_leave_another_its_own(settings):
    own_share = DOCUMENT_STREAMS.client
    places = ConcurrencyLimit(DOCUMENT_STREAMS)
    one, other = (Caller(Client(name, name, "free", ()), "secret") for name in ("one", "other"))

    def request():
        return Request({"type": "http", "headers": [], "client": ("192.0.2.1", 1)})

    for number in range(own_share):
        places.acquire(request(), one, f"doc_{number}")
    with pytest.raises(FullError) as refused:
        places.acquire(request(), one, "doc_more")
    places.acquire(request(), other, "doc_1")

    assert refused.value.status == 429
