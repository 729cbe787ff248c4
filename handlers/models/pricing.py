"""What an answer costs, by the providers' public prices."""

import re
from dataclasses import dataclass

import structlog

from schemas.events import Usage

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float = 0.0


PRICES = {
    "extractive": Price(0, 0, 0),
    "none": Price(0, 0, 0),
    "gpt-4o": Price(2.50, 10.00, 1.25),
    "gpt-4o-mini": Price(0.15, 0.60, 0.075),
    "gpt-4.1": Price(2.00, 8.00, 0.50),
    "gpt-4.1-mini": Price(0.40, 1.60, 0.10),
    "gpt-4.1-nano": Price(0.10, 0.40, 0.025),
    "gpt-5": Price(1.25, 10.00, 0.125),
    "gpt-5-mini": Price(0.25, 2.00, 0.025),
    "gpt-5-nano": Price(0.05, 0.40, 0.005),
    "claude-opus-4-5": Price(5.00, 25.00, 0.50, 6.25),
    "claude-sonnet-4": Price(3.00, 15.00, 0.30, 3.75),
    "claude-sonnet-4-5": Price(3.00, 15.00, 0.30, 3.75),
    "claude-haiku-4-5": Price(1.00, 5.00, 0.10, 1.25),
    "claude-3-5-haiku": Price(0.80, 4.00, 0.08, 1.00),
}

# gpt-4o-mini-2024-07-18, claude-sonnet-4-5-20250929: a dated name is a snapshot of the undated one.
_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


class Pricing:
    """Computes costs from the price list, and logs once for each model that is not on it."""

    def __init__(self) -> None:
        self._unknown: set[str] = set()

    def cost_usd(self, model: str, usage: Usage) -> float:
        """The cost in USD; 0 for a model that is not on the list."""
        price = PRICES.get(_DATE.sub("", model))
        if price is None:
            self._report(model)
            return 0.0
        return (
            usage.input_tokens * price.input
            + usage.output_tokens * price.output
            + usage.cache_read_tokens * price.cache_read
            + usage.cache_write_tokens * price.cache_write
        ) / 1_000_000

    def _report(self, model: str) -> None:
        if model not in self._unknown and len(self._unknown) < 1_000:
            self._unknown.add(model)
            log.warning("model_without_price", model=model, counted_as_usd=0)
