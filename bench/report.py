"""How a bench reports: progress on stderr, one JSON object as the last line of stdout."""

import json
import sys
from collections.abc import Sequence
from statistics import median


def say(text: str) -> None:
    """Prints progress."""
    print(text, file=sys.stderr, flush=True)


def emit(figures: dict[str, object]) -> None:
    """The result. A key that could not be measured is null and has a `why`."""
    print(json.dumps(figures), flush=True)


def rounded_median(values: Sequence[float], digits: int = 3) -> float:
    """The median, rounded."""
    return round(median(values), digits)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; `share` from 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
