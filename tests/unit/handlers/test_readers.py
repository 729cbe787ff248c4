"""Each reader on small difficult files, and on the shared real ones."""

import pypdfium2
import pytest

from handlers.readers.detection import format_of, reader_of
from handlers.readers.isolation import ReaderLimits, read_isolated
from handlers.readers.report import NoReport
from handlers.readers.section import UnreadableError, clean, load_sections
from schemas.formats import FORMATS, described

LIMITS = ReaderLimits()


def read(path, name=None):
    return list(reader_of(name or format_of(path, path.name, "").name)(path, NoReport()))


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def blank_pdf(path, pages=1):
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(200, 200)
    document.save(path)
    return path


MARKDOWN = """---
title: not text
---
Intro!? Yes, a<b and c>d.

# Guide

First.

## Install `it` [now](https://example.org) ##

- item
    - nested

```python
# not a heading
x = {"a<b": 1}
```

| 1 < 2 | 3 > 1 |

Under
=====

Last.

### Alone
### Alone too
"""


def test_markdown_keeps_headings_as_a_path_and_text_as_it_is(tmp_path):
    sections = read(written(tmp_path, "guide.md", MARKDOWN))

    assert [section.heading for section in sections] == [
        "not text",
        "Guide",
        "Guide > Install it now",
        "Under",
        "Under > Alone",
        "Under > Alone too",
    ]
    code = sections[2].text
    assert '# not a heading\nx = {"a<b": 1}' in code
    assert "- item\n  - nested" in code
    assert "| 1 < 2 | 3 > 1 |" in code
    assert "Intro!? Yes, a<b and c>d." in sections[0].text
    assert [section.text for section in sections[4:]] == ["Alone\n", "Alone too\n"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Grüße".encode("utf-32"), "Grüße"),
        ("Größe und Gewicht der Küchenmöbel, natürlich für Sie geprüft.\n".encode("latin-1") * 5, "Küchenmöbel"),
        (b"first line\r\nsec\x00ond\rthird" + b" word" * 20, "first line\nsecond\nthird"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(tmp_path, content, text):
    assert text in "".join(section.text for section in read(written(tmp_path, "a.txt", content)))


def test_a_long_text_comes_in_bounded_windows_without_losing_a_letter(tmp_path):
    text = "word " * 100_000 + "\n\n" + "line\n" * 50_000

    sections = read(written(tmp_path, "long.txt", text))

    assert "".join(section.text for section in sections) == text
    assert max(len(section.text) for section in sections) <= 300_000


@pytest.mark.parametrize(
    ("name", "content", "media_type", "code"),
    [
        ("a.rar", b"Rar!", "", "unsupported_type"),
        ("a.docx", b"PK\x03\x04", "", "broken"),
        ("noextension", b"x", "image/png", "unsupported_type"),
        ("a.pdf", b"hello", "application/pdf", "broken"),
        ("a.txt", b"", "text/plain", "no_text"),
    ],
)
def test_a_type_that_cannot_be_read_says_what_can(tmp_path, name, content, media_type, code):
    with pytest.raises(UnreadableError) as raised:
        format_of(written(tmp_path, name, content), name, media_type)

    assert raised.value.code == code
    assert code != "unsupported_type" or described() in str(raised.value)


def test_the_first_bytes_decide_before_the_name_and_the_media_type_without_one(tmp_path):
    assert format_of(written(tmp_path, "a.txt", b"%PDF-1.7"), "a.txt", "text/plain").name == "pdf"
    assert format_of(written(tmp_path, "README", b"# hi"), "README", "text/markdown; charset=utf-8").name == "markdown"


def test_binary_named_as_text_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="not readable text"):
        read(written(tmp_path, "a.txt", bytes(range(256)) * 40))


def test_a_broken_pdf_says_so(tmp_path):
    with pytest.raises(UnreadableError, match="damaged"):
        read(written(tmp_path, "a.pdf", b"%PDF-1.7 and then nothing"))


def test_clean_text_can_be_stored():
    assert clean("a\x00b\ud800c\r\nd\x0cﬁn\x08") == "abc\nd\nfin"


async def isolated(path, tmp_path, limits=LIMITS):
    out = tmp_path / "sections.jsonl"
    steps = [step async for step in read_isolated(format_of(path, path.name, "").name, path, out, limits)]
    return steps, list(load_sections(out))


async def test_a_child_reads_the_same_as_this_process_and_reports_its_progress(tmp_path):
    path = written(tmp_path, "guide.md", MARKDOWN)

    steps, sections = await isolated(path, tmp_path)

    assert sections == read(path)
    assert all(step.done <= step.total for step in steps)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (ReaderLimits(seconds=0.01), "too_slow"),
        (ReaderLimits(resident_bytes=1024), "too_large"),
        (ReaderLimits(address_space_bytes=20 * 1024**2), "too_large"),
    ],
)
async def test_a_limit_ends_the_child_with_a_reason(tmp_path, limits, code):
    with pytest.raises(UnreadableError) as raised:
        await isolated(blank_pdf(tmp_path / "blank.pdf", 2_000), tmp_path, limits)

    assert raised.value.code == code


async def test_a_reader_that_gives_up_in_the_child_gives_its_reason(tmp_path):
    with pytest.raises(UnreadableError, match="damaged") as raised:
        await isolated(written(tmp_path, "a.pdf", b"%PDF-1.7 and then nothing"), tmp_path)

    assert raised.value.code == "broken"


async def test_the_child_sees_no_secret_and_imports_no_module_beside_the_file(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")

    _, sections = await isolated(written(tmp_path, "a.txt", b"hello"), tmp_path)

    assert [section.text for section in sections] == ["hello"]


def test_llama_index_accepts_our_readers(tmp_path):
    from llama_index.core.readers.base import BaseReader

    from handlers.readers import llama
    from handlers.readers.llama import MarkdownReader, TextReader

    readers = {one.format_name: one for one in vars(llama).values() if getattr(one, "format_name", "")}
    documents = MarkdownReader().load_data(written(tmp_path, "guide.md", MARKDOWN), {"source": "test"})

    assert readers.keys() == {one.name for one in FORMATS}
    assert all(isinstance(reader(), BaseReader) for reader in readers.values())
    assert documents[2].metadata == {"source": "test", "heading": "Guide > Install it now"}
    assert TextReader().load_data(written(tmp_path, "a.txt", b"hello"))[0].text == "hello"
