"""Whole numbers in files, which may be anything."""

MAX_DIGITS = 10


def number(text: str | None) -> int | None:
    """A whole number from 0, None for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS else None
