"""What is filled into a page: values of form fields at their place and by name, and text notes that lie on it."""

import ctypes
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pypdfium2.raw as pdfium

from handlers.readers.pdf.drawn.word import Box, Word
from handlers.readers.pdf.layout.fragments import Fragment

MAX_ANNOTATIONS = 2_000
LEFT_OUT = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
PASSWORD = 1 << 13
TICKED, UNTICKED = "☒", "☐"
MEANINGLESS = re.compile(
    r"(?:text|field|textfield|undefined|check ?box|combo ?box|list ?box|dropdown|group|button|[fcp]|untitled)?"
    r"[\s_\-.\d]*",
    re.IGNORECASE,
)
MAX_LABEL_DISTANCE_EMS = 20.0
NEAR_EMS = 2.5
TAG = re.compile(r"<[^>]*>")
SAME_ROW_EMS = 0.8


@dataclass(frozen=True, slots=True)
class Field:
    """`shown` is what stands in it. `is_box`: it can be ticked."""

    name: str
    value: str
    shown: str
    box: Box
    is_box: bool


class Annotations:
    """The fields and notes of one page."""

    def __init__(self, form: Any, page: Any) -> None:
        self.fields: list[Field] = []
        self.notes: list[str] = []
        for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)):
            annotation = pdfium.FPDFPage_GetAnnot(page, at)
            if not annotation:
                continue
            if not pdfium.FPDFAnnot_GetFlags(annotation) & LEFT_OUT:
                self._take(form, annotation)
            pdfium.FPDFPage_CloseAnnot(annotation)

    def _take(self, form: Any, annotation: Any) -> None:
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium.FPDF_ANNOT_WIDGET and form:
            self.fields.extend(_fields(form, annotation))
        elif kind == pdfium.FPDF_ANNOT_FREETEXT:
            text = _string(lambda *buffer: pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", *buffer))
            rich = _string(lambda *buffer: pdfium.FPDFAnnot_GetStringValue(annotation, b"RC", *buffer))
            text = text if text.strip() else unescape(TAG.sub(" ", rich))
            if text.strip():
                self.notes.append(" ".join(text.split()))

    def lines(self) -> list[str]:
        """`name: value` for each field whose name says something; a group of buttons once."""
        named: dict[str, str] = {}
        for field in self.fields:
            if field.value and not MEANINGLESS.fullmatch(field.name) and named.get(field.name, "no") == "no":
                named[field.name] = field.value
        return [f"{name}: {value}" for name, value in named.items()]

    def placed(self, fragments: list[Fragment], quarters: int) -> list[Fragment]:
        """The fragments of the page with the values beside their labels."""
        alone = []
        for field in self.fields:
            if not field.shown:
                continue
            box = field.box.turned(quarters)
            label = _label(box, fragments, is_box=field.is_box)
            if label is None:
                alone.append(_fragment(field.shown, box, fragments))
            elif label.left >= box.right - label.size:
                label.text, label.left = f"{field.shown} {label.text}", box.left
            else:
                label.text, label.right = f"{label.text} {field.shown}", max(label.right, box.right)
        return [*fragments, *alone]


def _fields(form: Any, annotation: Any) -> Iterator[Field]:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    full_name = _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldName(form, annotation, *buffer))
    spoken = _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *buffer))
    name = " ".join((spoken or re.sub(r"\[\d+\]", "", full_name).rpartition(".")[2]).split())
    corners = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, corners)
    box = Box(corners.left, corners.bottom, corners.right, corners.top)
    if kind in {pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON}:
        is_ticked = bool(pdfium.FPDFAnnot_IsChecked(form, annotation))
        value = "yes" if is_ticked else "no"
        if is_ticked and kind == pdfium.FPDF_FORMFIELD_RADIOBUTTON:
            value = (
                _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldExportValue(form, annotation, *buffer)) or value
            )
        yield Field(name, value, TICKED if is_ticked else UNTICKED, box, is_box=True)
    elif kind in {pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}:
        chosen = "; ".join(_chosen(form, annotation)) or _value(form, annotation)
        yield Field(name, chosen, chosen, box, is_box=False)
    elif kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        is_secret = pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & PASSWORD
        value = "" if is_secret else _value(form, annotation)
        yield Field(name, value, value, box, is_box=False)


def _value(form: Any, annotation: Any) -> str:
    return " ".join(_string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, *buffer)).split())


def _chosen(form: Any, annotation: Any) -> Iterator[str]:
    for at in range(max(0, pdfium.FPDFAnnot_GetOptionCount(form, annotation))):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, at):
            yield _string(lambda *buffer, at=at: pdfium.FPDFAnnot_GetOptionLabel(form, annotation, at, *buffer))


def _string(read: Callable[..., int]) -> str:
    """A string of pdfium: asked for its length first."""
    length = read(None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    read(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "ignore")


def _label(box: Box, fragments: list[Fragment], *, is_box: bool) -> Fragment | None:
    """What names the field: for a box to tick the text right after it, else the text before it in the row."""
    middle = (box.bottom + box.top) / 2
    row = [one for one in fragments if abs(one.baseline + one.size * 0.3 - middle) <= SAME_ROW_EMS * one.size]
    if is_box:
        after = [one for one in row if -1 <= one.left - box.right <= NEAR_EMS * one.size]
        if after:
            return min(after, key=lambda one: one.left)
    before = [one for one in row if -one.size <= box.left - one.right <= MAX_LABEL_DISTANCE_EMS * one.size]
    return max(before, key=lambda one: one.right, default=None)


def _fragment(text: str, box: Box, fragments: list[Fragment]) -> Fragment:
    size = min(fragments[0].size if fragments else 12.0, max(box.top - box.bottom, 1.0))
    baseline = (box.bottom + box.top) / 2 - size * 0.3
    above = [one for one in fragments if one.baseline >= baseline - 1]
    place = min(above, key=lambda one: (one.baseline, -one.place)).place + 0.5 if above else -1
    return Fragment([Word(text, box, baseline, size)], box.left, box.right, baseline, size, text, place)
