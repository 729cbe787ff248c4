"""What a new version, a second run and a delete leave undone."""

import pytest

from schemas.events import DocumentDeleted
from schemas.failures import RetryableError
from tests.support.knowledge import GUIDE, Knowledge


@pytest.fixture
def knowledge(tmp_path):
    return Knowledge(tmp_path)


async def test_a_new_version_embeds_only_the_passages_that_are_new(knowledge):
    await knowledge.handle(await knowledge.uploaded())
    before = len(knowledge.embedder.texts)
    changed = GUIDE.replace(b"part 7 take 7 days", b"part 7 take a week")
    events = await knowledge.handle(await knowledge.uploaded(changed, version=2))

    assert events[-1].status == "ready"
    assert [text.partition("\n")[2] for text in knowledge.embedder.texts[before:]] == ["Refunds of part 7 take a week."]
    assert "a week" in (await knowledge.search("Refunds of part 7"))[0].text


async def test_a_run_that_died_goes_on_behind_its_last_batch(knowledge):
    knowledge.embedder.failures = [None, RetryableError("the model is away")]
    uploaded = await knowledge.uploaded()
    with pytest.raises(RetryableError):
        await knowledge.handle(uploaded)
    first = len(knowledge.embedder.texts)
    events = await knowledge.handle(uploaded)

    assert (first, len(knowledge.embedder.texts)) == (32, 40)
    assert events[-1].chunks == 40


async def test_a_deleted_document_is_hidden_before_its_delete_has_its_turn(knowledge):
    await knowledge.handle(await knowledge.uploaded())
    deleted = DocumentDeleted(client_id="acme", document_id="doc_1")
    await knowledge.ingestion.hide(deleted)
    still = await knowledge.search("Refunds of part 7")
    await knowledge.documents.delete("acme", "doc_1")
    await knowledge.ingestion.hide(deleted)

    assert still, "a producer elsewhere may have deleted an older version"
    assert await knowledge.search("Refunds of part 7") == []
