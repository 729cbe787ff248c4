"""The block of settings at the beginning of a Markdown file: YAML between `---`, TOML between `+++`."""

import re
from collections.abc import Sequence

MAX_LINES = 300
YAML_LINE = re.compile(r"[\w\"'][^:#]*:(\s|$)|\s+\S|-\s|#|\s*$|[\]}]")
TOML_LINE = re.compile(r"[\w\"'][\w\"'. -]*=|\[|#|\s*$|\s+\S|[\]}\"']")
SETTING = re.compile(r"[\w\"'][^:=#]*[:=]")
TITLE = re.compile(r"title\s*[:=]\s*[\"']?(.*?)[\"']?\s*$", re.IGNORECASE)


def front_matter(lines: Sequence[str]) -> tuple[int, str]:
    """How many of the first lines it takes, 0 if there is none, and the title that it gives.

    A rule at the beginning is none: it has no closing line, or text that is no setting before it.
    """
    if not lines:
        return 0, ""
    opening = lines[0].lstrip("\ufeff").rstrip()
    closings, pattern = {"---": (("---", "..."), YAML_LINE), "+++": (("+++",), TOML_LINE)}.get(opening, ((), YAML_LINE))
    title, has_settings = "", False
    for number, line in enumerate(lines[1:MAX_LINES], 1):
        if line.rstrip() in closings:
            return (number + 1, title) if has_settings else (0, "")
        if not closings or not pattern.match(line):
            return 0, ""
        has_settings = has_settings or bool(SETTING.match(line))
        if found := TITLE.match(line):
            title = title or found[1]
    return 0, ""
