"""Streams while Postgres is away: everything in the rings, and nothing that only looks complete."""

import asyncio
from types import SimpleNamespace
from uuid import UUID

import pytest

from gateway.replay.buffer import ReplayBuffer
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import SNAPSHOT_MESSAGES, NotYetError, Subscriptions, TakenError
from gateway.replay.tail import Tail
from stores.postgres.database import DATABASE_ERRORS
from tests.integration.tenants import completed
from tests.support.fakes_tail import EPOCH, FakeHistory, FakeLog, answer_frames, frame, message_id, reading

UNKNOWN = UUID(message_id(9))
BELOW_THE_FLOOR = f"{EPOCH}.0.0"


class Stage:
    """One ended answer, one running answer, and no Postgres."""

    def __init__(self):
        self.log, self.buffers, self.history = FakeLog(), ReplayBuffers(), FakeHistory()
        self.questions = PendingQuestions()
        self.tail = Tail(self.log, self.buffers, self.questions)
        self.subscriptions = Subscriptions(self.tail, self.buffers, self.questions, self.history)
        self.session = self.subscriptions.session("acme", "s")
        self.log.write(*answer_frames("ended", 1), *answer_frames("runs", 2, start=20, is_ended=False))
        self.history.is_away = True

    def shed(self, shed):
        """Evicts as the buffers do when memory is short."""
        buffer = self.buffers.get(self.session.key)
        self.buffers.shrink(buffer, shed)

    def to_message(self, number, last_event_id=None):
        return self.subscriptions.to_message(self.session, UUID(message_id(number)), last_event_id)


@pytest.fixture
async def stage():
    stage = Stage()
    async with reading(stage.tail):
        yield stage


def texts(start):
    return [(answer.state, answer.text) for answer in start.answers]


async def test_a_fresh_stream_begins_with_what_the_rings_hold(stage):
    start = await stage.subscriptions.to_session(stage.session, None)

    assert texts(start) == [("completed", "ended"), ("running", "runs")]
    assert start.cursor == stage.log.records[-1].offset


async def test_a_pending_question_belongs_to_its_session(stage):
    start = stage.subscriptions.to_question(stage.session, UNKNOWN, "free")
    other = stage.subscriptions.session("acme", "other")

    assert start.cursor == stage.log.records[-1].offset
    with pytest.raises(TakenError):
        await stage.subscriptions.to_message(other, UNKNOWN, None)


async def test_a_database_that_does_not_answer_is_waited_for_no_longer_than_the_deadline(stage):
    stage.subscriptions = Subscriptions(stage.tail, stage.buffers, stage.questions, stage.history, history_seconds=0.01)
    stage.history.is_away, stage.history.is_silent = False, True
    async with asyncio.timeout(5):
        start = await stage.subscriptions.to_session(stage.session, None)
        with pytest.raises(DATABASE_ERRORS):
            await stage.to_message(9)

    assert texts(start)[1] == ("running", "runs")


async def test_a_client_with_an_id_is_not_sent_only_part_of_what_it_missed(stage):
    stage.shed(ReplayBuffer.shed_ended)

    for last_event_id in (BELOW_THE_FLOOR, f"{EPOCH}.0.-1", "foreign"):
        with pytest.raises(NotYetError):
            await stage.subscriptions.to_session(stage.session, last_event_id)
        with pytest.raises(NotYetError):
            await stage.to_message(9, last_event_id)


async def test_a_client_with_an_id_that_missed_nothing_resumes(stage):
    start = await stage.subscriptions.to_session(stage.session, f"{EPOCH}.0.21")

    assert (start.cursor, start.answers) == (21, ())


async def test_an_answer_that_the_rings_hold_needs_no_database(stage):
    assert texts(await stage.to_message(1)) == [("completed", "ended")]
    assert texts(await stage.to_message(2, "foreign")) == [("running", "runs")]


async def test_an_answer_of_which_only_the_end_is_known_asks_the_client_to_retry(stage):
    stage.shed(ReplayBuffer.shed_ended)

    with pytest.raises(NotYetError):
        await stage.to_message(1)


async def test_a_running_answer_without_its_beginning_asks_the_client_to_retry(stage):
    stage.shed(ReplayBuffer.shed_texts)

    with pytest.raises(NotYetError):
        await stage.to_message(2)


async def test_an_unknown_message_needs_postgres(stage):
    with pytest.raises(DATABASE_ERRORS):
        await stage.to_message(9)


async def test_an_old_answer_with_a_hole_hides_no_newer_one(stage):
    """A busy session produces more answers within minutes than one page of history holds."""
    stage.shed(ReplayBuffer.shed_ended)
    stage.buffers.skip(stage.session.key, 0, frame(90, "delta", message=2, seq=9))
    stage.history.is_away = False
    stage.history.rows = [row_of(number) for number in (2, *range(100, 130))]
    start = await stage.subscriptions.to_session(stage.session, BELOW_THE_FLOOR)

    assert len(start.answers) == SNAPSHOT_MESSAGES + 1


def row_of(number):
    """An answer's row in the database."""
    return completed("acme", SimpleNamespace(session_id="s", message_id=UUID(message_id(number))), "text")
