import asyncio

import pytest

from handlers.answering.answer_events import AnswerAttempt
from handlers.answering.deltas import Deltas
from handlers.answering.flush import EARLY_TICKS, FLUSH_SECONDS
from handlers.answering.interruption import Interruption
from handlers.answering.stream_answer import GenerationPlan, stream_answer
from handlers.models.pricing import Pricing
from tests.support.answering import answer, build
from tests.support.fakes_models import finish, prompt, retrieved
from tests.support.jumping_loop import simulate

PIECE_SECONDS = 0.007


class SteadyModel:
    """Yields a piece every 7 ms, after `silent_seconds`."""

    provider, name = "openai", "gpt-4o-mini"

    def __init__(self, silent_seconds, pieces=40):
        self.silent_seconds, self.pieces = silent_seconds, pieces
        self.asked_at = None

    async def stream(self, _):
        self.asked_at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.silent_seconds)
        for _ in range(self.pieces):
            yield "x"
            await asyncio.sleep(PIECE_SECONDS)
        yield finish()


async def moments_of(silent_seconds):
    """The simulated time (s) of each delta of an answer."""
    loop = asyncio.get_running_loop()
    async with Deltas(SteadyModel(silent_seconds), prompt(), Interruption()) as stream:
        return [loop.time() async for _ in stream]


async def moments_of_all(*silences):
    return await asyncio.gather(*(moments_of(seconds) for seconds in silences))


def test_the_first_delta_comes_at_once():
    for silent_seconds, moments in zip((0.011, 0.03), simulate(moments_of_all(0.011, 0.03)), strict=True):
        assert abs(moments[0] - silent_seconds) < 1e-9


# uvloop's timers fire up to a millisecond early.
@pytest.mark.parametrize("early_seconds", [0.0, 0.001])
def test_the_deltas_of_all_answers_come_at_common_flush_ticks(early_seconds):
    for moments in simulate(moments_of_all(0.011, 0.03), early_seconds):
        ticks = [moment / FLUSH_SECONDS for moment in moments[1:-1]]
        assert [round(tick) for tick in ticks] == list(range(1, len(ticks) + 1))
        assert all(abs(tick - round(tick)) < EARLY_TICKS for tick in ticks)


async def timed_events_of(model):
    """(event name, simulated time in s) of each event of an answer."""
    loop = asyncio.get_running_loop()
    attempt = AnswerAttempt(retrieved().request, 1, "free", Pricing())
    events = stream_answer(attempt, GenerationPlan(prompt(), [model], ""), Interruption())
    return [(type(event).__name__, loop.time()) async for event in events]


def test_the_model_is_asked_at_once_and_its_sources_are_sent_at_the_fourth_tick():
    model = SteadyModel(0.2)
    events = simulate(timed_events_of(model))

    assert model.asked_at == 0
    assert events[:3] == [
        ("AnswerStarted", pytest.approx(4 * FLUSH_SECONDS)),
        ("AnswerSources", pytest.approx(4 * FLUSH_SECONDS)),
        ("AnswerDelta", pytest.approx(0.2)),
    ]


def test_an_earlier_first_word_is_sent_at_once():
    events = simulate(timed_events_of(SteadyModel(0.011)))

    assert [name for name, _ in events[:3]] == ["AnswerStarted", "AnswerSources", "AnswerDelta"]
    assert all(moment == pytest.approx(0.011) for _, moment in events[:3])


async def ending_of(model):
    loop = asyncio.get_running_loop()
    events = [(type(event).__name__, loop.time()) async for event in answer(build(model), retrieved())]
    return events[-3:]


def test_an_ending_is_sent_at_the_tick_after_the_last_words():
    (last_delta, sent), (completed, ended), (record, recorded) = simulate(ending_of(SteadyModel(0.11, pieces=3)))

    assert (last_delta, completed, record) == ("AnswerDelta", "AnswerCompleted", "ChatCompleted")
    assert sent == pytest.approx(0.11 + 3 * PIECE_SECONDS)
    assert ended == recorded == pytest.approx(4 * FLUSH_SECONDS)
