"""The password of an embedded part: created once, kept beside its folder, never on a command line."""

import os
from pathlib import Path
from secrets import token_urlsafe

OWNER_ONLY = 0o600


def ensure_password(folder: Path) -> str:
    """The password of the part in `folder`, created if needed."""
    file = password_file(folder)
    if not file.exists():
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        write_private(fresh, token_urlsafe(24))
        fresh.replace(file)
    return file.read_text()


def password_file(folder: Path) -> Path:
    """The file that holds the password."""
    return folder.with_name(f"{folder.name}.password")


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner can read, from the first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w") as opened:
        os.fchmod(opened.fileno(), OWNER_ONLY)
        opened.write(text)
