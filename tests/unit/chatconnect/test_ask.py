import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from starlette.responses import JSONResponse
from typer.testing import CliRunner, Result

from chatconnect.commands.ask import Transcript, ask, place, plain
from tests.support.fakes_gateway import Cut, ScriptedGateway, Stall, frame, scripted_gateway, step

ROOT = Path(__file__).parents[3]
ACCEPTED = frame("accepted", messageId="<message>", sessionId="s", ticket="t1")
SOURCES = [
    {"n": 1, "documentId": "d", "title": "guide.pdf", "page": 3, "snippet": "…", "score": 0.9},
    {"n": 2, "documentId": "e", "title": "start.md", "heading": "Ports", "snippet": "…", "score": 0.5},
]
USAGE = {"inputTokens": 9, "outputTokens": 2, "cacheReadTokens": 0, "cacheWriteTokens": 0, "estimated": False}


def started(attempt: int = 1) -> list[bytes]:
    return [step("started", 0, attempt, model="m", tier="free"), step("sources", 1, attempt, sources=SOURCES)]


def delta(seq: int, text: str, attempt: int = 1) -> bytes:
    return step("delta", seq, attempt, text=text)


def completed(seq: int, attempt: int = 1) -> bytes:
    return step("completed", seq, attempt, finishReason="stop", citations=[1], usage=USAGE, model="m")


