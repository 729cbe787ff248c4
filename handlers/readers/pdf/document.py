"""The PDF as a whole: opened, or the reason why it cannot be read."""

import re
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from pypdfium2 import PdfiumError

from handlers.readers.section import UnreadableError

MAX_PLACEHOLDER_PAGES = 3
MAX_PLACEHOLDER_CHARACTERS = 1_500
XFA = (pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND)
PLACEHOLDER = re.compile(
    r"please wait|if this message is not eventually replaced|cannot be (?:shown|displayed|opened) (?:by|in|with) your|"
    r"(?:upgrade|update) to the latest version of adobe|requires? adobe (?:acrobat|reader)|adobe reader \d|"
    r"may not be able to display this type of document|bitte warten|veuillez patienter|espere por favor|attendere|"
    r"een ogenblik geduld|aguarde|proszę czekać|お待ちください|请稍候",
    re.IGNORECASE,
)
ALWAYS_PLACEHOLDER = re.compile(
    r"if this message is not eventually replaced|viewer may not be able to display this type of document",
    re.IGNORECASE,
)
PORTFOLIO = re.compile(r"open this pdf portfolio|pdf portfolio in acrobat|pdf package", re.IGNORECASE)


def open_document(path: Path) -> Any:
    """The document, with its form. Raises `UnreadableError`: encrypted or broken."""
    try:
        document = pypdfium2.PdfDocument(path)
        if document.get_formtype() != pdfium.FORMTYPE_NONE:
            document.init_forms()
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError(
                "The PDF is protected by a password: remove the protection and upload it again.", code="encrypted"
            ) from error
        raise broken() from error
    return document


def broken() -> UnreadableError:
    """The failure of a file that no page can be read of."""
    return UnreadableError(
        "The PDF is damaged and cannot be opened: export it again from its source and upload that.", code="broken"
    )


def check_placeholder(document: Any, text: str) -> None:
    """Raises `UnreadableError` when the text only says that another program is needed."""
    if len(text) > MAX_PLACEHOLDER_CHARACTERS:
        return
    form = document.get_formtype()
    if ALWAYS_PLACEHOLDER.search(text) or (form in XFA and PLACEHOLDER.search(text)):
        raise _only_acrobat()
    if form == pdfium.FORMTYPE_XFA_FULL and not _has_fields(document):
        raise _only_acrobat()
    if PORTFOLIO.search(text) and document.count_attachments():
        raise UnreadableError(
            "The PDF is a portfolio, and its pages are in the files attached to it: save these and upload them one "
            "by one.", code="no_text"
        )  # fmt: skip


def _has_fields(document: Any) -> bool:
    for page in document:
        try:
            for at in range(pdfium.FPDFPage_GetAnnotCount(page)):
                annotation = pdfium.FPDFPage_GetAnnot(page, at)
                kind = pdfium.FPDFAnnot_GetSubtype(annotation)
                pdfium.FPDFPage_CloseAnnot(annotation)
                if kind == pdfium.FPDF_ANNOT_WIDGET:
                    return True
        finally:
            page.close()
    return False


def _only_acrobat() -> UnreadableError:
    return UnreadableError(
        "The PDF is a form (XFA) that only Acrobat can show, and holds no other text: open it in Acrobat, print it to "
        "a new PDF and upload that.", code="no_text"
    )  # fmt: skip
