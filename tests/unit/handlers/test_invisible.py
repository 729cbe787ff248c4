import pytest

from handlers.invisible import visible

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("pass\u200bages", "passages"),
        ("a\u200db \ufe0fc\u200c", "ab c"),
        ("\U000e0069\U000e0067nore", "nore"),
        ("\u202eevil\u202c \u2066x\u2069 \ufeffy", "evil x y"),
        (FAMILY, FAMILY),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    ],
)  # fmt: skip
def test_invisible_characters_are_removed(text, seen):
    assert visible(text) == seen
