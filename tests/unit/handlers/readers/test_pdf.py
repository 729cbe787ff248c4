"""PDFs as people have them: what is on the page is read, and what cannot be read says why."""

import re

import pytest

from handlers.readers.formats.pdf import read_pdf
from handlers.readers.report import NoReport
from handlers.readers.section import UnreadableError
from tests.conftest import SHARED_DATA
from tests.support.pdf_writer import Page, lines, note, pdf, picture, text, text_field, tick_box
from tests.unit.handlers.readers.pdf_reading import Warnings, read, read_page

RULES = ("House rules of the climbing hall for all guests", "and for the children who climb here with their parents.")
XFA = "/XFA (x)"


def failure(folder, content):
    with pytest.raises(UnreadableError) as raised:
        read(folder, content)
    return raised.value


def test_values_of_fields_stand_beside_their_labels_and_by_name(tmp_path):
    page = Page(
        text(72, 720, "Number of guests:") + text(72, 690, "Step-free access:") + text(100, 660, "Vegetarian"),
        annotations=[
            text_field("guests", "148", 220, 714),
            tick_box("access", 220, 686, is_ticked=True),
            tick_box("vegetarian", 80, 657, is_ticked=False),
            text_field("Text1", "Bring a cake", 220, 620),
            text_field("key", "hunter2", 220, 580, more="/Ff 8192"),
            text_field("old", "900", 220, 540).replace("/F 4", "/F 2"),
        ],
    )

    found = read_page(tmp_path, pdf(page)).split("\n")

    assert "Number of guests: 148" in found
    assert "Step-free access: ☒" in found
    assert "☐ Vegetarian" in found
    assert "Bring a cake" in found
    assert found[-3:] == ["guests: 148", "access: yes", "vegetarian: no"]


def test_a_choice_is_read_as_it_is_shown(tmp_path):
    field = (
        "/Type /Annot /Subtype /Widget /FT /Ch /Ff 131072 /F 4 /T (m) /TU (Menu chosen) "
        "/Opt [ [ (a) (Mackerel) ] [ (b) (Soup) ] ] /V (b) /Rect [ 220 620 340 638 ]"
    )

    assert "Menu chosen: Soup" in read_page(tmp_path, pdf(Page(text(72, 626, "Menu"), annotations=[field])))


def test_a_text_note_is_read_and_a_hidden_one_or_a_comment_is_not(tmp_path):
    comment = "/Type /Annot /Subtype /Text /F 4 /Rect [ 10 10 30 30 ] /Contents (ask Anna)"
    page = Page(text(72, 720, "Pool"), annotations=[note("Now 95 euros"), note("Was 80", flags=2), comment])

    assert read_page(tmp_path, pdf(page)) == "Pool\n\nNow 95 euros"


@pytest.mark.parametrize(
    "letter_of",
    [
        lambda code: 0xE000 + code,
        lambda code: 0xFFFD,
        lambda code: 0x2500 + code,
        lambda code: code + 1,
        lambda code: code + 13,
        lambda code: code - 3,
        lambda code: ord("A"),
    ],
)
def test_letters_that_nobody_wrote_are_a_failure_that_says_what_to_do(tmp_path, letter_of):
    shown = {code: letter_of(code) for code in range(0x28, 0x7F)}

    error = failure(tmp_path, pdf(Page(lines(72, 760, *RULES), to_unicode=shown)))

    assert error.code == "no_text"
    assert "fonts" in str(error)


@pytest.mark.parametrize(
    "words",
    [
        "word " * 40,
        "GET /v1/chats POST /v1/documents KX-4410 USB HDMI PDF SQL KX-4411 FFT XYZ " * 2,
        "Halli suljetaan arkisin kymmenen aikaan illalla ja sunnuntaisin kuuden aikaan. Lapset saavat kiivetä vain.",
        "Hala jest zamykana o dziesiatej wieczorem w dni powszednie i o szostej w niedziele przez caly rok.",
        "Die Halle schließt werktags um zehn Uhr und sonntags um sechs. Kinder klettern nur mit Erwachsenen.",
    ],
)
def test_names_and_other_languages_are_no_exchanged_letters(tmp_path, words):
    assert words.split()[0] in read_page(tmp_path, pdf(lines(40, 760, words[:80], words[80:], size=8)))


