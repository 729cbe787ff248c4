"""Requests from pages, careless clients and strangers, over HTTP."""

import gzip
import json
import re
from uuid import uuid4

import pytest

from gateway.admission.rate_limits import REFUSALS, UNROUTED_REQUESTS
from tests.support.gateway_running import ScriptedWorker, running_gateway
from tests.support.services import INTERNAL_SECRET

EVIL = "https://evil.example"
SHOP = "https://shop.example"


@pytest.fixture
async def keys(running):
    return await running.seed(f"c-{uuid4().hex}", SHOP)


@pytest.fixture
def server(keys):
    return {"authorization": f"Bearer {keys.secret}", "prefer": "respond-async"}


async def ask(running, server, **body):
    return await running.http.post("/chat", headers=server, json={"message": "Hello?"} | body)


async def test_a_page_can_read_every_refusal_and_no_foreign_answer(running, keys, monkeypatch):
    monkeypatch.setattr(type(running.gateway.admission.access), "_secret", None)
    sent = [
        ("POST", "/chat", {"x-api-key": "pk_wrong"}, 401),
        ("POST", "/chat", {"authorization": "Bearer rubbish"}, 401),
        ("POST", "/chat", {"x-api-key": keys.publishable}, 403),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/chat", {}, 405),
        ("POST", "/chat", {"authorization": "Bearer sk_x"}, 500),
    ]
    for origin in (EVIL, "null"):
        for method, path, headers, status in sent:
            refused = await running.http.request(method, path, headers={"origin": origin, **headers})
            assert refused.status_code == status
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["access-control-allow-origin"] == origin
            assert "origin" in refused.headers["vary"].lower()
            assert "access-control-allow-credentials" not in refused.headers
    for path in ("/health", "/openapi.json", "/metrics"):
        answer = await running.http.get(path, headers={"origin": EVIL})
        assert answer.is_success
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_preflight_grants_harmless_headers_and_none_of_a_servers(running):
    asked = "traceparent, baggage,cache-control, x-requested-with, X-Internal-Secret, x-forwarded-for, b\u00e4d"
    response = await running.http.options(
        "/chat",
        headers=[
            (b"origin", SHOP.encode()),
            (b"access-control-request-method", b"POST"),
            (b"access-control-request-headers", asked.encode("latin-1")),
        ],
    )
    granted = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}

    assert {"traceparent", "baggage", "cache-control", "x-requested-with", "authorization"} <= granted
    assert not granted & {"x-internal-secret", "x-forwarded-for", "*", "b\u00e4d"}


@pytest.mark.parametrize(
    "decoration",
    [
        {"context": {"url": "https://shop.example/?" + "a" * 2_124}},
        {"context": {"url": 7}},
        *({"context": odd} for odd in (None, [], "page", 7)),
        {"locale": "x" * 36},
        {"locale": {"a": 1}},
        {"widgetId": "w" * 65},
        {"widgetId": ""},
        {"widgetId": 3},
    ],
)
async def test_bad_optional_fields_never_refuse_the_question(running, server, own, decoration):
    assert (await ask(running, server, **decoration)).status_code == 202


async def test_a_long_comment_is_cut_and_the_rating_counts(running, server, own):
    async with ScriptedWorker(own):
        asked = (await running.http.post("/chat", headers={"authorization": server["authorization"]},
                                        json={"message": "?"})).json()  # fmt: skip
        body = {"rating": "down", "comment": "a" * 2_001}
        rated = await running.http.post(f"/chat/{asked['messageId']}/feedback", headers=server, json=body)

    assert rated.status_code == 202


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (gzip.compress(b'{"message":"a"}', mtime=0), {"content-encoding": "gzip"}, 415, "Content-Encoding"),
        (b'{"message":"a"}', {"content-encoding": "br"}, 415, "Content-Encoding"),
        ('{"message":"Ä"}'.encode("latin-1"), {}, 400, "UTF-8"),
        ('{"message":"Ä"}'.encode("utf-16"), {}, 400, "UTF-8"),
        ('{"message":"a"}'.encode("utf-16-le"), {}, 400, "UTF-8"),
        (b'\xef\xbb\xbf{"message":"a"}', {}, 202, ""),
        (b'{"message":"a"}', {"content-encoding": "identity"}, 202, ""),
        (json.dumps({"message": "\U0001f600" * 8_000}).encode(), {}, 202, ""),
        (json.dumps({"message": "\U0001f600" * 8_001}).encode(), {}, 422, "8000"),
    ],
)
async def test_unreadable_bodies_are_refused_with_the_reason(running, server, content, headers, status, words):
    answer = await running.http.post("/chat", headers=server | headers, content=content)

    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.parametrize("name", [".", "..", "a/../b", "./a", "a\nb", "a\tb", "a\0b", "a\x7fb", "a\u0085b", "\ud800"])
