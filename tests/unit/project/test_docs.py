"""Claims of the documentation pages that code can check."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from chatconnect.cli import COMMANDS
from gateway.routes import ROUTES
from schemas.formats import SUFFIXES
from schemas.settings import Settings
from scripts.configuration import PAGE, page
from streams import codec
from streams.consuming.lanes import TURNS
from streams.topics import DAY_MS, HOUR_MS, TOPICS, Topic

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MADE_BY_DEV = {"GATEWAY_URL", "CLIENT_API_KEY", "CLIENT_SECRET_KEY"}
OTHERS = {
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "FORWARDED_ALLOW_IPS",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SASL_SSL",
    "SASL_PLAINTEXT",
    "TESSDATA_PREFIX",
}


@pytest.fixture(params=PAGES, ids=lambda path: path.name)
def text(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


def test_the_configuration_page_agrees_with_the_settings_class() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `uv run python scripts/configuration.py`"


def test_every_variable_of_the_pages_is_known(text: str) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text))

    assert {name.lower() for name in named - MADE_BY_DEV - OTHERS} <= set(Settings.model_fields)


def test_every_command_of_the_pages_is_there(text: str) -> None:
    named = re.findall(r"(?:run |`)chatconnect ([a-z-]+)", text)

    assert set(named) <= set(COMMANDS)


def test_every_route_of_the_pages_is_there(text: str) -> None:
    named = re.findall(r"(?:(?:GET|POST|DELETE) |\$GATEWAY_URL)(/[\w/{}-]*)", text)
    curled = [re.sub(r"[A-Z_]{5,}|(?<=/sessions/)[\w-]+", "x", path) for path in named]

    unknown = [path for path in curled if not any(is_at(route, path) for route in ROUTES)]
    assert not unknown


def is_at(route: Route, path: str) -> bool:
    return route.path_regex.match(re.sub(r"{\w+}", "x", path)) is not None


def test_every_target_of_the_pages_is_in_the_makefile(text: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= set(targets)


def test_every_file_of_the_pages_is_there(text: str) -> None:
    linked = {link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link}
    named = set(re.findall(r"`((?:[a-z]+/)+\w+\.\w+)`", text)) - {"logs/worker.log"}

    missing = {name for name in linked | named if not any((base / name).exists() for base in (ROOT, ROOT / "docs"))}
    assert not missing


def test_nothing_names_a_registry_or_a_path_of_a_machine(text: str) -> None:
    assert not re.search(r"pypi|npmjs|maven|docker\.io|(?<![\w.])/(work|root|home|tmp)/", text, re.IGNORECASE)


def kept(topic: Topic) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "the newest of each document"
    milliseconds = int(topic.config["retention.ms"])
    count, unit = (milliseconds // DAY_MS, "day") if milliseconds >= DAY_MS else (milliseconds // HOUR_MS, "hour")
    return f"{count} {unit}{'s' if count > 1 else ''}"


def rows(topics: tuple[Topic, ...]) -> Iterator[str]:
    for topic in topics:
        events = ", ".join(event.__name__ for event in topic.events)
        deletes = "; a null value deletes" if topic.tombstone else ""
        key = topic.key.replace("_", " ")
        yield f"| `{topic.name}` | {key} | {events}{deletes} | {topic.partitions} | {kept(topic)} |"


def test_the_table_of_topics_agrees_with_the_code() -> None:
    table = re.findall(r"^\| `.*$", (ROOT / "docs" / "events.md").read_text(), re.MULTILINE)

    assert table == list(rows(TOPICS))


def test_the_list_of_headers_agrees_with_the_code() -> None:
    listed = dict(re.findall(r"^\* `([a-z-]+)`: (.*)$", (ROOT / "docs" / "events.md").read_text(), re.MULTILINE))
    written = {value for name, value in vars(codec).items() if name.isupper() and isinstance(value, str)}

    assert set(listed) == written
    assert all(f"`{tier}`" in listed[codec.CLIENT_TIER] for tier in TURNS)


def test_the_file_types_are_the_ones_that_ingest_sends() -> None:
    section = re.search(r"## Which file types.*?\n\n(.*?)\n\n", (ROOT / "docs" / "start.md").read_text(), re.DOTALL)

    assert section is not None
    assert set(re.findall(r"`(\.\w+)`", section[1])) == set(SUFFIXES)


def test_the_license_is_the_whole_text() -> None:
    license_text = (ROOT / "LICENSE").read_text()

    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in license_text
    assert "APPENDIX: How to apply the Apache License to your work." in license_text


def test_the_example_is_as_short_as_the_pages_say() -> None:
    assert len((ROOT / "examples" / "analytics_consumer.py").read_text().splitlines()) <= 40
