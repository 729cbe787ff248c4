import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.events import DocumentDeleted, DocumentProgress, DocumentUploaded
from streams.codec import decode
from streams.reading.reader import LogReader
from streams.topics import DOCUMENT_UPLOADED


@pytest.fixture
async def server(running):
    """Headers of the client's server."""
    name = f"c-{uuid4().hex}"
    await running.seed(name)
    return {"authorization": f"Bearer sk_{name}"}


async def announced(own, document_id, count):
    """The first `count` events of a document."""
    found = []
    async with LogReader(own, DOCUMENT_UPLOADED) as reader:
        await reader.seek(timedelta(minutes=5))
        async for batch in reader.batches():
            events = [decode(DOCUMENT_UPLOADED, record) for record in batch]
            found += [event for event in events if event.document_id == document_id]
            if len(found) >= count:
                return found
    raise AssertionError


async def upload(running, server, content=b"Some text.", filename="notes.txt", **fields):
    return await running.http.post(
        "/process-document", headers=server, files={"file": (filename, content)}, data=fields
    )


async def test_an_upload_is_stored_registered_and_announced(running, own, server):
    response = await upload(running, server, title="Notes", tags="a, b", externalId="ext-1")

    body = response.json()
    assert response.status_code == 202
    assert body["status"] == "pending"
    assert body["filename"] == "notes.txt"
    status = (await running.http.get(response.headers["location"], headers=server)).json()
    assert (status["id"], status["status"], status["version"]) == (body["id"], "pending", 1)
    [event] = await announced(own, body["id"], 1)
    assert isinstance(event, DocumentUploaded)
    assert (event.title, event.tags, event.media_type, event.size_bytes) == ("Notes", ["a", "b"], "text/plain", 10)
    listed = (await running.http.get("/documents", headers=server)).json()["documents"]
    assert [document["id"] for document in listed] == [body["id"]]


async def test_a_document_that_waits_says_how_many_come_before_it(running, server):
    accepted = [await upload(running, server) for _ in range(3)]

    shown = [(await running.http.get(one.headers["location"], headers=server)).json() for one in accepted]

    whole = (await running.http.get(f"/documents/{shown[2]['id']}", headers=server)).json()

    assert [one["ahead"] for one in shown] == [0, 1, 2]
    assert whole.items() >= shown[2].items()


async def test_the_same_external_id_is_the_next_version_of_the_same_document(running, server):
    first = (await upload(running, server, externalId="manual")).json()
    second = (await upload(running, server, b"Newer.", externalId="manual")).json()

    assert first["id"] == second["id"]
    shown = (await running.http.get(f"/documents/{first['id']}", headers=server)).json()
    assert (shown["version"], shown["externalId"], shown["sizeBytes"]) == (2, "manual", 6)


async def test_json_names_a_file_that_is_there_already(running, own, server):
    first = (await upload(running, server)).json()
    [event] = await announced(own, first["id"], 1)
    second = await running.http.post(
        "/process-document", headers=server, json={"uri": event.uri, "filename": "copy.md"}
    )

    assert second.status_code == 202
    [copy] = await announced(own, second.json()["id"], 1)
    assert (copy.uri, copy.sha256, copy.media_type) == (event.uri, event.sha256, "text/markdown")


async def test_another_clients_file_cannot_be_named(running, own, server):
    first = (await upload(running, server)).json()
    [event] = await announced(own, first["id"], 1)
    await running.seed("thief")
    for uri in (event.uri, "file:///etc/passwd", event.uri.rsplit("/", 4)[0] + "/thief/../../../etc/passwd"):
        response = await running.http.post(
            "/process-document",
            headers={"authorization": "Bearer sk_thief"},
            json={"uri": uri, "filename": "x.txt"},
        )
        assert response.status_code == 422


async def test_a_document_is_deleted_for_its_client_only(running, own, server):
    document_id = (await upload(running, server)).json()["id"]
    await running.seed("stranger")
    stranger = {"authorization": "Bearer sk_stranger"}
    for method, path in (("GET", ""), ("GET", "/status"), ("DELETE", ""), ("POST", "/retry")):
        response = await running.http.request(method, f"/documents/{document_id}{path}", headers=stranger)
        assert response.status_code == 404
    first, again = [await running.http.delete(f"/documents/{document_id}", headers=server) for _ in range(2)]

    assert first.status_code == again.status_code == 202
    assert first.json()["status"] == "deleted"
    assert isinstance((await announced(own, document_id, 2))[1], DocumentDeleted)
    assert (await running.http.get("/documents", headers=server)).json() == {"documents": []}


async def test_a_failed_document_can_be_tried_again(running, own, server):
    uploaded = (await upload(running, server)).json()
    early = await running.http.post(f"/documents/{uploaded['id']}/retry", headers=server)
    _, event = await announced(own, uploaded["id"], 2)
    await running.gateway.documents.advance(
        DocumentProgress(
            client_id=event.client_id,
            document_id=event.document_id,
            version=2,
            status="failed",
            stage="parsing",
            progress=10,
            current_step="Reading",
            reason="Broken.",
            retryable=True,
            at=event.uploaded_at,
        )
    )
    response = await running.http.post(f"/documents/{uploaded['id']}/retry", headers=server)

    assert early.status_code == 202, "nobody knows whether a document that waits is ever read"
    assert response.status_code == 202
    assert (await announced(own, uploaded["id"], 3))[2].version == 3
    status = (await running.http.get(f"/documents/{uploaded['id']}/status", headers=server)).json()
    assert (status["status"], status["version"], "reason" in status) == ("pending", 3, False)


async def test_invalid_uploads_are_refused(running, server):
    empty = await upload(running, server, b"")
    nothing = await running.http.post("/process-document", headers=server, files={"other": ("x", b"x")})
    broken = await running.http.post(
        "/process-document",
        headers={**server, "content-type": "multipart/form-data; boundary=x"},
        content=b"--x\r\nrubbish",
    )
    no_boundary = await running.http.post(
        "/process-document", headers={**server, "content-type": "multipart/form-data"}, content=b"x"
    )
    plain = await running.http.post("/process-document", headers={**server, "content-type": "text/plain"}, content=b"x")

    assert (empty.status_code, empty.json()["type"]) == (422, "urn:chatconnect:problem:empty-file")
    assert nothing.status_code == 422
    assert broken.status_code in (400, 422)
    assert no_boundary.status_code == 400
    assert plain.status_code == 415


async def test_a_file_announced_as_too_large_is_refused_before_it_is_sent(running, server):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rsplit(":", 1)[1]))
    head = f"POST /process-document HTTP/1.1\r\nHost: x\r\nAuthorization: {server['authorization']}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {10**9}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_document_routes_are_closed_to_pages(running):
    keys = await running.seed("page", "*")
    for method, path in (("GET", "/documents"), ("POST", "/process-document"), ("DELETE", "/documents/x")):
        response = await running.http.request(method, path, headers={"x-api-key": keys.publishable})
        assert response.status_code == 403
