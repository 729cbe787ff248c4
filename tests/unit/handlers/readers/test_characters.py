"""Text is cleaned of what nobody sees, and keeps what scripts and emoji need."""

import pytest

from handlers.readers.section import clean

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Kosten\u00advor\u00adanschlag", "Kostenvoranschlag"),
        ("Wasch\u00ad\nmaschine", "Waschmaschine"),
        ("ware\u200bhouse Rotter\u2060dam \ufeffx", "warehouse Rotterdam x"),
        ("Рот\u200dтер\u200cдам", "Роттердам"),
        ("gro\u00df\u200d\u00e4 字\u200c字", "große 字字".replace("e", "ä")),
        ("Par\U000e0069\U000e0067\U000e007fis", "Paris"),
        ("\u202eevil\u202c \u2066x\u2069 \u200ey\u061c", "evil x y"),
        ("b\ufe0f 字\U000e0100 \ufe00", "b 字 "),
        ("10\u202f000\u00a0€ z.\u2009B.", "10 000 € z. B."),
        ("KX\u20114410", "KX-4410"),
        ("a\u2028b\u0085c\u2029d\r\ne\rf\x0cg", "a\nb\nc\nd\ne\nf\ng"),
        ("ﬁn ﬀ ﬆ \u0133s", "fin ff st ijs"),
        ("\ufefb\ufeb3", "\u0644\u0627\u0633"),
        ("a\x00b\ud800c\x08\x9bd\ufffc", "abcd"),
        ("u\u0308ber", "über"),
    ],
)  # fmt: skip
def test_what_nobody_sees_goes(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937 \u0930\u094d\u200d",
        "\u0d28\u0d4d\u200d",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f9d4\U0001f3fd\u200d\u2642\ufe0f",
        f"{SCOTLAND} 1\ufe0f\u20e3 \u00a9\ufe0f",
        "Grüße – “5 €” … naïve Ð",
    ],
    ids=["Persian", "Hindi", "Malayalam", "family", "flag", "Scotland", "Latin"],
)
def test_what_a_script_or_an_emoji_needs_stays(text):
    assert clean(text) == text
