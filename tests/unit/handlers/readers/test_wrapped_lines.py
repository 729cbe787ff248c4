"""Wrapped paragraphs are made whole; what is made of lines keeps its lines."""

import time
from textwrap import fill

import pytest

from handlers.readers.text.wrapped_lines import unwrapped
from handlers.words.sentences import sentences_of

ENGLISH = (
    "A course for beginners in our Glass Workshop takes 3 hours and costs 64 euros (with Murano glass rods) for each "
    "person. Dr. Okafor lives at Canal St. 14 and opens at 8 a.m. on 24 December. Children may take part."
)
GERMAN = (
    "Die Sprechstunde am 24. Dezember entfällt. Für die Abholung der Möbel braucht man einen Schein (Vordruck im "
    "Büro) oder die Nummer 4410 der Gemeinde."
)
RUSSIAN = "Прокат лыж стоит 900 рублей в день. Залог не нужен, если вы живёте в гостинице Москва на улице Ленина."


@pytest.mark.parametrize("width", [40, 55, 72, 79])
@pytest.mark.parametrize("text", [ENGLISH, GERMAN, RUSSIAN])
def test_no_sentence_of_a_paragraph_wrapped_at_a_width_is_cut(text, width):
    assert stripped(unwrapped(f"{fill(text, width)}\n\nNext.\n")) == stripped(f"{text}\n\nNext.\n")


def stripped(text):
    return [sentence.strip() for sentence in sentences_of(text)]


@pytest.mark.parametrize(
    ("wrapped", "whole"),
    [
        (
            "A course takes one afternoon in the workshop and\ncosts 64 euros, including\nMurano glass and\n24 beads.",
            "A course takes one afternoon in the workshop and costs 64 euros, including Murano glass and 24 beads.",
        ),
        ("电动自行车的电池保修期限为三十\n六个月，从购买当天开\n始计算。",
         "电动自行车的电池保修期限为三十六个月，从购买当天开始计算。"),
        ("    The deposit is returned in 14 days and\nBerlin customers pay 300 euros (by card) if\nthey book.",
         "The deposit is returned in 14 days and Berlin customers pay 300 euros (by card) if they book."),
        ("The mainten-\nance of the KX-\n4410 is on Mondays, please call 0800-\n555 for the pick-up and delivery.",
         "The maintenance of the KX-4410 is on Mondays, please call 0800-555 for the pick-up and delivery."),
        ("The practice of Dr.\nOkafor is at Canal St.\n14 in the yard and opens at 8 a.m.\non weekdays. Call first.",
         "The practice of Dr. Okafor is at Canal St. 14 in the yard and opens at 8 a.m. on weekdays. Call first."),
        ("Opening hours\nWe are open from Monday to Friday and on\nSaturdays from 9 to 12. On Sundays we\nare closed.",
         "Opening hours\nWe are open from Monday to Friday and on Saturdays from 9 to 12. On Sundays we are closed."),
        ("Bring:\n- cotton clothes with long sleeves, because\n  nylon melts\n- shoes\n",
         "Bring:\n- cotton clothes with long sleeves, because nylon melts\n- shoes\n"),
        ("The shop for repairs is in\nMunich.", "The shop for repairs is in Munich."),
        ("A class for adults costs 20 euros\n(18 with a card).", "A class for adults costs 20 euros (18 with a card)."),
        ("> We will be there at ten and bring\n> the boat.", "We will be there at ten and bring the boat."),
    ],
    ids=[
        "ragged", "Chinese", "first line indented", "divided words", "abbreviations", "title", "list", "two lines",
        "brackets", "mail",
    ],
)  # fmt: skip
def test_a_sentence_goes_on_in_the_next_line(wrapped, whole):
    assert unwrapped(wrapped) == whole


@pytest.mark.parametrize(
    "text",
    [
        "Bike shop Miller\nCanal St. 14\n1012 AB Amsterdam\nNetherlands\n",
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\nRough winds shake May,\n",
        "How to start:\n1. Open the lid.\n2. Press the button.\n3. Close it.\n",
        "Please bring to the course:\ncotton clothes\nclosed shoes\na towel\n",
        "Phone: 0800 555 0142\nFax: 0800 555 0143\nopening: 8 to 17\n",
        "Boat      Per hour   Deposit\nCanoe     9 euros    40\nRowing    12 euros   50\n",
        "Boat\tPer hour\nCanoe\t9 euros\n",
        "Tomato soup 4.50\nFish and chips 9.80\nApple pie 3.20\n",
        "def f(x):\n    return x + 1\n",
        "Check-in is from 3 p.m.\nCheck-out is until 11 a.m.\nBreakfast is served from 7 to 10.\n",
        "Monday 9 a.m. to 5 p.m.\nTuesday closed\nWednesday 10 a.m. to 8 p.m., tours at noon\n",
    ],
    ids=["address", "poem", "steps", "bare list", "labels", "columns", "tabs", "menu", "code", "sentences", "hours"],
)
def test_lines_that_mean_something_stay(text):
    assert unwrapped(text) == text


@pytest.mark.parametrize("line", ["x" * 100_000, "a  " * 30_000, ")" * 100_000, "word " * 20_000, "a"])
def test_long_and_many_lines_take_no_longer(line):
    began = time.process_time()

    unwrapped(f"{line}\n" * max(2, 200_000 // len(line)))

    assert time.process_time() - began < 5