def test_one_page_of_private_letters_is_left_out_with_a_warning(tmp_path):
    private = Page(lines(72, 760, *RULES), to_unicode={code: 0xE000 + code for code in range(0x28, 0x7F)})
    report = Warnings()

    sections = read(tmp_path, pdf(lines(72, 760, *RULES), private), report)

    assert [section.page for section in sections] == [1]
    assert report.all == ["Page 2 has letters that cannot be read as text and were left out."]


@pytest.mark.parametrize(
    ("words", "catalog"),
    [
        (("Please wait...", "This form cannot be shown by your viewer."), "/NeedsRendering true"),
        (("Bitte warten ...",), ""),
        (("An unknown language asks for patience.",), "/NeedsRendering true"),
    ],
)
def test_the_placeholder_of_a_form_for_acrobat_is_a_failure(tmp_path, words, catalog):
    error = failure(tmp_path, pdf(lines(72, 760, *words), form=XFA, catalog=catalog))

    assert error.code == "no_text"
    assert "Acrobat" in str(error)


def test_a_form_with_pages_of_its_own_and_a_text_that_asks_to_wait_are_read(tmp_path):
    form = Page(text(72, 720, "Grant: 4200 crowns. Name:"), annotations=[text_field("who", "Anna", 230, 714)])

    assert "Name: Anna" in read_page(tmp_path, pdf(form, form=XFA))
    assert read_page(tmp_path, pdf(text(72, 760, "Please wait at the gate."))) == "Please wait at the gate."


def test_a_scan_asks_for_text_recognition_and_an_empty_page_for_content(tmp_path):
    scan, empty = failure(tmp_path, pdf(picture(0, 0, 595, 842))), failure(tmp_path, pdf(""))

    assert scan.code == empty.code == "no_text"
    assert "OCR" in str(scan)
    assert "its pages are empty" in str(empty)


def test_scanned_pages_between_others_are_named_in_a_warning_and_blank_ones_are_not(tmp_path):
    report = Warnings()
    scan = picture(0, 0, 595, 842)

    sections = read(tmp_path, pdf(text(72, 760, "One."), scan, scan, "", scan, text(72, 760, "Six.")), report)

    assert [section.page for section in sections] == [1, 6]
    assert report.all == ["Pages 2–3, 5 have no text; if they are scanned, run text recognition (OCR)."]
    assert report.steps[-1] == (6, 6)


CASES = {
    "01": ("Number of guests: 148", "menu: Grilled mackerel with fennel", "access: yes"),
    "02": ("fee is 25 euros for adults and 12 euros",),
    "03": ("0800-555-0142", "KX-4410 ", "2019-2023", "Regular maintenance"),
    "04": ("14 days from delivery.",),
    "05": ("The last cable car leaves the summit at 16:55.", "Price list\n\nA return ticket costs 31 francs."),
    "08": ("costs 18 dollars for each firing.",),
    "09": ("The deposit for a rental van is 350 euros and", "returned by Harbour Bikes & Vans within 5 working days"),
    "10": ("less than 48 hours before arrival we keep 60 percent of the price",),
    "11": ("三十六个月，", "由本店承担", "凭证丢失"),
    "12": ("A lost locker key is replaced for 22 euros at the front desk.",),
    "13": ("New: the swimming course now costs 95 euros.",),
    "14": ("does not stop at the hospital after midnight, and a ticket costs two crowns.\n",),
    "15": ("Pitch: Lakeside; Area: 100 m2; Low season: 19.00; High season: 33.50\n",),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("case", CASES)
def test_complaints_about_rivals_are_read_right(case):
    path = next((SHARED_DATA / "cases" / "documents").glob(f"{case}-*.pdf"))

    found = "\n".join(section.text for section in read_pdf(path, NoReport()))

    assert all(expected in found for expected in CASES[case])
    assert not re.search("900|777|251|7th edition|lost property", found)


@pytest.mark.shared_data
@pytest.mark.parametrize(("case", "reason"), [("06", "Acrobat"), ("07", "fonts"), ("07b", "fonts")])
def test_complaints_about_unreadable_files_fail_with_their_reason(case, reason):
    path = next((SHARED_DATA / "cases" / "documents").glob(f"{case}-*.pdf"))

    with pytest.raises(UnreadableError, match=reason) as raised:
        list(read_pdf(path, NoReport()))

    assert raised.value.code == "no_text"
