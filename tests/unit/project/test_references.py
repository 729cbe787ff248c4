"""Files, modules and documents that code and pages refer to exist."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("schemas", "streams", "stores", "handlers", "gateway", "chatconnect", "bench", "tests", "scripts", "examples")
FOLDERS = (*ROOMS, "docs")
FILES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(path for folder in FOLDERS for suffix in ("py", "md") for path in sorted((ROOT / folder).rglob(f"*.{suffix}"))),
]
OF_A_RUN = {"logs/worker.log"}
# Design documents that are not part of the repository.
ABSENT = re.compile(r"(?<!docs/)(?<!\()\bwire\.md|\bdesign\.md|\bdesign §|\bresearch/")
# `chatconnect.<handler>.<topic>` is a consumer group.
GROUP = re.compile(r"chatconnect\.\w+\.(chat|document)\.\w+")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    here = Path(__file__)
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in FILES if path != here}


def test_every_file_that_is_named_is_there(texts: dict[str, str]) -> None:
    named = {
        (name, where)
        for where, text in texts.items()
        for name in re.findall(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|md|json|yml|html))(?:::[\w\[\]]+)?`", text)
    }
    missing = sorted(
        f"{where}: {name}"
        for name, where in named - {(name, where) for name, where in named if name in OF_A_RUN}
        if not any((base / name).exists() for base in (ROOT, ROOT / "docs", (ROOT / where).parent, ROOT / "tests"))
    )

    assert missing == []


def test_every_module_that_is_named_is_there(texts: dict[str, str]) -> None:
    rooms = "|".join(ROOMS)
    named = {
        (name, where) for where, text in texts.items() for name in re.findall(rf"`((?:{rooms})(?:\.[a-z_0-9]+)+)", text)
    }

    assert (
        sorted(f"{where}: {name}" for name, where in named if not GROUP.fullmatch(name) and not _is_there(name)) == []
    )


def test_every_test_that_is_named_is_there(texts: dict[str, str]) -> None:
    named = {
        (file, test, where)
        for where, text in texts.items()
        for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)", text)
    }

    missing = [f"{where}: {file}::{test}" for file, test, where in named if not _has_test(ROOT / file, test)]
    assert sorted(missing) == []


def test_nothing_refers_to_a_document_outside_the_repository(texts: dict[str, str]) -> None:
    found = {where: sorted(set(ABSENT.findall(text))) for where, text in texts.items() if where != "docs/wire.md"}

    assert {where: names for where, names in found.items() if names} == {}


def _is_there(name: str) -> bool:
    """Whether it is a module, or a name inside one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            if find_spec(".".join(parts[:length])) is not None:
                return length >= len(parts) - 2
        except ModuleNotFoundError:
            continue
    return False


def _has_test(file: Path, test: str) -> bool:
    return file.exists() and re.search(rf"def {test}\b", file.read_text(encoding="utf-8")) is not None
