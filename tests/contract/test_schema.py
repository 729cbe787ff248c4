"""The JSON Schema of the events: up to date, true to the wire, and strict enough to refuse invalid events."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from chatconnect.cli import create_cli
from chatconnect.client.sse_parser import SseParser
from gateway.replay.answers import FoldedAnswer, Frame
from gateway.replay.tail import NAME_OF_TYPE
from schemas import sse
from schemas.events import AnswerSources, AnswerStarted, ChatRequested
from schemas.passages import Source
from streams.codec import encode
from tests.contract.record import FOLDER, files
from tests.contract.recorded import ALL, Recorded
from tests.support.gateway_running import answer_of

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "sse-events.schema.json"
SHAPES_FILE = SCHEMA_FILE.with_name("shapes.schema.json")
ENVELOPE = {"client_id": "c", "session_id": "s", "message_id": UUID(int=1), "attempt": 1}


@pytest.fixture(scope="module")
def schema():
    return jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text("utf-8")), validate_formats=True)


def test_the_file_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(create_cli(["schema"]), ["schema"]).stdout

    assert printed == SCHEMA_FILE.read_text("utf-8"), "run `uv run chatconnect schema > docs/sse-events.schema.json`"


def test_the_shapes_and_the_dashboards_types_are_those_of_today() -> None:
    printed = CliRunner().invoke(create_cli(["schema"]), ["schema", "--shapes"]).stdout

    assert printed == SHAPES_FILE.read_text("utf-8"), (
        "run `uv run chatconnect schema --shapes > docs/shapes.schema.json`"
    )
    assert jsonschema_rs.meta.is_valid(json.loads(printed))


def test_it_is_a_schema_of_the_dialect_it_names() -> None:
    assert jsonschema_rs.meta.is_valid(json.loads(SCHEMA_FILE.read_text("utf-8")))


def test_every_event_that_the_gateway_passes_on_is_in_it() -> None:
    passed_on = {name.decode(): event for name, event in NAME_OF_TYPE.items()}

    assert {model.__name__: event for event, model in sse.ANSWER_EVENTS.items()} == passed_on


def test_the_recordings_are_what_the_script_writes() -> None:
    written = dict(files())

    assert {path.name for path in FOLDER.glob("*.*")} - {".gitattributes"} == set(written)
    for name, content in written.items():
        assert (FOLDER / name).read_bytes() == content, f"{name}: run `uv run python -m tests.contract.record`"


@pytest.mark.parametrize("recording", ALL, ids=lambda each: each.name)
def test_every_recorded_event_is_valid(recording: Recorded, schema) -> None:
    events = [{"event": frame.event, "data": json.loads(frame.data)} for frame in SseParser().feed(recording.body)]

    assert [error.message for event in events for error in schema.iter_errors(event)] == []


def test_the_recordings_have_every_event_of_the_schema() -> None:
    seen = {frame.event for recording in ALL for frame in SseParser().feed(recording.body)}

    assert seen == set(sse.EVENTS)


def test_the_gateways_own_snapshots_are_valid_at_every_step_of_an_answer(schema) -> None:
    question = ChatRequested(
        client_id="c", message_id=UUID(int=1), session_id="s", text="?", requested_at=datetime.now(UTC)
    )
    answer = FoldedAnswer(str(question.message_id))
    for offset, event in enumerate(answer_of(question, "one 二")):
        record = encode(event)
        name = NAME_OF_TYPE[dict(record.headers)["event-type"]]
        answer.fold(Frame(offset, answer.message_id, event.attempt, event.seq, name, record.value, 0))
        schema.validate({"event": name, "data": json.loads(record.value)})
        schema.validate({"event": "snapshot", "data": json.loads(answer.snapshot())})
    assert answer.state == "completed"


def test_none_is_left_out_and_its_absence_is_valid(schema) -> None:
    source = Source(n=1, document_id="d", title="t", snippet="…", score=0.5)
    data = json.loads(encode(AnswerSources(**ENVELOPE, seq=1, sources=[source])).value)

    assert "page" not in data["sources"][0]
    schema.validate({"event": "sources", "data": data})


@pytest.mark.parametrize(
    "broken",
    [{"seq": -1}, {"attempt": 0}, {"seq": None}, {"tier": "gold"}, {"messageId": "m"}, {"model": 3}],
    ids=str,
)
def test_an_invalid_event_is_refused(broken, schema) -> None:
    data = json.loads(encode(AnswerStarted(**ENVELOPE, seq=0, model="m", tier="free")).value)
    schema.validate({"event": "started", "data": data | {"later": "is ignored"}})

    assert not schema.is_valid({"event": "started", "data": data | broken})
    assert not schema.is_valid({"event": "unheard-of", "data": data})
