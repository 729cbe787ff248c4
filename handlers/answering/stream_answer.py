"""Streams an answer by the first model that works."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import structlog

from handlers.answering.answer_events import AnswerAttempt
from handlers.answering.deltas import Deltas
from handlers.answering.interruption import Interruption
from handlers.models.errors import ProviderError
from handlers.ports import Finish, Model, Prompt
from schemas.events import AnswerEvent, Usage
from schemas.failures import RetryableError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """The prompt, the models to try, best first; without models the answer is `no_answer_text`."""

    prompt: Prompt
    models: Sequence[Model]
    no_answer_text: str


def stream_answer(
    answer: AnswerAttempt, plan: GenerationPlan, interruption: Interruption
) -> AsyncGenerator[AnswerEvent, None]:
    """Started, sources and deltas; `answer.finish` is set when the answer is complete, and None when interrupted.

    When a model fails before its first text, the next one is tried. Raises `ProviderError` when text was sent or no
    model is left.
    """
    if not plan.models:
        return _no_answer(answer, plan.no_answer_text, interruption)
    return _stream_models(answer, plan, interruption)


async def _no_answer(answer: AnswerAttempt, text: str, interruption: Interruption) -> AsyncGenerator[AnswerEvent, None]:
    if interruption.reason:
        return
    yield answer.started(None)
    yield answer.sources([])
    yield answer.delta(text)
    answer.finish = Finish("no_answer", Usage())


async def _stream_models(
    answer: AnswerAttempt, plan: GenerationPlan, interruption: Interruption
) -> AsyncGenerator[AnswerEvent, None]:
    failures: list[ProviderError] = []
    for model in plan.models:
        try:
            async with Deltas(model, plan.prompt, interruption) as deltas:
                # The model already works. In a burst, the next questions reach it before these events are published.
                await deltas.opening()
                if interruption.reason:
                    return
                for event in answer.head(model, plan.prompt.passages):
                    yield event
                async for text in deltas:
                    yield answer.delta(text)
                answer.finish = deltas.finish
        except ProviderError as error:
            if answer.text:
                raise
            log.warning("provider_failed", provider=model.provider, model=model.name, error=str(error))
            failures.append(error)
        else:
            return
    # One busy provider is enough for a retry, whatever the others answered.
    raise next((error for error in failures if isinstance(error, RetryableError)), failures[-1])
