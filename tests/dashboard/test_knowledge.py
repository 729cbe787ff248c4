"""Documents, trials, conversations and usage through the dashboard, with real Kafka, gateway and worker."""

import asyncio
import csv
import io
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest

from streams.publisher import Publisher
from tests.dashboard.people import Person
from tests.faults.conftest import question
from tests.support.model_server import expected
from tests.support.patience import SECONDS

HANDBOOK = b"# Opening\n\nThe lighthouse is open from nine to six.\n"


@pytest.fixture
async def owner(dashboard):
    async with Person(dashboard.address) as person:
        assert (await person.set_up(await dashboard.first_start())).status_code == 200
        yield person


@asynccontextmanager
async def progress(dashboard, owner, origin=None):
    """The WebSocket that the knowledge page opens."""
    url = f"{dashboard.address}/api/dashboard/progress"
    cookie = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, origin=origin or dashboard.address, headers={"cookie": cookie}) as socket,
    ):
        yield socket


async def upload(owner, name="lighthouse.md", content=HANDBOOK, **fields):
    return await owner.post("/documents/upload", files={"file": (name, content)}, data=fields)


async def ask(http, site, message):
    """As a visitor."""
    headers = {"x-api-key": site.keys.publishable}
    answer = await http.post("/api/widget/chat", json={"message": message}, headers=headers)
    assert answer.status_code == 200


async def until(owner, document_id, status):
    async with asyncio.timeout(SECONDS):
        while (found := (await owner.get(f"/documents/{document_id}/status")).json())["status"] != status:
            await asyncio.sleep(0.05)
    return found


async def test_a_document_is_uploaded_watched_replaced_and_deleted(dashboard, owner, site):
    async with Publisher(site.settings) as publisher, progress(dashboard, owner) as socket:
        state = await socket.receive_json()
        assert [one["status"] for one in state["documents"]] == ["ready"]
        for value in (b"no JSON", b"[]", b'{"clientId": 1}', None):
            await publisher.send_raw("document.progress", b"doc_x", value, [("client-id", site.client_id.encode())])
        # The reader of the live end may not be there yet: a browser gets the state first, then what happens.
        accepted = await upload(owner, externalId="lighthouse")
        assert accepted.status_code == 202
        document = accepted.json()
        assert document.keys() == {"id", "status", "filename"}
        # A quick worker has begun before the answer is written.
        assert document["status"] in {"pending", "parsing"}
        seen = []
        async with asyncio.timeout(SECONDS):
            while "ready" not in seen:
                message = await socket.receive_json()
                if message["type"] == "progress" and message["document"]["id"] == document["id"]:
                    seen.append(message["document"]["status"])

    newer = (await upload(owner, content=b"# Opening\n\nIt is open from ten.\n", externalId="lighthouse")).json()
    assert newer["id"] == document["id"]
    assert (await until(owner, newer["id"], "ready"))["version"] == 2
    assert (await owner.delete(f"/documents/{newer['id']}")).status_code == 202
    assert newer["id"] not in {one["id"] for one in (await owner.get("/documents")).json()["documents"]}
    actions = [one["action"] for one in (await owner.get("/audit")).json()["entries"]]
    assert actions == ["document deleted", "document uploaded", "document uploaded"]


async def test_the_socket_is_for_our_own_pages_and_for_who_is_signed_in(dashboard, owner):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with progress(dashboard, owner, "https://evil.example"):
            pass
    assert refused.value.status == 403
    owner.cookies.clear()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with progress(dashboard, owner):
            pass
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("name", "content", "status"), [("tool.exe", b"MZ\0\0", 415), ("empty.md", b"", 422), ("fake.pdf", b"MZ\0\0", 415)]
)
async def test_what_is_no_document_is_refused_in_words_and_not_in_the_audit_log(owner, name, content, status):
    refused = await upload(owner, name, content)

    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert refused.json()["detail"]
    assert (await owner.get("/audit")).json()["entries"] == []


async def test_a_failed_document_says_why_and_can_be_tried_again(owner):
    document = (await upload(owner, "scan.pdf", b"%PDF-1.4\n%broken")).json()
    failed = await until(owner, document["id"], "failed")
    assert failed["reason"]
    assert (await owner.post(f"/documents/{document['id']}/retry")).status_code == 202
    assert (await until(owner, document["id"], "failed"))["version"] == 2


async def test_a_trial_shows_what_was_found_and_is_no_usage(owner, site, http):
    trial = (await owner.post("/trials", json={"message": question("t1")})).json()

    assert trial["answer"]["reply"] == expected("t1", 20)
    assert trial["found"]["confidence"] >= trial["threshold"]
    assert trial["found"]["passages"][0]["title"]
    nothing = (await owner.post("/trials", json={"message": "Who won the chess match?"})).json()
    assert nothing["answer"]["finishReason"] == "no_answer"
    assert nothing["found"]["confidence"] < nothing["threshold"]
    # A visitor's question after them is recorded, so the log has passed the trials.
    await ask(http, site, question("t2"))
    async with asyncio.timeout(SECONDS):
        while not (found := (await owner.get("/conversations")).json()["answers"]):
            await asyncio.sleep(0.05)
    assert [one["question"] for one in found] == [question("t2")]


