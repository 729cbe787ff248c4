"""JSON and JSON Lines: a section for each record, with the names of its values."""

from collections.abc import Iterator
from json.decoder import JSONDecodeError
from pathlib import Path

from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError
from handlers.readers.text.encoding.decoding import encoding_of
from handlers.readers.text.records.json_records import read_records, record_sections
from handlers.readers.text.records.json_values import DECODER, Members
from handlers.readers.text.records.row_groups import listed

MAX_NUMBERS = 10_000


def read_json_file(path: Path, report: Report) -> Iterator[Section]:
    """A section for each record, with its line as `row`; reports characters.

    A line of JSON Lines that is broken is reported by number, and the others are read. Raises `UnreadableError` when
    a JSON file is broken.
    """
    with path.open(encoding=encoding_of(path), errors="replace", newline=None) as file:
        text = file.read()
    if _has_lines(text):
        yield from _of_lines(text, report)
    else:
        yield from _of_document(text, report)
    report.progress(len(text), len(text))


def _of_document(text: str, report: Report) -> Iterator[Section]:
    line, counted = 1, 0
    try:
        for record in read_records(text):
            line, counted = line + text.count("\n", counted, record.at), record.at
            report.progress(record.at, len(text))
            yield from record_sections(record, line)
    except JSONDecodeError as error:
        raise UnreadableError(
            f"The JSON is broken at line {error.lineno}, column {error.colno}: mend it and upload it again.",
            code="broken",
        ) from error
    except RecursionError as error:
        raise UnreadableError(
            "The JSON is nested too deeply: flatten it and upload it again.", code="broken"
        ) from error


def _of_lines(text: str, report: Report) -> Iterator[Section]:
    broken: list[int] = []
    done = total = 0
    for number, line in enumerate(_lines(text), 1):
        done += len(line)
        if not line.strip():
            continue
        total += 1
        try:
            for record in read_records(line.strip(), is_record=True):
                yield from record_sections(record, number)
        except (JSONDecodeError, RecursionError):
            if len(broken) < MAX_NUMBERS:
                broken.append(number)
        report.progress(done, len(text))
    if broken and len(broken) == total:
        raise UnreadableError("No line of the file is JSON: mend it and upload it again.", code="broken")
    if broken:
        lines = "Line" if len(broken) == 1 else "Lines"
        report.warn(f"{lines} {listed(broken)}: not JSON, so left out.")


def _has_lines(text: str) -> bool:
    """Whether the first two lines that hold anything are values of their own."""
    found = []
    for line in _lines(text):
        if line.strip():
            found.append(line.strip())
        if len(found) == 2:
            break
    return len(found) == 2 and _is_object(found[0]) and found[1].startswith("{")


def _is_object(line: str) -> bool:
    try:
        value, end = DECODER.raw_decode(line)
    except (JSONDecodeError, RecursionError):
        return line.startswith("{") and line.endswith("}")
    return isinstance(value, Members) and end == len(line)


def _lines(text: str) -> Iterator[str]:
    """One after the other; `splitlines` would hold all of them, and ends lines inside strings (U+2028)."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end
