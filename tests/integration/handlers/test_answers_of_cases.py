"""Documents that people reported, and the answer that a visitor gets: reader, splitter, MiniLM, extractive."""

import re

import numpy as np
import pytest

from handlers.ingestion.chunks import Splitter, embedded_text
from handlers.models.extractive import Extractive
from handlers.models.minilm import MiniLM, weights_folder
from handlers.readers.section import UnreadableError
from tests.support.fakes_models import passage, prompt
from tests.unit.handlers.readers.reading import CASES, read

PASSAGES = 6
UNREADABLE = ("06-", "07-", "07b-")
# File, question, what the answer holds, what it never holds (regular expressions).
ANSWERS = [
    ("01-", "How many guests are booked for the summer party?", "148", None),
    ("02-", "How much is the monthly membership fee for adults?", r"\b25 euros", "251"),
    ("03-", "Which number do I call to order spare parts?", "0800-555-0142", "08005550142"),
    ("04-", "How long is the refund period for lamps?", "14 days", "900|777"),
    ("05-", "When does the last cable car leave the summit?", "16:55", "Price list"),
    ("08-", "How much does a small kiln cost?", r"\b18\b", None),
    ("09-", "How much is the deposit for a rental van?", "350 euros", None),
    ("10-", "How much do you keep if I cancel less than 48 hours before arrival?", "60 percent", None),
    ("11-", "电动自行车的电池保修期限是多久？", "三十六个月", None),
    ("12-", "What does the customer handbook say about a lost key?", "22 euros", "(?i)customer handbook"),
    ("13-", "How much does the swimming course cost?", "95 euros", None),
    ("14-", "Does the night bus stop at the hospital?", "hospital", None),
    ("15-", "What does a lakeside pitch cost in high season?", r"33\.50", None),
    ("20-", "電動自転車の電池の保証期間は？", "三年間", None),
    ("20b-", "电动自行车的电池保修期限是多久？", "三十六个月", None),
    ("21-", "Was kostet die Rückgabe übergroßer Möbel?", "39 €", "\ufffd"),
    ("23-", "What does a rowing boat cost?", "9 pounds an hour", None),
    ("24-", "How much bleed do you need?", "3 millimetres", None),
    ("24b-", "How long does it take?", "26 hours", None),
    ("25-", "Was kostet ein Kostenvoranschlag?", "29 Euro", "\xad"),
    ("25-", "How long does the dishwasher warranty last?", "30 months", None),
    ("25-", "Where is your warehouse?", "Rotterdam", None),
    ("26-", "How much does a course for beginners cost?", "course for beginners.*64 euros", None),
    ("27-", "When does the surgery open on weekdays?", r"8 a\.m\. and closes at 5\.30 p\.m\. with", None),
    ("28-", "แบตเตอรี่จักรยานไฟฟ้ามีการรับประกันกี่เดือน", "สามสิบหกเดือน", None),
    ("28b-", "电动自行车的电池保修期限是多久？", "三十六个月", None),
    ("29-", "¿A qué hora abre el jardín botánico?", "Abre a las nueve", None),
    ("29b-", "Wie hoch ist die Gebühr für die Müllabfuhr?", "84 €", None),
    ("29c-", "Ile wynosi opłata za przechowanie łodzi zimą?", "320 złotych", None),
    ("29d-", "Сколько стоит прокат лыж в день?", "900 рублей", None),
    ("32-", "How long does the battery of the weather station last?", "11 months", None),
    ("32b-", "What does a new seal cost?", "7 euros", None),
    ("33-", "What does the delivery of cakes cost?", "12 euros", None),
    ("35-", "How heavy is the roof tent?", "41 kilograms", "base64"),
    ("36-", "What does the Oak scooter cost per hour?", r"Oak; .*Price per hour in euros: \d", None),
    ("37-", "How much does a library card cost?", "3 euros", r"\]\(|&\w+;"),
    ("38-", "How long does a crossing to the island take?", "25 minutes", "note"),
    ("38b-", "What does a kite cost?", "8 euros", "note"),
    ("39-", "What does a towel for the sauna cost?", "2€", "NaN|color"),
    ("39-", "When is the sauna open on Sunday?", "10:00 to 18:00", None),
    ("40-", "Where are scooters kept?", "shed", "hallway"),
    ("41-", "What does clause 4.2 say?", "15 euros", None),
    ("42-", "What do clubs pay?", "90 euros", None),
    ("43-", "What is the minimum deposit?", r"£1,250\.50", r"1250\.5\b"),
    ("44-", "What is the total of the attic?", "not calculated", None),
    ("45-", "What does a life jacket cost?", r"Life jacket; Price: 60", "31|310|900|7781"),
    ("47-", "How many adults came in February?", "Adults: 905", None),
    ("48-", "When does ferry 4 leave the pier?", "Ferry 4; Departure: 09:20; Stop: Pier", None),
    ("49-", "What does it cost?", "4 euros", "(?i)cookie|function|<"),
    ("50-", "When does the courier leave?", "16:20", None),
    ("51-", "How many stoves are in stock in Bergen?", r"stock\.Bergen: 7", None),
    ("51b-", "May I bring a dog?", "Dogs are welcome in the garden", None),
    ("52-", "Which course is on Thursday at 10:00?", "Pottery; Day: Thursday; Hour: 10:00", None),
]

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    embedder = MiniLM.load(tmp_path_factory.mktemp("models"))
    yield embedder
    embedder.close()


def file_of(case):
    return next(CASES.glob(f"{case}*"))


async def answer_of(embedder, path, question):
    """The sentences that the extractive model quotes from the file's nearest passages."""
    pieces = list(Splitter(weights_folder() / "tokenizer.json").split(read(path)[0]))
    vectors = await embedder.embed([embedded_text(piece) for piece in pieces])
    best = np.argsort(-(vectors @ await embedder.embed_query(question)))[:PASSAGES]
    found = [passage(pieces[at].text, path.name, heading=pieces[at].heading) for at in best]
    asked = prompt(question, passages=found)
    return "".join([part async for part in Extractive().stream(asked) if isinstance(part, str)])


@pytest.mark.parametrize(("case", "question", "expected", "never"), ANSWERS)
async def test_a_reported_document_answers_its_question(embedder, case, question, expected, never):
    answer = await answer_of(embedder, file_of(case), question)

    assert re.search(expected, answer), answer
    assert never is None or not re.search(never, answer), answer


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_document_without_a_readable_text_fails_with_a_reason(case):
    with pytest.raises(UnreadableError):
        read(file_of(case))


def test_every_reported_document_is_asked():
    asked = {file_of(case) for case, *_ in ANSWERS} | {file_of(case) for case in UNREADABLE}

    assert asked == {path for path in CASES.iterdir() if path.name != "EXPECT.md"}
