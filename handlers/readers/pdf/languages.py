"""Which languages text recognition can read here: Tesseract's own names, and its files of data."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

SUFFIX = ".traineddata"
DATA_FOLDERS = (
    Path(sys.prefix, "share/tessdata"),
    Path("/usr/share/tesseract-ocr/5/tessdata"),
    Path("/usr/share/tesseract-ocr/4.00/tessdata"),
    Path("/usr/share/tessdata"),
)


class CannotRecognizeError(Exception):
    """`OCR_LANGUAGES` asks for what is not installed. The message says what to do."""


def data_folders() -> tuple[Path, ...]:
    """Where the data of languages may be: in `TESSDATA_PREFIX`, else where pip and the systems put them."""
    given = os.environ.get("TESSDATA_PREFIX")
    return (Path(given),) if given else DATA_FOLDERS


def check_languages(languages: str) -> None:
    """Raises `CannotRecognizeError` unless pages in all these languages can be read, or there are none."""
    if not languages:
        return
    if find_spec("tesserocr") is None:
        raise CannotRecognizeError(
            f"OCR_LANGUAGES is {languages}, but text recognition is not installed: install the extra `ocr`, or unset "
            "the variable."
        )
    if data_folder(languages) is None:
        raise CannotRecognizeError(
            f"OCR_LANGUAGES is {languages}, but no folder has the data of all these languages (<language>{SUFFIX}): "
            f"put them into one and set TESSDATA_PREFIX to it. Looked in {', '.join(map(str, data_folders()))}."
        )


def data_folder(languages: str) -> Path | None:
    """The first of these folders that has all these languages."""
    needed = [f"{language}{SUFFIX}" for language in languages.split("+")]
    return next((folder for folder in data_folders() if all((folder / name).is_file() for name in needed)), None)
