"""Invisible characters that a model reads: tags, zero-width and directional marks (OWASP LLM01:2026)."""

import re

# Tag characters and further variation selectors, zero-width and directional marks, fillers, soft hyphens.
_INVISIBLE = re.compile(
    "[\U000e0000-\U000e0fff\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]"
)
# In a row they shape nothing, and can encode any text.
_RUNS = re.compile("[\u200c\u200d]{2,}|[\ufe00-\ufe0f]{2,}")
# Joiners belong between letters of joining scripts and, like variation selectors, in emoji; Latin has neither.
_JOINERS = re.compile(
    "(?<=[\x00-\x7f])[\u200c\u200d\ufe00-\ufe0f]+|[\u200c\u200d]+(?=[\x00-\x7f]|$)|^[\u200c\u200d\ufe00-\ufe0f]+"
)


def visible(text: str) -> str:
    """The text without them; joiners stay inside emoji, Persian and Indic words."""
    if text.isascii():
        return text
    return _JOINERS.sub("", _RUNS.sub("", _INVISIBLE.sub("", text)))
