import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streaming.document_events import is_progress
from gateway.streaming.progress_hub import ProgressHub
from schemas.events import ENDED_STATUSES, DocumentProgress
from schemas.http import DocumentProgressView
from streams.codec import encode

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class LogRecord:
    """A record as read from the log."""

    key: bytes | None
    value: bytes | None
    headers: list
    topic: str = "document.progress"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


def progress(client_id="acme", document_id="doc_1", percent=10, **fields):
    return DocumentProgress(
        **{
            "client_id": client_id,
            "document_id": document_id,
            "version": 1,
            "status": "parsing",
            "stage": "parsing",
            "progress": percent,
            "current_step": "Reading",
            "at": NOW,
            **fields,
        }
    )


def record(event):
    encoded = encode(event)
    return LogRecord(encoded.key, encoded.value, encoded.headers)


def view(version=1, percent=10, status="parsing", step="Reading"):
    return DocumentProgressView(
        id="doc_1", status=status, progress=percent, current_step=step, stage="parsing", version=version
    )


async def test_a_watch_gets_the_latest_progress_of_its_document():
    hub = ProgressHub()
    with hub.watch("acme", "doc_1") as watch:
        for event in (progress(percent=10), progress(percent=20), progress(document_id="doc_2", percent=90)):
            hub.dispatch(record(event))

        assert await watch.next(5) == progress(percent=20)
        assert await watch.next(0) is None


async def test_progress_wakes_a_waiting_watch():
    hub = ProgressHub()
    with hub.watch("acme", "doc_1") as watch:
        asyncio.get_running_loop().call_soon(hub.dispatch, record(progress()))

        assert await watch.next(5) == progress()


async def test_progress_of_another_client_with_the_same_document_id_is_not_delivered():
    hub = ProgressHub()
    with hub.watch("acme", "doc_1") as watch, hub.watch("thief", "doc_1") as stranger:
        hub.dispatch(record(progress()))

        assert await watch.next(0) == progress()
        assert await stranger.next(0) is None


async def test_a_watch_can_be_woken_without_progress():
    hub = ProgressHub()
    with hub.watch("acme", "doc_1") as watch:
        hub.wake_all()
        async with asyncio.timeout(5):
            assert await watch.next(60) is None


async def test_unreadable_records_are_skipped():
    hub = ProgressHub()
    with hub.watch("acme", "doc_1") as watch:
        for broken in (
            LogRecord(b"doc_1", b"{", []),
            LogRecord(b"doc_1", None, []),
            LogRecord(None, b"{}", []),
            LogRecord(b"\xff", b"", []),
        ):
            hub.dispatch(broken)
        hub.dispatch(record(progress()))

        assert await watch.next(0) == progress()


VIEWS = st.builds(
    view,
    st.integers(1, 3),
    st.integers(0, 100),
    st.sampled_from(["pending", "parsing", "embedding", *sorted(ENDED_STATUSES)]),
    st.sampled_from("ab"),
)


@given(st.lists(VIEWS, min_size=1))
def test_neither_progress_nor_version_ever_goes_down(found):
    accepted = [found[0]]
    for view in found[1:]:
        if is_progress(view, accepted[-1]):
            accepted.append(view)

    for before, after in pairwise(accepted):
        assert after != before
        assert after.version >= before.version
        if after.version == before.version and after.status not in sorted(ENDED_STATUSES):
            assert after.progress >= before.progress


@pytest.mark.parametrize("status", sorted(ENDED_STATUSES))
def test_an_ending_always_counts_as_progress(status):
    assert is_progress(view(percent=5, status=status), view(percent=80))
    assert is_progress(view(version=0, status=status), view())
    assert not is_progress(view(version=1, status=status), view(version=2))
