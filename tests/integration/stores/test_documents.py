"""Documents in a real Postgres: versions and progress never go back, and clients stay separate."""

import asyncio
from datetime import UTC, datetime

import pytest

from schemas.events import DocumentProgress, DocumentUploaded
from schemas.failures import PermanentError
from stores.postgres.documents import Documents

# On the mistake that the test is for, one round in ten fails.
ROUNDS = 200
REGISTRANTS = 4


def uploaded(version=1, document_id="doc", client_id="acme", **changes):
    return DocumentUploaded(
        client_id=client_id,
        document_id=document_id,
        version=version,
        **{
            "uri": f"file:///{version}",
            "sha256": "ab",
            "media_type": "text/plain",
            "size_bytes": 3,
            "filename": "a.txt",
            "title": "A",
            "tags": ["x", "y"],
            "uploaded_at": datetime.now(UTC),
            **changes,
        },
    )


def progress(status="parsing", version=1, client_id="acme", **changes):
    return DocumentProgress(
        client_id=client_id,
        document_id="doc",
        version=version,
        status=status,
        stage=status,
        at=datetime.now(UTC),
        **{"progress": 10, "current_step": "Reading", **changes},
    )


@pytest.fixture
def documents(engine):
    return Documents(engine)


async def test_a_document_is_registered_once_and_read_back(documents):
    first = await documents.register(uploaded(external_id="e1"))
    again = await documents.register(uploaded(external_id="e1", title="Changed"))

    assert first == again == await documents.get("acme", "doc") == await documents.by_external_id("acme", "e1")
    assert (first.status, first.stage, first.progress, first.tags) == ("pending", "queued", 0, ["x", "y"])
    assert first.created_at.tzinfo is not None


async def test_a_higher_version_starts_anew_and_a_lower_one_changes_nothing(documents):
    await documents.register(uploaded())
    assert await documents.advance(progress("failed", reason="broken", retryable=False, chunks=3))
    newer = await documents.register(uploaded(version=2, title="B"))
    older = await documents.register(uploaded(version=1))

    assert newer == older
    assert (newer.version, newer.title, newer.status) == (2, "B", "pending")
    assert (newer.reason, newer.retryable, newer.chunks) == (None, None, None)


async def test_progress_is_saved_until_it_is_ready_overtaken_or_deleted(documents):
    await documents.register(uploaded())
    assert await documents.advance(progress("embedding", progress=40, chunks=7))
    row = await documents.get("acme", "doc")
    assert (row.status, row.stage, row.progress, row.current_step, row.chunks) == (
        "embedding",
        "embedding",
        40,
        "Reading",
        7,
    )
    assert await documents.advance(progress("ready", progress=100))
    assert not await documents.advance(progress("failed"))

    await documents.register(uploaded(version=2))
    assert not await documents.advance(progress("ready", version=1))
    assert await documents.advance(progress("failed", version=2))
    assert await documents.advance(progress("parsing", version=2))
    assert await documents.delete("acme", "doc")
    assert not await documents.advance(progress("ready", version=2))
    assert not await documents.delete("acme", "doc")
    assert (await documents.get("acme", "doc")).status == "deleted"


async def test_a_deleted_document_comes_back_with_a_higher_version_only(documents):
    await documents.register(uploaded())
    await documents.delete("acme", "doc")

    assert (await documents.register(uploaded())).status == "deleted"
    assert (await documents.register(uploaded(version=2))).status == "pending"


async def test_the_list_is_newest_first_without_the_deleted(documents):
    for document_id in ("a", "b", "c"):
        await documents.register(uploaded(document_id=document_id))
    await documents.delete("acme", "b")

    assert [document.document_id for document in await documents.list("acme")] == ["c", "a"]
    assert [document.document_id for document in await documents.list("acme", limit=1)] == ["c"]


async def test_an_upload_is_registered_by_many_at_once(documents):
    for number in range(ROUNDS):
        event = uploaded(document_id=f"doc-{number}", external_id=f"e{number}")

        rows = await asyncio.gather(*(documents.register(event) for _ in range(REGISTRANTS)))

        assert {row.document_id for row in rows} == {event.document_id}


async def test_an_external_id_names_one_document_of_a_client(documents):
    await documents.register(uploaded(external_id="e1"))
    await documents.register(uploaded(external_id="e1", client_id="rival"))

    with pytest.raises(PermanentError, match="external id"):
        await documents.register(uploaded(external_id="e1", document_id="other"))


async def test_a_document_waits_behind_those_that_are_read_or_waited_first(documents):
    for name in ("doc", "second", "third", "fourth"):
        await documents.register(uploaded(document_id=name))
    await documents.register(uploaded(document_id="other", client_id="rival"))
    assert [await documents.ahead_of("acme", name) for name in ("doc", "second", "fourth")] == [0, 1, 3]

    assert await documents.advance(progress("parsing"))
    await documents.delete("acme", "second")
    assert [await documents.ahead_of("acme", name) for name in ("third", "fourth")] == [1, 2]

    assert await documents.advance(progress("ready"))
    # Uploaded again, it is behind the others.
    await documents.register(uploaded(version=2))
    assert [await documents.ahead_of("acme", name) for name in ("third", "fourth", "doc")] == [0, 1, 2]


async def test_no_call_of_one_client_touches_or_sees_anothers(documents):
    await documents.register(uploaded(external_id="e1"))

    assert await documents.get("rival", "doc") is None
    assert await documents.by_external_id("rival", "e1") is None
    assert await documents.list("rival") == []
    assert not await documents.delete("rival", "doc")
    assert not await documents.advance(progress("ready", client_id="rival"))
    assert (await documents.get("acme", "doc")).status == "pending"
    assert await documents.get("acme", "none") is None
