"""Careless and hostile uploads."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.endpoints.upload import MAX_NAME_CHARACTERS, shown_name
from stores.postgres.documents import Documents
from tests.integration.tenants import Ids, uploaded
from tests.support.gateway_running import running_gateway


@pytest.fixture
async def running(settings):
    async with running_gateway(settings) as running:
        keys = await running.seed(f"up-{uuid4().hex[:12]}")
        running.server = {"authorization": f"Bearer {keys.secret}"}
        yield running


async def upload(running, name="a.txt", content=b"text", **fields):
    return await running.http.post(
        "/process-document", headers=running.server, files={"file": (name, content)}, data=fields
    )


async def test_versions_uploaded_at_once_are_all_kept(running):
    answers = await asyncio.gather(*(upload(running, content=b"%d" % n, externalId="manual") for n in range(8)))
    documents = (await running.http.get("/documents", headers=running.server)).json()["documents"]

    assert [answer.status_code for answer in answers] == [202] * 8
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [document["version"] for document in documents] == [8]


async def test_concurrent_uploads_take_different_versions(engine):
    documents = Documents(engine)
    for number in range(3):
        await documents.take_version("c", f"doc_{number}", f"other {number}")
        await documents.register(
            uploaded("c", Ids(document_id=f"doc_{number}", external_id=f"other {number}"), "x", "u")
        )
    taken = await asyncio.gather(*(documents.take_version("c", f"new_{n}", "manual") for n in range(40)))

    assert sorted(version for _, version in taken) == list(range(1, 41))
    assert len({name for name, _ in taken}) == 1
    assert await documents.take_version("another", "doc_x", "manual") == ("doc_x", 1)


@pytest.mark.parametrize("uri", ["", "/..", "/../../..", "/nothing", "/*"])
async def test_a_uri_that_leads_to_no_file_is_refused_with_a_sentence(running, uri):
    base = running.gateway.settings.uploads_url
    answer = await running.http.post(
        "/process-document", headers=running.server, json={"uri": f"{base}/demo{uri}", "filename": "x.txt"}
    )

    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


async def test_the_folder_of_a_client_is_refused_as_a_file(running):
    await upload(running)
    [folder] = [path for path in await asyncio.to_thread(_folders, running) if path.name.startswith("up-")]
    answer = await running.http.post(
        "/process-document", headers=running.server, json={"uri": f"{folder.as_uri()}/", "filename": "x.txt"}
    )

    assert answer.status_code == 422


def _folders(running):
    return list(Path(running.gateway.settings.uploads_url.removeprefix("file://")).iterdir())


@pytest.mark.parametrize(
    "name",
    ["x" * 400 + ".txt", "a\nb.txt", "../../x.txt", "\u202etxt.exe.txt", "\U0001f600" * 200 + ".txt", ".txt", "con.txt",
     "a/b\\c.txt"],
)  # fmt: skip
async def test_a_file_with_any_name_is_accepted(running, name):
    answer = await upload(running, name)

    assert answer.status_code == 202
    assert len(answer.json()["filename"]) <= MAX_NAME_CHARACTERS


def test_a_long_name_keeps_its_ending():
    assert shown_name("x" * 1_000 + ".pdf").endswith("….pdf")
    assert shown_name("\x00\n\u202e") == "file"


@pytest.mark.parametrize(
    ("name", "content"), [("a.png", b"\x89PNG\r\n"), ("a.pdf", b"hello"), ("a.docx", b"PK\x03\x04"), ("a", b"\x00")]
)
async def test_a_file_that_no_reader_reads_is_refused_before_it_is_stored(running, name, content):
    refused = await upload(running, name, content)

    assert refused.status_code == 415
    assert "PDF (.pdf)" in refused.json()["detail"] or "again" in refused.json()["detail"]
    assert (await running.http.get("/documents", headers=running.server)).json()["documents"] == []
    assert await running.gateway.uploads.files() == []


async def test_a_repeated_upload_with_its_key_is_one_document(running):
    keyed = running.server | {"idempotency-key": "order-1"}

    async def post(content, **fields):
        return await running.http.post(
            "/process-document", headers=keyed, files={"file": ("a.txt", content)}, data=fields
        )

    answers = [await post(b"one"), *await asyncio.gather(post(b"one"), post(b"one"))]
    other = await post(b"two")
    named = [await post(b"one", externalId="manual") for _ in range(2)]
    documents = (await running.http.get("/documents", headers=running.server)).json()["documents"]

    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert other.status_code == 422
    assert named[0].json()["id"] == named[1].json()["id"] != answers[0].json()["id"]
    assert sorted(document["version"] for document in documents) == [1, 1]