def run(gateway: ScriptedGateway, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(ask)
    return CliRunner().invoke(app, ["Why?", "--url", gateway.url, "--key", "pk_1", *arguments])


def answer_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def test_the_answer_is_streamed_and_its_sources_are_listed_with_their_place() -> None:
    with scripted_gateway([ACCEPTED, *started(), delta(2, "Because "), delta(3, "of 👋."), completed(4)]) as gateway:
        result = run(gateway, "--session", "s")

    assert result.exit_code == 0, result.output
    assert "Because of 👋.\n" in result.stdout
    assert "[1] guide.pdf, page 3" in result.stdout
    assert "[2] start.md › Ports" in result.stdout
    asked = gateway.requests[0]
    assert (
        asked["body"]["message"],
        asked["body"]["sessionId"],
        asked["headers"]["x-api-key"],
    ) == ("Why?", "s", "pk_1")


def test_json_is_one_object_with_every_fact() -> None:
    with scripted_gateway([ACCEPTED, *started(), delta(2, "Yes."), completed(3)]) as gateway:
        facts = answer_of(run(gateway, "--json"))

    asked = gateway.requests[0]["body"]
    expected = {"text": "Yes.", "sources": SOURCES, "usage": USAGE, "model": "m", "finishReason": "stop"}
    assert expected | {"messageId": asked["messageId"], "sessionId": asked["sessionId"]} == facts


@pytest.mark.parametrize("ending", [Cut, None], ids=["broken", "ended early"])
def test_a_cut_stream_goes_on_from_the_last_event_with_the_ticket(ending: Any) -> None:
    first = [ACCEPTED, *started(), delta(2, "one "), *([Cut] if ending else [])]
    with scripted_gateway(first, [delta(2, "one "), delta(3, "two"), completed(4)]) as gateway:
        facts = answer_of(run(gateway, "--json"))

    assert facts["text"] == "one two"
    resumed = gateway.requests[1]
    assert ("GET", f"/sessions/{facts['sessionId']}/events") == (resumed["method"], resumed["path"])
    assert (resumed["headers"]["last-event-id"], resumed["headers"]["authorization"]) == ("e.0.102", "Bearer t1")


def test_a_stream_cut_before_it_was_accepted_is_asked_again_with_the_same_message_id() -> None:
    with scripted_gateway([Cut], [ACCEPTED, *started(), delta(2, "Yes."), completed(3)]) as gateway:
        answer_of(run(gateway, "--json"))

    first, second = (request["body"] for request in gateway.requests)
    assert first == second


def test_a_gap_is_resumed_from_before_it() -> None:
    broken = [ACCEPTED, *started(), delta(2, "a"), delta(4, "c")]
    with scripted_gateway(broken, [delta(3, "b"), delta(4, "c"), completed(5)]) as gateway:
        facts = answer_of(run(gateway, "--json"))

    assert facts["text"] == "abc"
    assert gateway.requests[1]["headers"]["last-event-id"] == "e.0.102"


def test_a_second_attempt_and_a_snapshot_replace_the_text() -> None:
    first = [ACCEPTED, *started(), delta(2, "half"), *started(2), delta(2, "who", 2), Cut]
    snapshot = step("snapshot", 4, 2, text="whole t", sources=SOURCES, state="running")
    with scripted_gateway(first, [snapshot, delta(5, "ext", 2), completed(6, 2)]) as gateway:
        facts = answer_of(run(gateway, "--json"))

    assert facts["text"] == "whole text"


def test_fields_missing_from_an_ended_answers_snapshot_are_fetched() -> None:
    snapshot = step("snapshot", 9, text="All of it.", sources=SOURCES, state="completed")
    whole = JSONResponse({"usage": USAGE, "model": "m", "finishReason": "stop"})
    with scripted_gateway([ACCEPTED, Cut], [snapshot], whole) as gateway:
        facts = answer_of(run(gateway, "--json"))

    assert (facts["text"], facts["usage"], facts["finishReason"]) == ("All of it.", USAGE, "stop")
    first, _, last = gateway.requests
    assert (last["path"], last["body"]) == ("/chat", first["body"])


def test_a_busy_gateway_is_asked_again_after_its_wait() -> None:
    busy = JSONResponse({"detail": "Too many."}, status_code=429, headers={"Retry-After": "0"})
    with scripted_gateway(busy, [ACCEPTED, *started(), delta(2, "Yes."), completed(3)]) as gateway:
        answer_of(run(gateway, "--json"))

    assert len(gateway.requests) == 2


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (step("failed", 2, code="x", message="The model is away.", retryable=True), "The model is away."),
        (step("cancelled", 2, usage=USAGE), "The answer was cancelled."),
    ],
)
def test_an_answer_that_is_not_completed_is_an_error(ending: bytes, sentence: str) -> None:
    with scripted_gateway([ACCEPTED, *started(), ending]) as gateway:
        result = run(gateway, "--json")

    assert (1, "", f"{sentence}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_refusal_is_the_sentence_of_the_problem() -> None:
    problem = JSONResponse({"detail": "This key is unknown."}, status_code=401, media_type="application/problem+json")
    with scripted_gateway(problem) as gateway:
        result = run(gateway)

    assert (result.exit_code, result.stderr) == (1, "This key is unknown.\n")
    assert len(gateway.requests) == 1


def test_a_server_that_is_no_gateway_is_reported_as_such() -> None:
    with scripted_gateway(JSONResponse({"hello": "world"})) as gateway:
        result = run(gateway)

    assert result.exit_code == 1
    assert "is it a ChatConnect gateway?" in result.stderr


def test_an_unreachable_gateway_is_reported_in_one_sentence() -> None:
    gone = ScriptedGateway()
    gone.url = "http://127.0.0.1:9"

    result = run(gone)

    assert result.exit_code == 1
    assert result.stderr == "Nothing answers at http://127.0.0.1:9: start it with `make dev`, or pass another --url.\n"


def test_ctrl_c_cancels_the_answer_and_its_costs() -> None:
    script = [ACCEPTED, *started(), delta(2, "A long "), Stall]
    with scripted_gateway(script, JSONResponse({}, status_code=202)) as gateway:
        command = [sys.executable, "-m", "chatconnect", "ask", "Why?", "--url", gateway.url, "--key", "pk_1"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            output = process.stdout.read(len("A long "))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)

    asked, cancelled = gateway.requests
    assert (output, process.returncode) == (b"A long ", 130)
    assert cancelled["path"] == f"/chat/{asked['body']['messageId']}/cancel"
    assert cancelled["headers"]["authorization"] == "Bearer t1"


def test_a_replaced_text_starts_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    transcript = Transcript()
    for text in ("half an", "half an answer", "another", "another one"):
        transcript.show(text)
    transcript.close()

    written = capsys.readouterr()
    assert written.out == "half an answer\nanother one\n"
    assert written.err == "The answer starts again:\n"


def test_a_document_cannot_send_terminal_escapes() -> None:
    assert plain("\x1b[31mred\n\tok\x07 👩‍👧\x9b") == "[31mred\n\tok 👩‍👧"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"page": 3, "heading": "H"}, ", page 3"),
        ({"page": 3, "pageEnd": 4}, ", pages 3–4"),
        ({"row": 7}, ", row 7"),
        ({"heading": "H"}, " › H"),
        ({}, ""),
    ],
)
def test_the_place_of_a_source(source: dict[str, Any], expected: str) -> None:
    assert expected == place(source)


def test_the_environment_names_the_gateway_and_a_key_that_may_go_on_with_a_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"CLIENT_API_KEY": "pk_e", "CLIENT_SECRET_KEY": "sk_e"}.items():
        monkeypatch.setenv(name, value)
    script = [ACCEPTED, *started(), delta(2, "Yes."), completed(3)]
    app = typer.Typer()
    app.command()(ask)
    with scripted_gateway(script, script) as gateway:
        monkeypatch.setenv("GATEWAY_URL", gateway.url)
        results = [CliRunner().invoke(app, ["Why?", *options]) for options in ([], ["--session", "s"])]

    assert [result.exit_code for result in results] == [0, 0], results
    first, second = (request["headers"] for request in gateway.requests)
    assert (first["x-api-key"], second["authorization"]) == ("pk_e", "Bearer sk_e")
