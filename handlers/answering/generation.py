"""From passages to the streamed answer, and ChatCompleted: the record of it."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from handlers.answering import metrics
from handlers.answering.answer_events import Answer, attempt_of, told_again
from handlers.answering.cancellations import Cancellations
from handlers.answering.context import ChatLogStore, Circumstances, ClientStore, find_circumstances
from handlers.answering.flush import beat
from handlers.answering.interruption import Interruption
from handlers.answering.lease import AttemptStore, Begun, Leases
from handlers.answering.stream_answer import Plan, speak
from handlers.background_task import beside
from handlers.models.pricing import Pricing
from handlers.ports import Model
from handlers.prompts import build_prompt, character_count
from schemas.events import AnswerEvent, ChatCompleted, ChatRequested, ChatRetrieved, Event, Tier
from schemas.failures import PermanentError, RetryableError
from stores.attempts import Ended, Held
from stores.clients import Widget

# On the scale of `handlers.retrieval.search.confidence` (top cosine + share of the question's words, 0 to 2). Measured:
# 0.78 tells questions about other matters apart, 1.04 those that the neighbouring text just misses
# (`research/ingestion.md` §3). A wrong refusal costs a visitor, a passage too many costs a careful sentence.
EVIDENCE_THRESHOLD = 0.75
NO_ANSWER = "I could not find an answer to that in the documents of this site."
FAILED = "The answer could not be written at the moment. Please try again in a minute."
MAX_UNENDED = 1_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that an answer needs besides passages."""

    begun: Begun | Ended
    circumstances: Circumstances


