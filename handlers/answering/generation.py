"""From passages to the streamed answer and its record, ChatCompleted."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cachetools import FIFOCache

from handlers.answering import metrics
from handlers.answering.answer_events import AnswerAttempt, attempt_of, replay_ending
from handlers.answering.cancellations import Cancellations
from handlers.answering.context import AnswerContext, ChatLogStore, ClientStore, load_answer_context, load_turns
from handlers.answering.flush import flush_tick
from handlers.answering.interruption import Interruption
from handlers.answering.lease import Leases, StartedAttempt
from handlers.answering.stream_answer import GenerationPlan, stream_answer
from handlers.background_task import background_task
from handlers.models.pricing import Pricing
from handlers.ports import Model, Turn
from handlers.prompts import build_prompt, character_count
from schemas.events import AnswerEvent, ChatCompleted, ChatRequested, ChatRetrieved, Event, Tier
from schemas.failures import PermanentError, RefusedError, RetryableError
from stores.postgres.attempts import Ended, Held
from stores.postgres.clients import Widget

# On the scale of `handlers.retrieval.search.confidence` (top cosine + share of the question's words, 0 to 2). Measured:
# 0.78 separates off-topic questions, 1.04 those that a nearby text almost answers. A wrong refusal costs a visitor, an
# irrelevant passage only a careful sentence.
EVIDENCE_THRESHOLD = 0.75
NO_ANSWER = "I could not find an answer to that in the documents of this site."
SEARCH_UNAVAILABLE = "The knowledge base cannot be searched at the moment. Please ask again in a minute."
REFUSED = "This question cannot be answered as it was sent. Please ask it again."
FAILED = "The answer could not be written at the moment. Please try again in a minute."
MAX_UNENDED = 1_000

Ending = tuple[AnswerEvent, ChatCompleted]


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that an answer needs besides passages."""

    started: StartedAttempt | Ended
    context: AnswerContext


