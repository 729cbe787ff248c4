"""Plain text in any encoding: what is read, what the owner is told, and the answers to the shared cases."""

import codecs
import os

import pytest

from handlers.ingestion.chunks import Splitter
from handlers.models.extractive import Extractive
from handlers.models.minilm import weights_folder
from handlers.readers.detection import format_of, reader_of
from handlers.readers.report import NoReport
from handlers.readers.section import UnreadableError
from tests.conftest import SHARED_DATA
from tests.support.fakes_models import passage, prompt

CASES = SHARED_DATA / "cases" / "documents"
ASCII_HEAD = b"Order 1: the parcel arrived without damage.\n" * 3_000


class Told(NoReport):
    """Keeps the warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, warning):
        self.warnings.append(warning)


def sections_of(tmp_path, content, report=None):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    return list(reader_of("plain_text")(path, report or Told()))


def text_of(tmp_path, content, report=None):
    return "".join(section.text for section in sections_of(tmp_path, content, report))


LEGACY = [
    ("Horario: el jardín abre a las nueve. El café está cerrado.", "cp1252"),
    ("Die Gebühr für die Müllabfuhr beträgt 84 € im Jahr.", "cp1252"),
    ("L’entrée coûte 12 €. Où est l'élève ? À Orléans, ça va.", "cp1252"),
    ("È vietato fumare. La città è più bella", "cp1252"),
    ("Fee: £5 a day", "cp1252"),
    ("Store at 5 °C – 8 °C", "cp1252"),
    ("Die Gebühr für die Müllabfuhr beträgt 84 Euro. Größe", "cp850"),
    ("Opłata za przechowanie łodzi zimą wynosi 320 złotych.", "cp1250"),
    ("Opłata za przechowanie łodzi zimą wynosi 320 złotych.", "iso8859-2"),
    ("Půjčovna kol je otevřena denně od osmi hodin.", "cp1250"),
    ("Прокат лыж стоит 900 рублей в день. Залог не нужен.", "cp1251"),
    ("Прокат лыж стоит 900 рублей в день. Залог не нужен.", "koi8-r"),
    ("Прокат лыж стоит 900 рублей в день. Залог не нужен.", "cp866"),
    ("Η είσοδος κοστίζει 5 ευρώ. Το μουσείο είναι κλειστό τη Δευτέρα.", "cp1253"),
    ("Giriş ücreti kişi başı 50 lira. Müze pazartesi günleri kapalıdır.", "cp1254"),
    ("הכניסה עולה עשרה שקלים. המוזיאון סגור ביום שני.", "cp1255"),
    ("سعر الدخول عشرة دنانير. المتحف مغلق يوم الاثنين.", "cp1256"),
    ("貸し自転車は一日八百円です。返却は午後六時までにお願いします。", "cp932"),
    ("貸し自転車は一日八百円です。返却は午後六時までにお願いします。", "euc-jp"),
    ("Biļete maksā 5 eiro. Muzejs pirmdienās ir slēgts.", "cp1257"),
    ("Miðinn kostar 500 krónur. Safnið er lokað á mánudögum.", "cp1252"),
    ("Цена: 500 руб.", "cp866"),
    ("价格是五百元", "gb18030"),
    ("½ l Wasser", "cp1252"),
    ("Der Zuschlag beträgt 5 €", "iso8859-15"),
    ("电动自行车的电池保修期限为三十六个月，从购买当天开始计算。", "gb18030"),
    ("電動自行車的電池保固期限為三十六個月，從購買當天開始計算。", "big5"),
    ("자전거 대여료는 하루에 오천 원입니다.", "cp949"),
    ("ค่าเช่าจักรยานวันละหนึ่งร้อยบาท ร้านปิดวันจันทร์", "cp874"),
]


@pytest.mark.parametrize(("text", "encoding"), LEGACY)
@pytest.mark.parametrize("before", [b"", ASCII_HEAD], ids=["short", "after ASCII"])
def test_a_code_page_is_found_and_the_owner_is_told(tmp_path, text, encoding, before):
    told = Told()

    read = text_of(tmp_path, before + text.encode(encoding), told)

    assert read.endswith(text)
    assert len(told.warnings) == 1
    assert "guessed" in told.warnings[0]


@pytest.mark.parametrize(
    "text", ["Boat hire: 9 pounds.", "Прокат лыж", "电动自行车的电池保修期限。", "ค่าเช่าจักรยาน", "הכניסה"]
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_found_without_a_mark(tmp_path, text, encoding):
    assert text_of(tmp_path, f"{text}\r\n\r\n{text}".encode(encoding)) == f"{text}\n\n{text}"


@pytest.mark.parametrize(
    ("phrase", "encoding"),
    [("x電池保修期限", "cp932"), ("x电池保修期限从购买当天开始", "gb18030"), ("x電池保修期限", "utf-8")],
)
def test_a_sample_never_ends_inside_a_character(tmp_path, phrase, encoding):
    text = phrase * 20_000

    assert text_of(tmp_path, text.encode(encoding)) == text
    assert text_of(tmp_path, text[1:].encode(encoding)) == text[1:]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Café à la crème".encode() + b" \x96 end", "Café à la crème \ufffd end"),
        ("日本語".encode()[:-1], "日本\ufffd"),
        ("Grüße ".encode() * 20_000 + b"\xff\xfe\xfd", "Grüße " * 20_000 + "\ufffd\ufffd\ufffd"),
    ],
)
def test_mostly_valid_utf8_stays_utf8(tmp_path, content, text):
    told = Told()

    assert text_of(tmp_path, content, told) == text
    assert told.warnings == ["One place in the file could not be read as UTF-8 and became \ufffd."]


@pytest.mark.parametrize("content", [b"plain", "Grüße".encode(), codecs.BOM_UTF8 + b"x", "Grüße".encode("utf-16")])
def test_nothing_is_told_when_nothing_was_guessed(tmp_path, content):
    told = Told()
    text_of(tmp_path, content, told)

    assert told.warnings == []


@pytest.mark.parametrize(
    "content",
    [os.urandom(50_000), b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, b"text " * 50 + b"\0" * 500],
    ids=["noise", "picture", "zeros"],
)
def test_what_is_no_text_is_refused(tmp_path, content):
    with pytest.raises(UnreadableError, match="not readable text"):
        sections_of(tmp_path, content)


def test_code_pages_of_the_mac_need_its_line_ends(tmp_path):
    text = "L’été, le café est déjà là\rÀ la crème"

    assert text_of(tmp_path, text.encode("mac-roman")) == text.replace("\r", "\n")


def test_a_form_feed_begins_a_page(tmp_path):
    sections = sections_of(tmp_path, b"\fOne.\fTwo\nlines.\n\f\fFour.\f")

    assert [(section.page, section.text.strip()) for section in sections] == [
        (1, "One."),
        (2, "Two\nlines."),
        (4, "Four."),
    ]


def test_without_form_feeds_there_are_no_pages(tmp_path):
    assert [section.page for section in sections_of(tmp_path, b"One.\n\nTwo.")] == [None]


def test_a_word_that_is_divided_by_a_soft_hyphen_at_a_line_end_is_whole(tmp_path):
    assert text_of(tmp_path, "Die Wasch\u00ad\nmaschine.".encode()) == "Die Waschmaschine."


ANSWERS = [
    ("20-shift-jis-long.txt", "定休日はいつですか", "定休日は毎週水曜日"),
    ("20b-gbk-long.txt", "电动自行车的电池保修期限是多久？", "三十六个月"),
    ("21-ascii-head.txt", "Was kostet die Rückgabe übergroßer Möbel?", "39 €"),
    ("23-utf16-no-bom.txt", "How much does a rowing boat cost?", "9 pounds an hour"),
    ("24b-mentions-pdf.txt", "How long are posters on canvas dried?", "26 hours"),
    ("25-soft-hyphens.txt", "Was kostet ein Kostenvoranschlag?", "29 Euro"),
    ("25-soft-hyphens.txt", "How long does the dishwasher warranty last?", "The dishwasher warranty lasts 30 months."),
    ("25-soft-hyphens.txt", "Where is your warehouse?", "Rotterdam"),
    (
        "26-hard-wrapped.txt",
        "How much does a course for beginners cost?",
        "costs 64 euros for each person, including Murano",
    ),
    (
        "27-abbreviations.txt",
        "When does the surgery open on weekdays?",
        "opens at 8 a.m. and closes at 5.30 p.m. with a",
    ),
    (
        "27-abbreviations.txt",
        "Where is the practice?",
        "The practice is at Canal St. 14 in the yard, bell no. 3 on the left.",
    ),
    ("27-abbreviations.txt", "Wann entfällt die Sprechstunde?", "Die Sprechstunde am 24. Dezember entfällt."),
    ("28-thai.txt", "ค่าเปลี่ยนยางหนึ่งเส้นราคาเท่าไร", "หนึ่งร้อยห้าสิบบาท"),
    ("28b-chinese.txt", "电动自行车的电池保修期限是多久？", "三十六个月"),
    ("29-cp1252-spanish.txt", "¿A qué hora abre el jardín botánico?", "Abre a las nueve."),
    ("29b-cp1252-german.txt", "Was kostet die Müllabfuhr?", "84 €"),
    (
        "29c-cp1250-polish.txt",
        "Ile wynosi opłata za przechowanie łodzi?",
        "Opłata za przechowanie łodzi zimą wynosi 320 złotych",
    ),
    ("29d-cp1251-russian.txt", "Сколько стоит прокат лыж?", "Прокат лыж стоит 900 рублей в день."),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "question", "answer"), ANSWERS)
async def test_a_shared_case_is_answered(name, question, answer):
    path = CASES / name
    reader = reader_of(format_of(path, name, "text/plain").name)
    pieces = list(Splitter(weights_folder() / "tokenizer.json").split(reader(path, NoReport())))

    asked = prompt(question, passages=[passage(piece.text) for piece in pieces])
    text = "".join([part async for part in Extractive().stream(asked) if isinstance(part, str)])

    assert answer in text.splitlines()[1]
    assert not any("\ufffd" in piece.text for piece in pieces)
