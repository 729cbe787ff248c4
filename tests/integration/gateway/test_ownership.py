"""Who may see what, tested over HTTP as a stranger would try."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from uuid import uuid4

import asyncpg
import pytest

from gateway import app
from gateway.admission.tickets import Tickets
from gateway.app import GatewayTiming
from schemas.events import ChatCompleted, Usage
from stores.postgres import stale_cache
from stores.postgres.clients import Clients, hash_key
from tests.support.gateway_running import ScriptedWorker, events_of, running_gateway
from tests.support.patience import SECONDS
from tests.support.services import INTERNAL_SECRET

LATER = {"prefer": "respond-async"}
INTERNAL = {"x-internal-secret": INTERNAL_SECRET}


@pytest.fixture
async def keys(running):
    return await running.seed(f"c-{uuid4().hex}", "*")


def page(keys):
    return {"x-api-key": keys.publishable, "origin": "https://shop.example"} | LATER


def server(keys):
    return {"authorization": f"Bearer {keys.secret}"} | LATER


def holder(ticket):
    return {"authorization": f"Bearer {ticket}"} | LATER


def client_of(keys):
    return keys.publishable.removeprefix("pk_")


async def ask(running, headers, **body):
    return await running.http.post("/chat", headers=headers, json={"message": "?"} | body)


async def issue(running, keys, session, **body):
    body = {"clientId": client_of(keys), "sessionId": session} | body
    return await running.http.post("/internal/tickets", headers=INTERNAL, json=body)


def slug(response):
    return response.json()["type"].rpartition("/")[2].rpartition(":")[2]


@pytest.mark.parametrize("path", ["events", "messages"])
async def test_a_publishable_key_reads_no_session_before_or_after_it_has_begun(running, keys, path):
    session = str(uuid4())
    for _ in range(2):
        async with running.http.stream("GET", f"/sessions/{session}/{path}", headers=page(keys)) as refused:
            assert refused.status_code == 403
            await refused.aread()
            assert slug(refused) == "ticket-needed"
        await ask(running, server(keys), sessionId=session)


async def test_of_many_pages_that_name_one_new_session_at_once_only_one_is_accepted(running, own, keys):
    async with running_gateway(own) as other:
        for _ in range(5):
            session = str(uuid4())
            asked = [ask(one, page(keys), sessionId=session) for one in (running, other) * 3]
            answers = await asyncio.gather(*asked)

            assert sorted(answer.status_code for answer in answers) == [202, *[403] * 5]
            assert {slug(answer) for answer in answers if answer.status_code == 403} == {"ticket-needed"}


async def test_a_pages_first_post_repeated_finds_its_session_by_its_names(running, own, keys):
    message = str(uuid4())
    first = (await ask(running, page(keys), messageId=message)).json()
    async with running_gateway(own) as other:
        for names in ({"messageId": message}, {"messageId": message, "sessionId": first["sessionId"]}):
            again = await ask(other, page(keys), **names)
            assert (again.status_code, again.json()["sessionId"]) == (202, first["sessionId"])
            assert again.json()["ticket"]


async def test_a_message_is_answered_only_in_its_own_session(running, own, keys):
    message, session = str(uuid4()), str(uuid4())
    waiting = {"authorization": f"Bearer {keys.secret}"}
    async with ScriptedWorker(own):
        first = await ask(running, waiting, messageId=message, sessionId=session)
        assert first.status_code == 200
        for headers in (waiting, page(keys)):
            refused = await ask(running, headers, messageId=message, sessionId=str(uuid4()))
            assert (refused.status_code, slug(refused)) == (409, "message-id-taken")


async def test_a_server_gets_no_ticket_of_a_session_that_a_page_opened(running, keys):
    session = str(uuid4())
    assert (await ask(running, page(keys), sessionId=session)).status_code == 202

    assert (await issue(running, keys, session)).status_code == 409
    assert (await issue(running, keys, session, visitorId="somebody")).status_code == 409


async def test_no_page_opens_a_session_that_was_ticketed(running, keys):
    session = str(uuid4())
    assert (await issue(running, keys, session)).status_code == 200

    assert (await ask(running, page(keys), sessionId=session)).status_code == 403


async def test_a_servers_session_given_to_several_visitors_at_once_goes_to_one(running, keys):
    for _ in range(5):
        session = str(uuid4())
        await ask(running, server(keys), sessionId=session)
        given = await asyncio.gather(*(issue(running, keys, session, visitorId=f"v{number}") for number in range(4)))
        assert sorted(one.status_code for one in given) == [200, 409, 409, 409]


async def test_a_page_cannot_claim_a_session_that_a_server_logged(running, keys):
    session = str(uuid4())
    await running.gateway.chat_logs.record(_logged(client_of(keys), session))
    answers = await asyncio.gather(*(ask(running, page(keys), sessionId=session, messageId=str(uuid4())) for _ in "ab"))

    assert [answer.status_code for answer in answers] == [403, 403]
    assert (await issue(running, keys, session, visitorId="v")).status_code == 200


async def test_an_unknown_message_is_neither_rated_nor_cancelled(running, keys):
    ticket = (await ask(running, page(keys))).json()["ticket"]
    for headers in (holder(ticket), server(keys)):
        for path, body in (("feedback", {"rating": "up"}), ("cancel", {}), ("cancel", {"sessionId": str(uuid4())})):
            refused = await running.http.post(f"/chat/{uuid4()}/{path}", headers=headers, json=body)
            assert refused.status_code in ((403, 404) if body.get("sessionId") else (404,)), refused.text


async def test_a_ticket_continues_its_session_without_naming_it(running, keys):
    first = (await ask(running, page(keys))).json()
    goes_on = await ask(running, holder(first["ticket"]))

    assert (goes_on.status_code, goes_on.json()["sessionId"]) == (202, first["sessionId"])


async def test_an_expired_ticket_is_exchanged_the_next_morning_and_opens_nothing_else(running, own, keys):
    client, session = client_of(keys), str(uuid4())
    yesterday = Tickets(own.ticket_secrets, lifetime=-timedelta(hours=8))
    opened = running.gateway.admission.tickets.read(
        (await ask(running, page(keys), sessionId=session)).json()["ticket"]
    )
    visitor = yesterday.issue(client, session, opened.visitor_id, opened.key_hash)[0]
    stranger = yesterday.issue(client, session, "stranger")[0]
    expired = await running.http.get(f"/sessions/{session}/messages", headers=holder(visitor))
    renewed = await running.http.post(f"/sessions/{session}/ticket", headers=holder(visitor))

    assert (expired.status_code, slug(expired)) == (401, "ticket-expired")
    assert renewed.status_code == 200
    opened = await running.http.get(f"/sessions/{session}/messages", headers=holder(renewed.json()["ticket"]))
    assert opened.status_code == 200
    for path, ticket in ((uuid4(), visitor), (session, stranger)):
        assert (await running.http.post(f"/sessions/{path}/ticket", headers=holder(ticket))).status_code == 403


async def test_a_revoked_key_ends_its_tickets_their_renewal_and_their_streams(running, own, keys, monkeypatch):
    # At every look at the clock, each cached row has expired.
    clock = count(step=stale_cache.FRESH_SECONDS).__next__
    monkeypatch.setattr(app, "Clients", partial(Clients, clock=clock))
    async with running_gateway(own, timing=GatewayTiming(key_look_seconds=0.1)) as fresh:
        opened = (await ask(fresh, page(keys))).json()
        session, mine = opened["sessionId"], holder(opened["ticket"])
        async with fresh.http.stream("GET", f"/sessions/{session}/events", headers=mine) as stream:
            assert stream.status_code == 200
            await _revoke(own.database_url, keys.publishable)
            async with asyncio.timeout(SECONDS):
                await events_of(stream)
        assert (await fresh.http.get(f"/sessions/{session}/messages", headers=mine)).status_code == 401
        assert (await fresh.http.post(f"/sessions/{session}/ticket", headers=mine)).status_code == 401


async def test_the_internal_secret_is_refused_from_a_browser(running, keys):
    headers = INTERNAL | {"x-client-id": client_of(keys), "origin": "https://shop.example"}
    for method, path in (("POST", "/internal/tickets"), ("POST", "/internal/validate-client"), ("GET", "/documents")):
        refused = await running.http.request(method, path, headers=headers)
        assert refused.status_code == 403, path


async def _revoke(database_url, key):
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE api_keys SET revoked_at = now() WHERE key_hash = $1", hash_key(key))
    finally:
        await connection.close()


def _logged(client_id, session_id):
    now = datetime.now(UTC)
    return ChatCompleted(
        client_id=client_id, session_id=session_id, message_id=uuid4(), attempt=1, outcome="completed", question="?",
        answer="!", sources=[], citations=[], finish_reason="stop", provider="none", model="none", tier="free",
        usage=Usage(input_tokens=0, output_tokens=0), cost_usd=0, retrieval_ms=0, answer_ms=0, requested_at=now,
        completed_at=now,
    )  # fmt: skip
