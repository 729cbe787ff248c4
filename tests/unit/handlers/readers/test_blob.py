"""Base64 and hexadecimal data is left out with a warning; whatever a person may have written stays."""

import base64
import random

import pytest

from handlers.readers.blob import without_blobs
from handlers.readers.formats.plain_text import read_plain_text
from handlers.readers.section import Section
from tests.unit.handlers.readers.pdf_reading import Warnings

NOISE = random.Random(1).randbytes(2_999)
BASE64 = base64.b64encode(NOISE).decode()


def left(text, report=None):
    return "".join(one.text for one in without_blobs([Section(text)], report or Warnings()))


@pytest.mark.parametrize(
    "blob",
    [
        BASE64,
        base64.urlsafe_b64encode(NOISE).decode(),
        NOISE.hex(),
        NOISE.hex().upper(),
        base64.encodebytes(NOISE).decode().strip(),
        base64.encodebytes(NOISE).decode().strip().replace("\n", " "),
    ],
    ids=["base64", "for addresses", "hex", "upper hex", "in lines", "in joined lines"],
)
def test_a_blob_is_left_out_and_the_text_around_it_stays(blob):
    report = Warnings()

    assert left(f"A photo: {blob}; its name is Tent.", report).replace(" ", "") == "Aphoto:;itsnameisTent."
    assert report.all == [f"Encoded data (base64 or hexadecimal) of {len(blob) - 1:,} characters was left out."]


@pytest.mark.parametrize(
    "text",
    [
        "The boat costs 9 euros. " * 200,
        f"The key is {BASE64[:900]}.",
        "https://example.com/" + "&".join(f"name{n}=value{n}" for n in range(300)),
        "ACGT" * 1_000,
        "0123456789" * 500,
        "日本語の文章には空白がない" * 400,
        "Donaudampfschifffahrtsgesellschaft" * 100,
        "-" * 5_000,
        "\n".join(f"0190b6f0-8f6e-7c3a-9d53-{n:012}" for n in range(200)),
    ],
    ids=["prose", "key", "address", "genes", "digits", "Japanese", "letters", "rule", "identifiers"],
)
def test_other_text_stays(text):
    report = Warnings()

    assert left(text, report) == text
    assert report.all == []


def test_a_file_that_is_one_blob_has_no_text(tmp_path):
    path, report = tmp_path / "a.txt", Warnings()
    path.write_text(base64.b64encode(NOISE * 200).decode())

    assert list(without_blobs(read_plain_text(path, report), report)) == []
    assert len(report.all) == 1


def test_pages_move_with_the_text_before_them():
    text = f"One {BASE64} end. Two."
    section = Section(text, page=1, page_end=2, page_starts=((0, 1), (text.index("Two"), 2)))

    (kept,) = without_blobs([section], Warnings())

    assert kept.text[kept.page_starts[1][0] :] == "Two."
