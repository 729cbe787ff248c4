"""What the handlers need from outside; each has an implementation and a fake (`tests/support/fakes.py`)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.events import FinishReason, Usage
from schemas.passages import Passage

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors. `name` identifies the vector space: vectors of two names are never compared."""

    name: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text. Raises `RetryableError` when a retry may help."""
        ...

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """One vector, ahead of any batch that is waiting."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of the session."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. The stable part comes first so that a provider can cache it."""

    system: str
    turns: Sequence[Turn]
    question: str
    passages: Sequence[Passage]
    temperature: float
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The last item of a model's stream. Without it the stream was cut, and `ProviderError` is raised."""

    reason: FinishReason
    usage: Usage


class Model(Protocol):
    """A streaming answerer. Closing the iterator closes the provider's stream."""

    provider: str
    name: str

    def stream(self, prompt: Prompt) -> AsyncIterator[str | Finish]:
        """Pieces of text, then one `Finish`. Raises `handlers.models.errors.ProviderError`."""
        ...
