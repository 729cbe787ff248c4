"""The percentage of one version never falls: not in a run, not after a run that died, not when ingestion gives up."""

from contextlib import aclosing
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.ingestion import progress
from handlers.ingestion.progress import SPANS, ProgressReporter
from handlers.ingestion.stages import Step
from schemas.events import DocumentUploaded
from schemas.failures import RetryableError
from tests.support.fakes_knowledge import FakeDocuments
from tests.support.knowledge import Knowledge

UPLOADED = DocumentUploaded(
    client_id="acme", document_id="doc_1", uri="file:///a", sha256="", media_type="", size_bytes=1, filename="a.md",
    title="A", uploaded_at=datetime.now(UTC),
)  # fmt: skip
NAMES = map("step {}".format, count())
STEPS = st.builds(
    lambda stage, fraction: Step(stage, fraction, next(NAMES)), st.sampled_from([*SPANS]), st.floats(0, 1.5)
)
RUNS = st.lists(st.lists(STEPS, max_size=10), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def _every_step_is_published():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(progress, "PROGRESS_INTERVAL_SECONDS", 0)
        yield


@settings(deadline=None)
@given(RUNS)
async def test_no_steps_of_any_runs_make_the_percentage_fall(runs):
    documents = FakeDocuments()
    for steps in runs:
        reporter = ProgressReporter(UPLOADED, await documents.register(UPLOADED))
        published = [reporter.due(step) for step in steps]
        assert None not in published
        for event in published:
            await documents.advance(event)

    await documents.advance(reporter.failed("Broken.", retryable=True))
    found = [event.progress for event in documents.saved]
    assert found == sorted(found)
    assert found[-1] >= max(int(SPANS[step.stage][0]) for steps in [*runs, [Step("parsing", 0, "")]] for step in steps)


async def died_while_embedding(knowledge, uploaded):
    async with aclosing(knowledge.ingestion.handle(uploaded)) as events:
        async for event in events:
            if event.progress > 25:
                return event.progress
    raise AssertionError("it ended before")


async def test_a_run_after_one_that_died_begins_at_its_percentage(tmp_path):
    knowledge = Knowledge(tmp_path)
    uploaded = await knowledge.uploaded()
    reached = await died_while_embedding(knowledge, uploaded)

    events = await knowledge.handle(uploaded)

    assert (events[0].stage, events[0].progress) == ("parsing", reached)
    found = [event.progress for event in knowledge.documents.saved]
    assert found == sorted(found)
    assert found[-1] == 100


async def test_giving_up_keeps_the_percentage_of_its_version(tmp_path):
    knowledge = Knowledge(tmp_path)
    uploaded = await knowledge.uploaded()
    reached = await died_while_embedding(knowledge, uploaded)

    [failed] = [event async for event in knowledge.ingestion.give_up(uploaded, RetryableError("away"))]
    newer = await knowledge.uploaded(version=2)
    [unbegun] = [event async for event in knowledge.ingestion.give_up(newer, RetryableError("away"))]

    assert (failed.status, failed.progress, unbegun.progress) == ("failed", reached, 0)
