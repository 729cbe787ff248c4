"""The child process: `python -m handlers.readers.child FORMAT FILE OUT`. Imports one engine and no client of any
service.

Sections go to OUT, a JSON line each. On stdout a JSON line for each step (`done`, `total`), for each
`warning`, and `code`, `reason` when the file cannot be read. A limit that is hit ends the process by a signal or with
exit code 1.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from handlers.readers.blob import without_blobs
from handlers.readers.detection import reader_of
from handlers.readers.lockdown import lock_down
from handlers.readers.pdf.languages import data_folders
from handlers.readers.report import MAX_WARNING_CHARACTERS, MAX_WARNINGS
from handlers.readers.section import UnreadableError, clean

STEP_SECONDS = 0.2
PYTHON = tuple(Path(folder) for folder in {sys.prefix, sys.base_prefix, *sys.path} if folder)
LIBRARIES = tuple(
    map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/dev/urandom"))
)  # fmt: skip
PR_SET_PDEATHSIG = 1


class _ToParent:
    """Reports to the parent: progress at most once in `STEP_SECONDS`, a warning once."""

    def __init__(self) -> None:
        self._reported_at = 0.0
        self._warnings: set[str] = set()

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._reported_at >= STEP_SECONDS or done == total:
            self._reported_at = now
            _report({"done": done, "total": total})

    def warn(self, warning: str) -> None:
        warning = clean(warning)[:MAX_WARNING_CHARACTERS]
        if warning not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings.add(warning)
            _report({"warning": warning})


def main(format_name: str, source: str, target: str) -> None:
    """Read the file, or report why it cannot be read."""
    _end_with_parent()
    os.nice(int(os.environ["NICENESS"]))
    _limit_address_space(int(os.environ["ADDRESS_SPACE_BYTES"]))
    reader = reader_of(format_name)
    folder = Path(target).parent
    # Readable: later imports, libraries and the file; writable: only the folder of the output, and what Tesseract logs
    # to, which dies of a log that it cannot open.
    left = lock_down([*PYTHON, *LIBRARIES, *data_folders(), Path(source)], [folder, Path(os.devnull)])
    if left:
        _report({"left": ", ".join(left)})
    try:
        with Path(target).open("w", encoding="utf-8") as out:
            report = _ToParent()
            sections = without_blobs(reader(Path(source), report), report)
            out.writelines(section.to_json() + "\n" for section in sections)
    except UnreadableError as error:
        _report({"code": error.code, "reason": str(error)})
    except MemoryError:
        _report(
            {"code": "too_large", "reason": "The file needs too much memory to be read: split it into smaller ones."}
        )


def _end_with_parent() -> None:
    """A worker that is killed leaves no reader behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit_address_space(limit_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":  # macOS refuses it; the parent watches the resident size as well
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, hard))


def _report(step: dict[str, int | str]) -> None:
    sys.stdout.write(json.dumps(step) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
