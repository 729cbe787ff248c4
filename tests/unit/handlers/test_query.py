"""Which messages need the previous question, and how much of a question the passages cover."""

import pytest

from handlers.retrieval.query import covered_share, is_follow_up, words_of
from schemas.passages import Passage


@pytest.mark.parametrize(
    "message",
    [
        "And for Austria?",
        "what about returns",
        "How long does it take?",
        "Why?",
        "Is that also true for them?",
        "price?",
        "what if they arrive broken",
    ],
)
def test_a_message_that_points_back_leans_on_the_conversation(message):
    assert is_follow_up(message)


@pytest.mark.parametrize(
    "message",
    [
        "How do I reset the password of my account?",
        "What is the delivery time for orders to Austria?",
        "Which payment methods does the shop accept, and is there a fee for this credit card type in Norway?",
        "Android phones that support wireless charging",
    ],
)
def test_a_whole_question_stands_alone(message):
    assert not is_follow_up(message)


def passage(text, heading=None):
    return Passage(document_id="d", title="t", text=text, score=0.5, heading=heading)


def test_covered_share_counts_content_words_in_any_form_in_the_top_three():
    passages = [
        passage("Deliveries to Austria"),
        passage("nothing"),
        passage("take days", "Shipping"),
        passage("express"),
    ]

    assert covered_share("How is the delivery shipped to Austria?", passages) == 1.0
    assert covered_share("express delivery", passages) == 0.5
    assert covered_share("Is it?", passages) == 0.0


def test_words_lose_case_and_accents_and_unspaced_scripts_come_in_pairs():
    assert words_of("Crème BRÛLÉE, straße!") == ["creme", "brulee", "strasse"]
    assert words_of("配送時間 ok") == ["配送", "送時", "時間", "ok"]
