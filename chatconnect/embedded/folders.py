"""Folders that are created completely or not at all, and files inside installed wheels."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from chatconnect.embedded.process import PartError


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder that takes `folder`'s name at the end: an interrupted first start begins again."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    yield unfinished
    unfinished.rename(folder)


def is_there(path: Path) -> bool:
    """`path.exists()` for `async` code, which a local disk does not block noticeably."""
    return path.exists()


def installed(package: str, path: str) -> Path:
    """A file inside an installed package, which is not imported. Raises `PartError` when it is missing."""
    spec = find_spec(package)
    for location in (spec and spec.submodule_search_locations) or ():
        if (found := Path(location) / path).exists():
            return found
    raise PartError(f"The Python package {package} is not installed (dependency group `embedded`): run `uv sync`.")