async def test_conversations_are_found_exported_and_counted(owner, site):
    await _fill(site)
    both = (await owner.get("/conversations")).json()["answers"]
    assert [one["question"] for one in both][:2] == ["=HYPERLINK(1)", "Wo ist der Leuchtturm?"]
    found = await owner.get("/conversations", params={"search": "leuchtturm", "rating": "down"})
    assert [one["question"] for one in found.json()["answers"]] == ["Wo ist der Leuchtturm?"]
    assert (await owner.get("/conversations", params={"search": "100%"})).json()["answers"] == []
    assert (await owner.get("/conversations", params={"from": "soon"})).status_code == 422

    exported = await owner.get("/conversations/export", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(exported.text.removeprefix("\ufeff"))))
    assert len(rows) == len((await owner.get("/conversations/export", params={"format": "json"})).json()) == 602
    assert rows[0]["question"] == "'=HYPERLINK(1)"
    pages, before = [], ""
    while before is not None:
        page = (await owner.get("/conversations", params={"before": before})).json()
        pages += [one["messageId"] for one in page["answers"]]
        before = page["next"]
    assert len(set(pages)) == len(pages) == 602

    groups = (await owner.get("/unanswered")).json()["groups"]
    assert [(one["question"], one["count"], one["downs"]) for one in groups] == [
        ("Wo ist der Leuchtturm?", 1, 1),
        ("When does the museum open?", 600, 0),
    ]


async def test_usage_is_that_of_the_table_to_the_last_digit(owner, site, http):
    await ask(http, site, question("u1"))
    database = await asyncpg.connect(site.settings.database_url)
    async with asyncio.timeout(SECONDS):
        while not (rows := await database.fetch("SELECT * FROM usage_stats WHERE client_id = $1", site.client_id)):
            await asyncio.sleep(0.05)
    await database.close()
    [day] = (await owner.get("/usage")).json()["days"]

    [row] = rows
    assert day["costUsd"] == str(row["cost_usd"])
    assert (day["answers"], day["inputTokens"], day["outputTokens"]) == (
        row["answers"],
        row["input_tokens"],
        row["output_tokens"],
    )
    assert day["answerMs"] > 0


async def test_an_answer_that_is_added_is_found_at_once(owner):
    body = {"question": "Do you sell gift cards?", "answer": "Yes, gift cards from 20 to 200 pounds."}
    accepted = await owner.post("/documents/answers", json=body)
    await until(owner, accepted.json()["id"], "ready")
    trial = (await owner.post("/trials", json={"message": "Do you sell gift cards?"})).json()

    assert trial["found"]["confidence"] >= trial["threshold"]
    assert "gift cards from 20" in trial["found"]["passages"][0]["text"]


async def test_a_new_key_works_and_a_revoked_one_ends_within_ten_seconds(owner, dashboard, http):
    made = (await owner.post("/keys", json={"kind": "publishable", "name": "shop"})).json()["key"]
    await owner.put("/origins", json={"origins": ["https://shop.example"]})
    asked = {"x-api-key": made, "origin": "https://shop.example"}
    async with asyncio.timeout(15):
        while (await http.get("/api/widget/config", headers=asked)).status_code != 200:
            await asyncio.sleep(0.1)
    shop = next(one for one in (await owner.get("/keys")).json()["keys"] if one["name"] == "shop")
    assert shop["lastUsedAt"]
    assert (await owner.delete(f"/keys/{shop['keyId']}")).status_code == 204
    async with asyncio.timeout(12):
        while (await http.get("/api/widget/config", headers=asked)).status_code != 401:
            await asyncio.sleep(0.1)
    assert (await owner.delete(f"/keys/{shop['keyId']}")).status_code == 404


async def test_a_widget_is_changed_and_bad_values_are_refused(owner):
    widget = (await owner.get("/widget")).json()["widget"]
    changed = {name: widget[name] for name in widget if name != "widgetId"}
    good = changed | {"noAnswerText": "Ask us by mail.", "theme": {"title": "Shop", "color": "#123456"}}
    assert (await owner.put("/widget", json=good)).status_code == 200
    assert (await owner.get("/widget")).json()["widget"]["theme"] == {"title": "Shop", "color": "#123456"}
    for bad in ({"theme": {"color": "red; background: url(//evil)"}}, {"temperature": 9}, {"noAnswerText": "\0"}):
        assert (await owner.put("/widget", json=good | bad)).status_code == 422, bad
    for origin in ("https://shop.example/path", "shop.example", "javascript:alert(1)"):
        assert (await owner.put("/origins", json={"origins": [origin]})).status_code == 422, origin


async def _fill(site):
    """600 questions of the same millisecond that nothing answers, then one with a thumb down, then a formula."""
    database = await asyncpg.connect(site.settings.database_url)
    statement = """
        INSERT INTO chat_logs (
            client_id, message_id, session_id, attempt, outcome, question, answer, sources, citations, finish_reason,
            provider, model, tier, usage, cost_usd, retrieval_ms, answer_ms, requested_at, completed_at, rating
        )
        SELECT $1, gen_random_uuid(), 's', 1, 'completed', $2, 'a', '[]', '[]', $3,
            'p', 'm', 'free', '{}', 0, 1, 1, now() - $4 * interval '1 hour', now(), $5
        FROM generate_series(1, $6)
    """
    for text, reason, hours, rating, rows in (
        ("When does the museum open?", "no_answer", 3, None, 600),
        ("Wo ist der Leuchtturm?", "stop", 2, "down", 1),
        ("=HYPERLINK(1)", "stop", 1, None, 1),
    ):
        await database.execute(statement, site.client_id, text, reason, hours, rating, rows)
    await database.close()
