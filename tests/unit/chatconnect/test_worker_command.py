"""What `chatconnect worker` and the pages say about the handlers."""

import re
from pathlib import Path

from typer.testing import CliRunner

from chatconnect.cli import create_cli
from handlers.worker import NAMES

ROOT = Path(__file__).parents[3]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


def invoke(*arguments):
    result = CliRunner().invoke(create_cli(["worker"]), ["worker", *arguments], env={"COLUMNS": "300"})
    return result.output


def test_the_help_lists_the_names_of_the_handlers():
    assert ", ".join(NAMES) in invoke("--help")


def test_pages_name_only_existing_handlers_and_one_page_lists_them_all():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    [listed] = re.findall(r"names for `--only` are ([\w, ]+)\.", text)

    assert set(re.findall(r"--only (\w+)", text)) <= set(NAMES)
    assert tuple(re.split(r", | and ", listed)) == NAMES
