"""Our readers as LlamaIndex readers: `SimpleDirectoryReader(file_extractor={".pdf": PdfReader()})` works.

Importing this costs 2.5 s and 100 MB, which is why nothing does so before the first document.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document

from handlers.readers.detection import reader_of
from handlers.readers.report import NoReport
from handlers.readers.section import Section


class _SectionReader(BaseReader):
    """One `Document` per section; its anchors are the metadata, kept out of what is embedded."""

    format_name: ClassVar[str]

    def lazy_load_data(self, file: Path | str, extra_info: dict[str, Any] | None = None) -> Iterable[Document]:
        """Read in this process, without limits: for files you trust."""
        return to_documents(reader_of(self.format_name)(Path(file), NoReport()), extra_info)


class PdfReader(_SectionReader):
    """Pages as documents, metadata `page` from 1, and `page_end` where the last sentence ends on a later one."""

    format_name = "pdf"


class MarkdownReader(_SectionReader):
    """Text under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "markdown"


class TextReader(_SectionReader):
    """Windows of text as documents."""

    format_name = "plain_text"


class WordReader(_SectionReader):
    """Text under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "docx"


class ExcelReader(_SectionReader):
    """Groups of rows as documents, metadata `heading` is the sheet and `row` the first row."""

    format_name = "xlsx"


class PowerPointReader(_SectionReader):
    """Slides as documents, metadata `page` is the slide and `heading` its title."""

    format_name = "pptx"


class CsvReader(_SectionReader):
    """Groups of rows as documents, metadata `row` is the file's line."""

    format_name = "csv_file"


class HtmlReader(_SectionReader):
    """Text under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "html_page"


class JsonReader(_SectionReader):
    """Records as documents, metadata `row` is the file's line."""

    format_name = "json_file"


class XmlReader(_SectionReader):
    """Records, or the text of a feed, as documents."""

    format_name = "xml_file"


class RtfReader(_SectionReader):
    """Text under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "rtf"


class EpubReader(_SectionReader):
    """Text under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "epub"


class OpenDocumentReader(_SectionReader):
    """As Word, Excel or PowerPoint, by what the file is."""

    format_name = "opendocument"


class EmailReader(_SectionReader):
    """A message as a document, and each that is forwarded in it; metadata `heading` is the subject."""

    format_name = "email_message"


class OutlookReader(_SectionReader):
    """A message as a document, and each that is forwarded in it; metadata `heading` is the subject."""

    format_name = "outlook_message"


class NotebookReader(_SectionReader):
    """Text and code under a heading as documents, metadata `heading` is the path of headings."""

    format_name = "notebook"


def to_documents(sections: Iterable[Section], extra_info: dict[str, Any] | None = None) -> Iterator[Document]:
    """Sections, wherever they were read, as LlamaIndex documents."""
    for section in sections:
        anchors = {
            "page": section.page,
            "page_end": section.page_end,
            "row": section.row,
            "heading": section.heading,
        }
        metadata = {name: value for name, value in anchors.items() if value is not None}
        yield Document(
            text=section.text, metadata={**(extra_info or {}), **metadata}, excluded_embed_metadata_keys=list(metadata)
        )
