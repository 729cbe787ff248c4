"""Executables that another user can reach, for a root whose checkout lies in a folder closed to everybody else."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from chatconnect.embedded.process import PartError


def reachable(folder: Path) -> Path:
    """`folder`, or a copy of it in the system's temporary folder when its way there is closed to others.

    Postgres asks `access(2)` about its own binaries, which takes no capability into account (man 2 access).
    """
    if all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents)):
        return folder
    made_at = int(folder.stat().st_mtime)
    copy = Path(tempfile.gettempdir()) / f"chatconnect-{folder.name}-{made_at}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}."))
        unfinished.chmod(0o755)
        shutil.copytree(folder, unfinished, symlinks=True, dirs_exist_ok=True)
        unfinished.chmod(0o755)
        os.replace(unfinished, copy)  # noqa: PTH105 - replaces an empty folder, too
    if copy.stat().st_uid != os.geteuid():
        raise PartError(f"{copy} belongs to somebody else: remove it, or set TMPDIR to another folder.")
    return copy
