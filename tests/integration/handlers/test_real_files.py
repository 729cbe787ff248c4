"""Each reader on the shared real files."""

import unicodedata
from collections import Counter, defaultdict

import pytest

from handlers.readers.section import UnreadableError
from tests.conftest import SHARED_DATA
from tests.unit.handlers.readers.reading import read as read_with_warnings


def read(path):
    return read_with_warnings(path)[0]


def outcome(path):
    try:
        text = "".join(section.text for section in read(path))
    except UnreadableError as error:
        return error.code
    # Storable: no lone surrogate, no NUL.
    text.encode()
    assert "\x00" not in text
    return "text" if text.strip() else "no_text"


@pytest.mark.shared_data
def test_every_real_file_is_read_or_says_why_not():
    """Without text are scans, blank documents, and tables without a value."""
    ended = defaultdict(Counter)
    for path in sorted((SHARED_DATA / "files").rglob("*.*")):
        ended[path.suffix][outcome(path)] += 1

    assert ended == {
        ".csv": {"text": 79, "no_text": 4},
        ".docx": {"text": 71, "no_text": 14},
        ".epub": {"text": 1},
        ".html": {"text": 38},
        ".md": {"text": 14},
        ".pdf": {"text": 83, "no_text": 15, "encrypted": 1},
        ".pptx": {"text": 13, "no_text": 1},
        ".txt": {"text": 1},
        ".xlsx": {"text": 15},
    }


@pytest.mark.shared_data
def test_a_book_is_read_page_by_page_close_to_its_true_text():
    files = SHARED_DATA / "files"
    sections = read(next(files.rglob("GeoTopo-komprimiert.pdf")))
    truth = shingles((files / "ground_truth" / "GeoTopo-book.txt").read_text())

    found = shingles(" ".join(section.text for section in sections))

    assert len({section.page for section in sections}) == len(sections) > 100
    assert len(truth & found) / len(truth) > 0.9


def shingles(text):
    """Every sequence of eight characters, ignoring white space."""
    letters = "".join(unicodedata.normalize("NFKC", text).split())
    return {letters[at : at + 8] for at in range(len(letters) - 7)}


@pytest.mark.shared_data
def test_arabic_pages_keep_the_article_in_front():
    text = " ".join(s.text for s in read(next((SHARED_DATA / "files").rglob("right_to_left_01.pdf"))))

    assert sum(word.startswith("ال") for word in text.split()) >= 45
