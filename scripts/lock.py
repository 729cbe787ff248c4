"""Writes the exact versions of the whole dependency tree into `[tool.uv] constraint-dependencies`.

`make lock` runs it. The newest versions that fit the declared dependencies are resolved in a copy of the project
without the old constraints, so pyproject.toml changes only when that succeeded. Neither hosts nor hashes are
written: whoever installs chooses the index.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
BLOCK = re.compile(r"^constraint-dependencies = \[\n(?:[ \t].*\n)*\]\n", re.MULTILINE)
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker>\s*;.*)?$")
EXPORT = ("export", "--all-groups", "--all-extras", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate")


def resolve(uv: str, pyproject: str) -> list[str]:
    """The tree of a pyproject as `name==version ; marker`, sorted by name."""
    with TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(pyproject)
        Path(folder, "README.md").touch()
        subprocess.run([uv, "lock", "--quiet", "--project", folder], check=True)
        exported = subprocess.run(
            [uv, *EXPORT, "--quiet", "--frozen", "--project", folder], check=True, stdout=subprocess.PIPE, text=True
        )
    lines = [line.strip() for line in exported.stdout.splitlines() if line.strip()]
    unpinned = [line for line in lines if not PINNED.match(line)]
    if unpinned:
        sys.exit(f"these are not pinned by a version: {', '.join(unpinned)}")
    return sorted(lines, key=str.lower)


def constrained(pyproject: str, pins: list[str]) -> str:
    """The pyproject with these constraints, instead of the ones it has."""
    block = "constraint-dependencies = [\n" + "".join(f'    "{pin}",\n' for pin in pins) + "]\n"
    bare = BLOCK.sub("", pyproject)
    if "\n[tool.uv]\n" not in bare:
        sys.exit("pyproject.toml has no [tool.uv] table")
    head, table, tail = bare.partition("\n[tool.uv]\n")
    return head + table + block + tail


def main() -> None:
    """The first argument is uv's executable."""
    uv = sys.argv[1] if len(sys.argv) > 1 else "uv"
    pyproject = PYPROJECT.read_text()
    pins = resolve(uv, BLOCK.sub("", pyproject))
    PYPROJECT.write_text(constrained(pyproject, pins))
    print(f"{len(pins)} versions pinned in pyproject.toml")


if __name__ == "__main__":
    main()
