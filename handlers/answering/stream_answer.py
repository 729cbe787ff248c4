"""From a plan to the words of an answer: which model says them, and what happens when one does not."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from handlers.answering.answer_events import Answer
from handlers.answering.deltas import Deltas
from handlers.answering.interruption import Interruption
from handlers.models.errors import ProviderError
from handlers.ports import Finish, Model, Prompt
from schemas.events import AnswerEvent, Usage
from schemas.failures import RetryableError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    """The prompt, the models to try, best first; without models the answer is `no_answer_text`."""

    prompt: Prompt
    models: Sequence[Model]
    no_answer_text: str


async def speak(answer: Answer, plan: Plan, interruption: Interruption) -> AsyncGenerator[AnswerEvent, None]:
    """Started, sources and deltas; `answer.finish` says that the answer is whole, it is None when interrupted.

    A model that fails before its first word is followed by the next one. Raises `ProviderError` when words were said
    or none is left.
    """
    if interruption.reason:
        return
    if not plan.models:
        for event in _refusal(answer, plan.no_answer_text):
            yield event
        return
    async with aclosing(_try_each(answer, plan, interruption)) as events:
        async for event in events:
            yield event


async def _try_each(answer: Answer, plan: Plan, interruption: Interruption) -> AsyncGenerator[AnswerEvent, None]:
    failures: list[ProviderError] = []
    for model in plan.models:
        try:
            async with aclosing(_spoken(answer, model, plan.prompt, interruption)) as spoken:
                async for event in spoken:
                    yield event
        except ProviderError as error:
            if answer.text:
                raise
            log.warning("provider_failed", provider=model.provider, model=model.name, error=str(error))
            failures.append(error)
        else:
            return
    # One that is busy makes it worth trying again, whatever the others said.
    raise next((error for error in failures if isinstance(error, RetryableError)), failures[-1])


def _refusal(answer: Answer, text: str) -> Iterator[AnswerEvent]:
    yield answer.started(None)
    yield answer.sources([])
    yield answer.delta(text)
    answer.finish = Finish("no_answer", Usage())


async def _spoken(
    answer: Answer, model: Model, prompt: Prompt, interruption: Interruption
) -> AsyncGenerator[AnswerEvent, None]:
    async with Deltas(model, prompt, interruption) as deltas:
        # The model works already. In a burst, the next questions reach it before all this is told.
        await deltas.opening()
        if interruption.reason:
            return
        yield answer.started(model)
        if not answer.has_sources:
            yield answer.sources(prompt.passages)
        async for piece in deltas:
            if isinstance(piece, Finish):
                answer.finish = piece
            else:
                yield answer.delta(piece)
