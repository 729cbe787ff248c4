"""Scanned pages, read by the extra `ocr`."""

import pytest

from handlers.readers.isolation import ReaderLimits, read_isolated
from handlers.readers.pdf import languages as installed
from handlers.readers.pdf import recognition
from handlers.readers.pdf.languages import CannotRecognizeError, check_languages
from handlers.readers.section import UnreadableError, load_sections
from tests.support.pdf_writer import Page, lines, pdf, picture, table, text
from tests.support.scans import noise, scanned, with_text
from tests.unit.handlers.readers.pdf_reading import Warnings, read, read_page

HOURS = ("The museum opens at 9:30 on every day but Monday, and", "closes at 17:45. Children under 12 pay nothing.")
HOURS_TEXT = " ".join(HOURS)
PRICES = [["Room", "Beds", "Price"], ["Attic", "2", "85.00"], ["Garden", "4", "120.50"], ["Tower", "3", "99.90"]]


@pytest.fixture(autouse=True)
def languages(monkeypatch):
    monkeypatch.setenv("OCR_LANGUAGES", "eng+deu")
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)


def test_a_scan_is_read_and_its_owner_is_told(tmp_path):
    report = Warnings()
    (section,) = read(tmp_path, scanned(pdf(lines(72, 760, *HOURS))), report)

    assert (section.text, section.page) == (HOURS_TEXT, 1)
    assert report.all == ["Page 1 has text that was recognised in a picture: it may have mistakes."]


def test_a_table_in_a_scan_is_rows_with_their_header(tmp_path):
    found = read_page(tmp_path, scanned(pdf(table(72, 700, PRICES))))

    assert "Room: Garden; Beds: 4; Price: 120.50" in found


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_that_lay_turned_on_the_scanner_is_read(tmp_path, degrees):
    assert read_page(tmp_path, scanned(pdf(lines(72, 760, *HOURS)), degrees=degrees)) == HOURS_TEXT


def test_letters_of_each_language_are_read(tmp_path):
    given = "Größere Räume müssen fünf Tage früher über das Büro bestellt werden."

    assert read_page(tmp_path, scanned(pdf(text(72, 760, given, 11)))) == given


def test_pages_with_text_keep_it_and_scans_between_them_are_read(tmp_path):
    report = Warnings()
    illegible = Page(lines(72, 760, *HOURS), to_unicode={code: 0xE000 + code for code in range(0x20, 0x7F)})
    sections = read(tmp_path, pdf(text(72, 760, "One."), illegible), report)

    assert [(section.page, section.text) for section in sections] == [(1, "One."), (2, HOURS_TEXT)]
    assert report.all == ["Page 2 has text that was recognised in a picture: it may have mistakes."]


@pytest.mark.parametrize("languages", ["eng", ""])
def test_a_scan_with_a_stamp_of_text_is_read_or_its_owner_is_told(tmp_path, monkeypatch, languages):
    monkeypatch.setenv("OCR_LANGUAGES", languages)
    report = Warnings()
    page = with_text(scanned(pdf(lines(72, 760, *HOURS))), "Received 4 March")
    found = read(tmp_path, page, report)[0].text

    assert (HOURS_TEXT in found) == bool(languages)
    assert "Received" in found
    assert ("recognised" if languages else "a picture and little text") in report.all[0]


def test_a_table_on_a_page_that_lay_turned_is_rows(tmp_path):
    found = read_page(tmp_path, scanned(pdf(table(72, 700, PRICES)), degrees=90))

    assert "Room: Garden; Beds: 4; Price: 120.50" in found


def test_a_picture_without_text_stays_without(tmp_path):
    with pytest.raises(UnreadableError) as raised:
        read(tmp_path, pdf(picture(0, 0, 595, 842)))

    assert raised.value.code == "no_text"


def test_only_so_many_pages_of_a_file_are_recognised(tmp_path, monkeypatch):
    monkeypatch.setattr(recognition, "MAX_PAGES", 2)
    report = Warnings()
    page = lines(72, 760, *HOURS)
    sections = read(tmp_path, scanned(pdf(page, page, page, page)), report)

    assert [section.page for section in sections] == [1, 2]
    assert "Pages 3–4 are scanned and left out" in report.all[1]


async def test_the_child_without_network_and_files_reads_scans_too(tmp_path):
    source, target = tmp_path / "a.pdf", tmp_path / "sections.jsonl"
    source.write_bytes(scanned(pdf(lines(72, 760, *HOURS))))
    steps = [step async for step in read_isolated("pdf", source, target, ReaderLimits(), "eng+deu")]

    assert [section.text for section in load_sections(target)] == [HOURS_TEXT]
    assert "recognised" in steps[-1].warnings[0]


@pytest.mark.parametrize("size", [(2, 14_000), (14_000, 2), (3, 3)])
async def test_a_page_of_stains_of_any_size_ends_no_process(tmp_path, size):
    """Tesseract logs that words are too small to be read."""
    source, target = tmp_path / "a.pdf", tmp_path / "sections.jsonl"
    source.write_bytes(noise(*size))

    with pytest.raises(UnreadableError) as raised:
        [step async for step in read_isolated("pdf", source, target, ReaderLimits(), "eng+deu")]

    assert raised.value.code == "no_text"


async def test_without_languages_a_child_reads_no_scans(tmp_path):
    source, target = tmp_path / "a.pdf", tmp_path / "sections.jsonl"
    source.write_bytes(scanned(pdf(lines(72, 760, *HOURS))))

    with pytest.raises(UnreadableError, match="OCR"):
        [step async for step in read_isolated("pdf", source, target, ReaderLimits())]


@pytest.mark.parametrize("languages", ["xyz", "eng+xyz"])
def test_a_language_without_data_is_a_sentence(languages):
    with pytest.raises(CannotRecognizeError, match=r"\.traineddata.*TESSDATA_PREFIX"):
        check_languages(languages)


def test_data_are_looked_for_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(CannotRecognizeError, match=tmp_path.name):
        check_languages("xyz")
    (tmp_path / "xyz.traineddata").touch()

    check_languages("xyz")


def test_a_missing_extra_is_a_sentence(monkeypatch):
    monkeypatch.setattr(installed, "find_spec", lambda name: None)

    check_languages("")
    with pytest.raises(CannotRecognizeError, match="install the extra `ocr`"):
        check_languages("eng")