class Generation:
    """Answers once, whoever is killed or asked again: `Leases` says who may, `told_again` what is said of old."""

    def __init__(
        self,
        attempts: AttemptStore,
        clients: ClientStore,
        chat_logs: ChatLogStore,
        choose_models: Callable[[Widget, Tier], Sequence[Model]],
        cancellations: Cancellations,
    ) -> None:
        self._leases = Leases(attempts)
        self._clients = clients
        self._chat_logs = chat_logs
        self._choose_models = choose_models
        self._cancellations = cancellations
        self._pricing = Pricing()
        self._unended: dict[tuple[str, UUID, str], tuple[Begun, Answer]] = {}

    async def prepare(self, request: ChatRequested) -> Prepared:
        """Takes the message; needs no passages. Raises `RetryableError` while another worker holds it, and what
        `Leases.begin` raises.
        """
        async with beside(find_circumstances(self._clients, self._chat_logs, request)) as finding:
            taken = await self._leases.begin(*_who(request))
            return Prepared(_ours(taken), await finding)

    async def answer(self, event: ChatRetrieved, prepared: Prepared) -> AsyncGenerator[Event, None]:
        """Yields started, sources, deltas and an ending; nothing more once another worker has taken over. For a
        question that could not be searched for, a failed ending alone; for one that has ended, all that was said.

        Raises `ProviderError` when no provider answers or one breaks off in mid-answer.
        """
        begun = prepared.begun
        if isinstance(begun, Ended):
            for told in self._told_again(begun.ending, event):
                yield told
            return
        telling = self._fail if event.failure else self._answer
        async with aclosing(telling(event, begun, prepared.circumstances)) as events:
            async for said in events:
                yield said

    async def give_up(self, event: ChatRetrieved, error: Exception) -> AsyncGenerator[Event, None]:
        """Ends the last attempt as failed, or as it ended before. Needs no provider, and goes on without Postgres.

        Raises `RetryableError` while another worker holds the message.
        """
        unended = self._unended.get((event.client_id, event.request.message_id, event.session_id))
        begun, answer = unended or (
            _ours(await self._leases.begin(*_who(event.request))),
            None,
        )
        if isinstance(begun, Ended):
            for told in self._told_again(begun.ending, event):
                yield told
            return
        answer = answer or Answer(event, begun.attempt, "free", self._pricing)
        code = error.code if isinstance(error, PermanentError) else "unavailable"
        last, record = answer.failed(code, FAILED, retryable=not isinstance(error, PermanentError))
        async with aclosing(self._end(event, begun, answer, (last, record))) as events:
            async for said in events:
                yield said

    async def _answer(self, event: ChatRetrieved, begun: Begun, found: Circumstances) -> AsyncGenerator[Event, None]:
        answer = Answer(event, begun.attempt, found.tier, self._pricing)
        self._remember(begun, answer)
        plan = self._plan(event, found)
        interruption = Interruption()
        with self._cancellations.watch(begun.client_id, begun.message_id, interruption.cancel):
            async with (
                self._leases.kept(begun, interruption.lose),
                aclosing(speak(answer, plan, interruption)) as events,
            ):
                async for said in events:
                    yield said
        if answer.finish:
            last: tuple[AnswerEvent, ChatCompleted] = answer.completed(answer.finish)
        elif interruption.reason == "cancelled":
            last = answer.cancelled(character_count(plan.prompt))
        else:
            self._forget(begun)
            return
        async with aclosing(self._end(event, begun, answer, last)) as endings:
            async for ended in endings:
                yield ended

    async def _fail(self, event: ChatRetrieved, begun: Begun, found: Circumstances) -> AsyncGenerator[Event, None]:
        assert event.failure is not None
        answer = Answer(event, begun.attempt, found.tier, self._pricing)
        failure = event.failure
        ended = answer.failed(failure.code, failure.message, retryable=failure.retryable)
        async with aclosing(self._end(event, begun, answer, ended)) as endings:
            async for said in endings:
                yield said

    def _plan(self, event: ChatRetrieved, found: Circumstances) -> Plan:
        is_answerable = event.passages and event.confidence >= EVIDENCE_THRESHOLD
        return Plan(
            prompt=build_prompt(found.widget, event.request.text, event.passages, found.turns),
            models=self._choose_models(found.widget, found.tier) if is_answerable else (),
            no_answer_text=found.widget.no_answer_text or NO_ANSWER,
        )

    async def _end(
        self, event: ChatRetrieved, begun: Begun, answer: Answer, ended: tuple[AnswerEvent, ChatCompleted]
    ) -> AsyncGenerator[Event, None]:
        """The ending is stored before it is told: told first, a crash would let another worker tell another one.

        Begun while Postgres was away, an attempt may find at its end that a lower one had ended before: then that one
        is told over it, for this one was shown (a soak found such answers stuck).
        """
        is_ours = await self._leases.finish(begun, answer.ending(*ended))
        if is_ours:
            self._forget(begun)
            metrics.observe(ended[1])
            # The words are out; their end goes with what others have to tell.
            await beat()
            for said in ended:
                yield said
            return
        earlier = await self._leases.ended_before(begun)
        self._forget(begun)
        if earlier:
            for told in told_again(earlier, event, begun.attempt + 1):
                yield told

    def _told_again(self, ending: dict[str, Any], event: ChatRetrieved) -> Iterator[Event]:
        """As it was; and to visitors once more above what was shown since. A gateway that knows the end drops it."""
        yield from told_again(ending, event)
        request = event.request
        number = self._leases.number_above(
            request.client_id, request.message_id, request.requested_at, attempt_of(ending)
        )
        if number is not None:
            yield from (told for told in told_again(ending, event, number) if isinstance(told, AnswerEvent))

    def _remember(self, begun: Begun, answer: Answer) -> None:
        self._forget(begun)
        if len(self._unended) >= MAX_UNENDED:
            del self._unended[next(iter(self._unended))]
        self._unended[begun.client_id, begun.message_id, begun.session_id] = begun, answer

    def _forget(self, begun: Begun) -> None:
        self._unended.pop((begun.client_id, begun.message_id, begun.session_id), None)


def _who(request: ChatRequested) -> tuple[str, UUID, str, datetime]:
    return request.client_id, request.message_id, request.session_id, request.requested_at


def _ours(begun: Begun | Ended | Held) -> Begun | Ended:
    if isinstance(begun, Held):
        raise RetryableError("another worker answers this message", retry_after_seconds=begun.retry_after_seconds)
    return begun