async def test_a_session_id_that_would_change_in_transit_is_refused(running, server, name):
    body = json.dumps({"message": "?", "sessionId": name})
    posted = await running.http.post("/chat", headers=server, content=body)

    assert posted.status_code == 422
    assert "session" in posted.json()["detail"].lower()


async def test_a_session_id_that_would_change_is_refused_in_a_path_too(running, server):
    for name in ("a%0Ab", "a%00b", "a%09b", "a%2F..%2Fb"):
        answer = await running.http.get(f"/sessions/{name}/messages", headers=server)
        assert answer.status_code == 422, name


async def test_a_uuid_is_accepted_only_in_the_form_that_events_use(running, server):
    name = str(uuid4())
    for odd in (name.upper(), name.replace("-", ""), f"{{{name}}}", f"urn:uuid:{name}"):
        refused = await ask(running, server, messageId=odd)
        assert refused.status_code == 422, odd
        assert "lower case" in refused.json()["detail"]
    assert (await running.http.post(f"/chat/{name.upper()}/cancel", headers=server, json={})).status_code == 422
    assert (await ask(running, server, messageId=name)).json()["messageId"] == name


async def test_documents_are_listed_page_by_page_whatever_their_times(running, server):
    for number in range(5):
        await running.http.post("/process-document", headers=server, files={"file": (f"{number}.txt", b"Text.")})
    found, before = [], None
    while True:
        query = {"limit": 2} | ({"before": before} if before else {})
        page = (await running.http.get("/documents", headers=server, params=query)).json()
        found += [document["filename"] for document in page["documents"]]
        before = page.get("next")
        if before is None:
            break

    assert found == [f"{number}.txt" for number in reversed(range(5))]
    assert (await running.http.get("/documents?before=yesterday", headers=server)).status_code == 422


async def test_the_page_is_for_this_machine_and_stays_in_no_cache_and_no_frame(own):
    async with running_gateway(own.model_copy(update={"demo_api_key": "pk_demo"})) as running:
        mine = await running.http.get("/")
        foreign = await running.http.get("/", headers={"host": "evil.example", "x-forwarded-host": "localhost"})
        local = await running.http.get("/", headers={"host": "localhost:8080"})
        again = await running.http.get("/")

    assert mine.status_code == local.status_code == 200
    assert mine.headers["cache-control"] == "no-store"
    assert mine.headers["x-content-type-options"] == "nosniff"
    assert mine.headers["referrer-policy"] == "no-referrer"
    policy = mine.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    [nonce] = re.findall(r"script-src 'nonce-([^']+)'", policy)
    assert f'<script nonce="{nonce}">' in mine.text
    assert nonce not in again.text
    assert "pk_demo" in mine.text
    assert foreign.status_code == 403
    assert "pk_demo" not in foreign.text


async def test_requests_for_unknown_paths_are_counted_by_address(running):
    # The window slides while the requests are sent, so a few more pass.
    strays = [(await running.http.get("/nowhere")).status_code for _ in range(UNROUTED_REQUESTS.per_minute + 150)]

    assert strays[: UNROUTED_REQUESTS.per_minute] == [404] * UNROUTED_REQUESTS.per_minute
    assert 429 in strays
    assert (await running.http.get("/health/live")).status_code == 200


async def test_guesses_of_the_internal_secret_are_counted(running):
    guess = {"x-internal-secret": "guess"}
    for _ in range(REFUSALS.per_minute + 150):
        refused = await running.http.post("/internal/tickets", headers=guess, json={})
        if refused.status_code == 429:
            break
    known = await running.http.post("/internal/tickets", headers={"x-internal-secret": INTERNAL_SECRET}, json={})

    assert refused.status_code == 429
    assert known.status_code == 422


async def test_a_compressed_upload_is_refused(running, server):
    answer = await running.http.post(
        "/process-document", headers=server | {"content-encoding": "gzip"}, files={"file": ("a.txt", b"Text.")}
    )

    assert answer.status_code == 415