class Generation:
    """Answers a message once, also after a crash or a repeated question: `Leases` decides who may answer."""

    def __init__(
        self,
        leases: Leases,
        clients: ClientStore,
        chat_logs: ChatLogStore,
        choose_models: Callable[[Widget, Tier], Sequence[Model]],
        cancellations: Cancellations,
    ) -> None:
        self._leases = leases
        self._clients = clients
        self._chat_logs = chat_logs
        self._choose_models = choose_models
        self._cancellations = cancellations
        self._pricing = Pricing()
        self._unended: FIFOCache[tuple[str, UUID, str], tuple[StartedAttempt, AnswerAttempt]] = FIFOCache(MAX_UNENDED)

    async def turns(self, request: ChatRequested) -> Sequence[Turn]:
        """The session's earlier turns; read once, for the search and for the prompt. Raises nothing."""
        return await load_turns(self._chat_logs, request)

    async def prepare(self, request: ChatRequested, turns: Awaitable[Sequence[Turn]]) -> Prepared:
        """Takes the message's lease; needs no passages. Raises `RetryableError` while another worker holds it, and what
        `Leases.begin` raises.
        """
        async with background_task(load_answer_context(self._clients, request, turns)) as loading:
            taken = await self._leases.begin(*_message_of(request))
            return Prepared(_unless_held(taken), await loading)

    def answer(self, found: ChatRetrieved, prepared: Prepared) -> AsyncGenerator[Event, None]:
        """Started, sources, deltas and an ending; nothing more once another worker has taken over. For a message that
        has ended, its whole answer.

        Raises `ProviderError` when no provider answers or one fails in mid-answer.
        """
        if isinstance(prepared.started, Ended):
            return self._replay(prepared.started, found.request)
        return self._attempt(found, prepared.started, prepared.context)

    async def give_up(self, request: ChatRequested, error: Exception, found: ChatRetrieved | None) -> list[Event]:
        """Ends the last attempt as failed, or as it ended before. `found` is None when the search failed. Needs no
        provider, and works without Postgres.

        Raises `RetryableError` while another worker holds the message.
        """
        unended = self._unended.get((request.client_id, request.message_id, request.session_id))
        if unended is None:
            async with background_task(self.turns(request)) as turns:
                prepared = await self.prepare(request, turns)
            if isinstance(prepared.started, Ended):
                return list(self._replayed(prepared.started, request))
            attempt = AnswerAttempt(request, prepared.started.attempt, prepared.context.tier, self._pricing)
            unended = prepared.started, attempt
        started, attempt = unended
        code, message = _failure(error, is_found=found is not None)
        ending = attempt.failed(code, message, retryable=not isinstance(error, PermanentError))
        return await self._end(request, started, attempt, ending)

    async def _attempt(
        self, found: ChatRetrieved, started: StartedAttempt, context: AnswerContext
    ) -> AsyncGenerator[Event, None]:
        attempt = AnswerAttempt(
            found.request, started.attempt, context.tier, self._pricing, retrieval_ms=found.retrieval_ms
        )
        self._remember(started, attempt)
        plan = self._plan(found, context)
        interruption = Interruption()
        with self._cancellations.watch(started.client_id, started.message_id, interruption.cancel):
            async with (
                self._leases.renewing(started, interruption.lease_lost),
                aclosing(stream_answer(attempt, plan, interruption)) as events,
            ):
                async for event in events:
                    yield event
        if attempt.finish:
            ending: Ending = attempt.completed(attempt.finish)
        elif interruption.reason == "cancelled":
            ending = attempt.cancelled(character_count(plan.prompt))
        else:
            self._forget(started)
            return
        for last in await self._end(found.request, started, attempt, ending):
            yield last

    def _plan(self, found: ChatRetrieved, context: AnswerContext) -> GenerationPlan:
        is_answerable = found.passages and found.confidence >= EVIDENCE_THRESHOLD
        return GenerationPlan(
            prompt=build_prompt(context.widget, found.request.text, found.passages, context.turns),
            models=self._choose_models(context.widget, context.tier) if is_answerable else (),
            no_answer_text=context.widget.no_answer_text or NO_ANSWER,
        )

    async def _end(
        self, request: ChatRequested, started: StartedAttempt, attempt: AnswerAttempt, ending: Ending
    ) -> list[Event]:
        """Stores the ending before it is published: after a crash another worker could publish a different one.

        An attempt that began while Postgres was unavailable may find that a lower one has ended. Visitors saw this
        one, so the earlier ending is replayed with a higher number.
        """
        if await self._leases.finish(started, attempt.ending(*ending)):
            self._forget(started)
            metrics.observe(ending[1])
            # The text is published; its ending goes with the records of other answers.
            await flush_tick()
            return list(ending)
        earlier = await self._leases.ended_before(started)
        self._forget(started)
        return list(replay_ending(earlier, request, started.attempt + 1)) if earlier else []

    async def _replay(self, ended: Ended, request: ChatRequested) -> AsyncGenerator[Event, None]:
        for event in self._replayed(ended, request):
            yield event

    def _replayed(self, ended: Ended, request: ChatRequested) -> Iterator[Event]:
        """The ending, then again with a number above every attempt that visitors have seen since. A gateway that has
        the ending drops it.
        """
        yield from replay_ending(ended.ending, request)
        number = self._leases.number_above(
            request.client_id, request.message_id, request.requested_at, attempt_of(ended.ending)
        )
        if number is not None:
            replayed = replay_ending(ended.ending, request, number)
            yield from (event for event in replayed if isinstance(event, AnswerEvent))

    def _remember(self, started: StartedAttempt, attempt: AnswerAttempt) -> None:
        self._unended[started.client_id, started.message_id, started.session_id] = started, attempt

    def _forget(self, started: StartedAttempt) -> None:
        self._unended.pop((started.client_id, started.message_id, started.session_id), None)


def _message_of(request: ChatRequested) -> tuple[str, UUID, str, datetime]:
    return request.client_id, request.message_id, request.session_id, request.requested_at


def _unless_held(taken: StartedAttempt | Ended | Held) -> StartedAttempt | Ended:
    if isinstance(taken, Held):
        raise RetryableError("another worker answers this message", retry_after_seconds=taken.retry_after_seconds)
    return taken


def _failure(error: Exception, *, is_found: bool) -> tuple[str, str]:
    """The code, and the sentence for the visitor."""
    if is_found:
        return (error.code if isinstance(error, PermanentError) else "unavailable"), FAILED
    if isinstance(error, RefusedError):
        return error.code, REFUSED
    return "retrieval_failed", SEARCH_UNAVAILABLE
