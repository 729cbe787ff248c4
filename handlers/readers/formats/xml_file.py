"""XML: feeds, catalogs, sitemaps, exports. A section for each record, as in JSON."""

from collections.abc import Iterator
from json.decoder import JSONDecodeError
from pathlib import Path

from lxml import etree

from handlers.readers.markup.xml_values import json_of_xml
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError
from handlers.readers.text.records.json_records import read_records, record_sections


def read_xml_file(path: Path, report: Report) -> Iterator[Section]:
    """A section for each record, with the names of its elements; reports bytes. Raises `UnreadableError`."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            text = json_of_xml(file, lambda: report.progress(min(file.tell(), size), size))
        for record in read_records(text):
            yield from record_sections(record, None)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(
            f"The XML is broken at line {error.lineno}: mend it and upload it again.", code="broken"
        ) from error
    except (RecursionError, JSONDecodeError) as error:
        raise UnreadableError("The XML is nested too deeply: flatten it and upload it again.", code="broken") from error
    report.progress(size, size)
