"""What one can take in: folders, files and functions of the product stay small."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("chatconnect", "gateway", "handlers", "streams", "stores", "schemas")
FILES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
MAX_FOLDER_FILES = 15
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 30


def lengths(path):
    """The length of each function in lines, with its decorators."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_and_no_function_is_long(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    assert {name: lines for name, lines in lengths(path) if lines > MAX_FUNCTION_LINES} == {}


def test_no_folder_is_full():
    folders = {path.parent for path in FILES} - {ROOT / "stores/migrations/versions"}
    counts = {
        str(folder.relative_to(ROOT)): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in folders
    }

    assert {folder: count for folder, count in counts.items() if count > MAX_FOLDER_FILES} == {}
