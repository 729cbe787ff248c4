"""Executables that another user can reach, when root's checkout is in a folder closed to others."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from chatconnect.embedded.process import PartError


def reachable(installation: Path) -> Path:
    """`installation`, a folder in a package, or a copy of it in the system's temporary folder when it or a parent
    folder is closed to others. The wheel's libraries are beside the package, so the copy keeps that layout.

    Postgres checks its own binaries with `access(2)`, which ignores capabilities (man 2 access).
    """
    if all(step.stat().st_mode & stat.S_IXOTH for step in (installation, *installation.parents)):
        return installation
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    made_at = int(installation.stat().st_mtime)
    copy = Path(tempfile.gettempdir()) / f"chatconnect-{package.name}-{made_at}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}."))
        shutil.copytree(installation, unfinished / package.name / installation.name, symlinks=True)
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(copy)
        except OSError:
            # Another process has made the copy meanwhile.
            shutil.rmtree(unfinished)
    if copy.stat().st_uid != os.geteuid():
        raise PartError(f"{copy} belongs to another user: remove it, or set TMPDIR to another folder.")
    return copy / package.name / installation.name
