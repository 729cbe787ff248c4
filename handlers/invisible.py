"""Invisible characters that a search trips over and a model reads: tags, zero-width and directional marks, soft
hyphens (OWASP LLM01:2026). Letters and emoji that need one keep it.
"""

import re

# Tag characters and further variation selectors, zero-width and directional marks, fillers, soft hyphens, the
# controls of musical, shorthand and annotated text.
_NEVER = (
    "\U000e0000-\U000e0fff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffc"
)
# Scripts whose letters a joiner shapes: Arabic, Syriac, Mandaic; Indic; Myanmar, Khmer, Mongolian, Balinese.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\u1b00-\u1b7f\ufb50-\ufdff\ufe70-\ufefe"
# What an emoji ends with: a pictograph, a skin tone, a sign for a person, or the selector of one.
_PICTOGRAPH = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
_EMOJI = f"{_PICTOGRAPH}\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"

_INVISIBLE = re.compile(
    f"({_FLAG})"
    # A keycap: a digit, the selector, and the square around it.
    "|(?<=[0-9#*])(\ufe0f\u20e3)"
    f"|(?<=[{_EMOJI}])([\ufe0e\ufe0f](?:\u200d(?=[{_EMOJI}]))?|\u200d(?=[{_EMOJI}]))"
    f"|(?<=[{_JOINING}])([\u200c\u200d])(?=[{_JOINING}])"
    # At the end of an Indic word a joiner decides whether the last sign is drawn as half a letter.
    "|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])([\u200c\u200d])(?![\u200c\u200d])"
    f"|[{_NEVER}\u200c\u200d\ufe0e\ufe0f]"
)


def visible(text: str) -> str:
    """The text without them; joiners, selectors and tags stay inside emoji, Persian and Indic words."""
    if text.isascii():
        return text
    return _INVISIBLE.sub(_needed, text)


def _needed(found: re.Match[str]) -> str:
    return found[found.lastindex] or "" if found.lastindex else ""
