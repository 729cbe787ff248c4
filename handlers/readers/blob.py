"""Files inside a text, as base64 or hexadecimal: they answer no question, and each megabyte is 4,000 passages."""

import re
from collections.abc import Iterable, Iterator

from handlers.readers.report import Report
from handlers.readers.section import Section

MIN_CHARACTERS = 1_000
MIN_DIGIT_SHARE = 0.05
# In one line, or in lines of 50 characters and more. Nothing else is that long without white space, beside text of
# scripts beyond ASCII, addresses with their marks, and sequences of one kind of character.
RUN = re.compile(r"(?<![\w+/=-])(?:[A-Za-z0-9+/=_-]{50,}\s{0,2})+(?:[A-Za-z0-9+/_-]*=)*")
DIGIT, LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")


def without_blobs(sections: Iterable[Section], report: Report) -> Iterator[Section]:
    """The sections that have text beside blobs; warns of what was left out."""
    left_out = 0
    for section in sections:
        kept = section.changed(_without_blobs)
        left_out += len(section.text) - len(kept.text)
        if kept.text.strip():
            yield kept
    if left_out:
        report.warn(f"Encoded data (base64 or hexadecimal) of {left_out:,} characters was left out.")


def _without_blobs(text: str) -> str:
    return RUN.sub(lambda run: " " if _is_blob(run[0]) else run[0], text)


def _is_blob(run: str) -> bool:
    has_digits = len(DIGIT.findall(run)) >= MIN_DIGIT_SHARE * len(run)
    return len(run) >= MIN_CHARACTERS and has_digits and LETTER.search(run) is not None
