"""Sentences end where a reader of the language says so, in bounded time, and lists stay with their announcement."""

import random
import time

import pytest

from handlers.words.lists import announced_lists, units_of, without_gaps
from handlers.words.sentences import MAX_CHARACTERS, sentences_of

WHOLE = [
    "The fee is 110.50 euros.",
    "It opens at 8 a.m. and closes at 5.30 p.m. with a break.",
    "See https://shop.example/a.html?b=1.5 for more.",
    "The practice is at Canal St. 14 in the yard, bell no. 3 on the left.",
    "Dr. Ines Okafor brings e.g. the blue one and approx. 10 euros.",
    "Die Sprechstunde am 24. Dezember entfällt.",
    "Rezepte werden z. B. per Post verschickt und kosten ca. 2 Euro inkl. MwSt. im Haus.",
    "Der 3. Stock ist zu.",
    "M. Dupont habite au 5 av. Foch.",
    "El Sr. García vive en Av. Mayor.",
    "Il Sig. Rossi parla con il dott. Verdi.",
    "Dhr. Jansen komt het huis zien.",
    "A Dra. Costa atende na Av. Paulista.",
    "Mieszka na ul. Długiej.",
    "Адрес: ул. Ленина, д. 5.",
    "The price is $5.50 at Node.js Ltd. in the U.S. today.",
    "1. Open the lid.",
    "See README.MD and www.Example.com for stock.Bergen.",
]


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_dot_inside_a_sentence_does_not_end_it(sentence):
    assert sentences_of(f"{sentence} Fin.")[0].strip() == sentence


@pytest.mark.parametrize("row", ["Boat: Canoe; Note: Fast. Two seats; Per hour: 9 €", "Canoe | Fast. Two seats. | 9 €"])
def test_a_row_of_a_table_is_one_sentence(row):
    assert sentences_of(f"{row}\nThen. Next.") == [f"{row}\n", "Then. ", "Next."]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("我们卖椅子。退款需要十四天。", ["我们卖椅子。", "退款需要十四天。"]),
        ("他说：“走吧！”我们走了。", ["他说：“走吧！”", "我们走了。"]),
        ("『そうです。』と言った。次。", ["『そうです。』と言った。", "次。"]),
        ("هل هذا مفتوح؟ نعم.", ["هل هذا مفتوح؟", "نعم."]),
        ("यह किताब है। वह घर है।", ["यह किताब है।", "वह घर है।"]),
        ("안녕하세요. 저는 학생입니다.", ["안녕하세요.", "저는 학생입니다."]),
        ("We do it. The next one is in. Then we go.", ["We do it.", "The next one is in.", "Then we go."]),
        ("One [1]. Two.[23] Three!", ["One [1].", "Two.[23]", "Three!"]),
        ("Row one\nRow two", ["Row one", "Row two"]),
    ],
)
def test_sentences_of_many_scripts_are_told_apart(text, sentences):
    assert [sentence.strip() for sentence in sentences_of(text)] == sentences


def test_thai_without_marks_is_cut_between_phrases():
    phrase = "ร้านซ่อมจักรยานของเราเปิดทุกวัน "

    parts = sentences_of(phrase * 30)

    assert max(map(len, parts)) <= 300
    assert all(part.endswith(phrase) for part in parts)


@pytest.mark.parametrize(
    "text",
    ["退款需要十四天。" * 25_000, "好。」" * 60_000, "😀. " * 60_000, "e.g. " * 40_000, "." * 200_000, "QUJD" * 50_000],
    ids=["Chinese", "quotes", "emoji", "abbreviations", "dots", "base64"],
)
def test_hostile_text_takes_no_longer(text):
    began = time.process_time()

    parts = sentences_of(text)

    assert time.process_time() - began < 5
    assert "".join(parts) == text
    assert max(map(len, parts)) <= MAX_CHARACTERS


def test_no_letter_is_lost():
    dice = random.Random(3)
    letters = [*'aB1.!? \n。」「“”)(:é我ก"', "e.g.", "Dr. ", "\u0301"]
    for _ in range(500):
        text = "".join(dice.choices(letters, k=dice.randrange(1, 200)))
        assert "".join(sentences_of(text)) == text
        assert "".join(units_of(text)) == text


def test_a_list_and_its_announcement_are_found_over_a_blank_line():
    text = without_gaps("Welcome.\nPlease bring:\n\n- a towel\n- shoes\n\nParking is free.")

    (found,) = announced_lists(text)

    assert found.line == "Please bring:"
    assert text[found.start : found.end] == "Please bring:\n- a towel\n- shoes\n"
    assert units_of(text)[1] == "Please bring:\n- a towel\n"
