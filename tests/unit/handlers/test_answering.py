"""From a question to its answer: the search beside the lease, and the events when either fails."""

import asyncio

import pytest

from handlers.answering.handler import Answering
from handlers.answering.lease import MessageTakenError
from handlers.models.errors import ProviderBusyError, ProviderRefusedError
from schemas.events import AnswerFailed, AnswerStarted, ChatCompleted
from schemas.failures import RetryableError
from tests.support.answering import build, names, of, text
from tests.support.fakes_models import FakeAttempts, FakeModel, finish, retrieved

WHOLE = [
    "QuestionAsked",
    "AnswerStarted",
    "AnswerSources",
    "AnswerDelta",
    "AnswerCompleted",
    "ChatCompleted",
    "ChatRetrieved",
]
FAILED = ["QuestionAsked", "AnswerFailed", "ChatCompleted", "ChatRetrieved"]


class Search:
    """A `Retrieval` that returns `found` after its script: errors to raise, events to wait for."""

    def __init__(self, found, *script):
        self.found, self.script, self.asked = found, list(script), 0
        self.began = asyncio.Event()

    async def search(self, request, turns):
        self.asked += 1
        self.began.set()
        while self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            await step.wait()
        return self.found


class SearchOfMany:
    """A `Retrieval` that returns each message's own result; `asked` are the requests."""

    def __init__(self, results):
        self.results, self.asked = {found.request.message_id: found for found in results}, []

    async def search(self, request, turns):
        self.asked.append(request)
        return self.results[request.message_id]


async def run(handler, event):
    async with asyncio.timeout(5):
        return [sent async for sent in handler.handle(event)]


async def give_up(handler, event, error):
    async with asyncio.timeout(5):
        return [sent async for sent in handler.give_up(event, error)]


async def test_the_search_result_is_published_after_the_answer():
    found = retrieved()
    heard = await run(Answering(Search(found), build(FakeModel("a", finish()))), found.request)

    assert names(heard) == WHOLE
    assert heard[-1] == found


async def test_the_lease_is_taken_while_the_search_runs():
    found, attempts, go_on = retrieved(), FakeAttempts(), asyncio.Event()
    search = Search(found, go_on)
    handler = Answering(search, build(FakeModel("a", finish()), attempts=attempts))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(run(handler, found.request))
        await search.began.wait()
        async with asyncio.timeout(5):
            while not attempts.rows:
                await asyncio.sleep(0)
        go_on.set()

    assert text(running.result()) == "a"


@pytest.mark.parametrize("error", [RetryableError("away"), KeyError("defect")])
async def test_a_failing_search_raises_its_error_and_leaves_nothing_running(error):
    found, attempts = retrieved(), FakeAttempts()
    attempts.begin = lambda *args, **kwargs: asyncio.Event().wait()
    before = asyncio.all_tasks()
    with pytest.raises(type(error)):
        await run(Answering(Search(found, error), build(attempts=attempts)), found.request)

    assert asyncio.all_tasks() == before


async def test_a_search_that_takes_too_long_is_ended():
    found = retrieved()
    handler = Answering(Search(found, asyncio.Event()), build(), search_seconds=0.01)
    async with asyncio.timeout(5) as ours:
        with pytest.raises(TimeoutError):
            await anext(handler.handle(found.request))

    assert not ours.expired()


async def test_a_provider_that_fails_is_no_reason_to_search_again():
    found, model = retrieved(), FakeModel(ProviderBusyError("529"))
    search = Search(found)
    handler = Answering(search, build(model))
    with pytest.raises(ProviderBusyError):
        await run(handler, found.request)
    model.script = ("Whole", finish())
    heard = await run(handler, found.request)

    assert search.asked == 1
    assert (names(heard), of(heard, AnswerStarted).attempt) == (WHOLE, 2)


async def test_a_message_that_another_worker_holds_is_searched_for_once():
    found, attempts = retrieved(), FakeAttempts()
    search = Search(found)
    handler = Answering(search, build(FakeModel("a", finish()), attempts=attempts))
    attempts.held = 3
    with pytest.raises(RetryableError) as caught:
        await run(handler, found.request)
    attempts.held = None

    assert caught.value.retry_after_seconds == 3
    assert text(await run(handler, found.request)) == "a"
    assert search.asked == 1


async def test_the_search_result_of_an_ended_answer_is_forgotten():
    found = retrieved()
    search = Search(found)
    handler = Answering(search, build(FakeModel("a", finish())))
    first, second = await run(handler, found.request), await run(handler, found.request)

    assert first == second
    assert search.asked == 2


async def test_giving_up_after_a_failed_search_reports_it():
    found = retrieved()
    handler = Answering(Search(found, RetryableError("away")), build(FakeModel("a", finish())))
    with pytest.raises(RetryableError):
        await run(handler, found.request)
    heard = await give_up(handler, found.request, RetryableError("away"))

    assert names(heard) == FAILED[:-1], "a result was published although the search failed"
    assert (of(heard, AnswerFailed).code, of(heard, ChatCompleted).failure_code) == ("retrieval_failed",) * 2


async def test_giving_up_after_a_refusing_provider_reports_it_and_the_search_result():
    found = retrieved()
    handler = Answering(Search(found), build(FakeModel(ProviderRefusedError("401", code="provider_refused"))))
    with pytest.raises(ProviderRefusedError) as caught:
        await run(handler, found.request)
    heard = await give_up(handler, found.request, caught.value)

    assert names(heard) == FAILED
    assert heard[-1] == found
    assert of(heard, AnswerFailed).code == "provider_refused"


async def test_giving_up_on_an_ended_answer_publishes_its_ending_again():
    found, attempts = retrieved(), FakeAttempts()
    whole = await run(Answering(Search(found), build(FakeModel("a", finish()), attempts=attempts)), found.request)
    heard = await give_up(Answering(Search(found), build(attempts=attempts)), found.request, RetryableError("away"))

    assert heard[: len(whole) - 1] == whole[:-1]


async def test_the_number_of_remembered_search_results_is_bounded():
    messages = [retrieved() for _ in range(3)]
    search = SearchOfMany(messages)
    handler = Answering(search, build(FakeModel(ProviderBusyError("529"))), max_remembered=2)
    first, *newest = messages
    for found in (*messages, *newest, first):
        with pytest.raises(ProviderBusyError):
            await run(handler, found.request)

    assert search.asked == [found.request for found in (*messages, first)], "the newest two are remembered"


async def test_a_message_of_another_session_is_refused_and_reveals_nothing():
    """No text, no sources and no row of the other session's answer."""
    found, attempts = retrieved(), FakeAttempts()
    attempts.is_taken = True
    handler = Answering(Search(found), build(FakeModel("a secret", finish()), attempts=attempts))

    with pytest.raises(MessageTakenError) as refused:
        await run(handler, found.request)
    [failure] = await give_up(handler, found.request, refused.value)
    assert isinstance(failure, AnswerFailed)
    assert (failure.code, failure.retryable, failure.session_id) == (
        "message_id_taken",
        False,
        found.request.session_id,
    )
