import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from chatconnect.client.api import GatewayAccess
from chatconnect.client.upload import MAX_EXTERNAL_ID_CHARACTERS, Upload, external_id
from chatconnect.commands.ingest import ingest
from tests.support.fakes_gateway import scripted_knowledge_base, serve

READY = {"status": "ready", "progress": 100, "chunks": 4}


def run(url: str, *arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(ingest)
    return CliRunner().invoke(app, [*map(str, arguments), "--url", url, "--key", "sk_1"])


def in_steps(filename: str) -> list[dict[str, Any]]:
    steps = [{"status": "parsing", "progress": 10, "chunks": None}, {"status": "embedding", "progress": 60}]
    return [*steps, READY]


def ready_at_once(filename: str) -> list[dict[str, Any]]:
    return [READY]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.md").write_text("# A")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.TXT").write_text("b" * 200_000)
    (tmp_path / "inner" / "c.png").write_text("no")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "d.md").write_text("hidden")
    return tmp_path


def test_a_folder_is_sent_file_by_file_and_the_rest_is_listed(folder: Path) -> None:
    with scripted_knowledge_base(in_steps) as (url, knowledge_base):
        result = run(url, folder, folder / "a.md", "--json")

    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert {"a.md", "b.TXT"} == {Path(document["path"]).name for document in facts["documents"]}
    assert all(document["status"] == "ready" and document["chunks"] == 4 for document in facts["documents"])
    assert [str(folder / "inner" / "c.png")] == facts["skipped"]
    sent = {upload["filename"]: upload for upload in knowledge_base.uploads}
    assert sent["b.TXT"]["content"] == b"b" * 200_000
    assert ("Bearer sk_1", str(folder / "a.md")) == (sent["a.md"]["authorization"], sent["a.md"]["externalId"])


def test_the_same_path_again_is_a_new_version(folder: Path) -> None:
    with scripted_knowledge_base(ready_at_once) as (url, _):
        versions = [json.loads(run(url, folder / "a.md", "--json").stdout)["documents"][0]["version"] for _ in range(2)]

    assert versions == [1, 2]


def test_a_failed_file_says_why_and_the_exit_is_not_zero(folder: Path) -> None:
    def statuses(filename: str) -> list[dict[str, Any]]:
        failed = {"status": "failed", "progress": 20, "reason": "The file has no text."}
        return [failed] if filename == "a.md" else [READY]

    with scripted_knowledge_base(statuses) as (url, _):
        result = run(url, folder)

    assert result.exit_code == 1
    assert "failed  a.md: The file has no text." in result.stderr
    assert "ready   b.TXT  (4 passages, version 1)" in result.stderr
    assert "1 of 2 ready, 1 skipped" in result.stdout


def test_a_file_named_by_hand_that_is_not_supported_is_an_error(folder: Path) -> None:
    with scripted_knowledge_base(ready_at_once) as (url, _):
        result = run(url, folder / "a.md", folder / "inner" / "c.png")

    assert result.exit_code == 1
    assert "skipped c.png: supported are .pdf, .docx, " in result.stderr


def test_a_refused_file_is_reported_with_the_problems_sentence(folder: Path) -> None:
    async def refuse(request: Request) -> Response:
        return JSONResponse({"detail": "The file is empty."}, status_code=422)

    with serve(Route("/process-document", refuse, methods=["POST"])) as url:
        result = run(url, folder / "a.md")

    assert result.exit_code == 1
    assert "failed  a.md: The file is empty." in result.stderr


async def test_no_progress_within_the_deadline_is_a_failure(folder: Path) -> None:
    reports: list[tuple[str, int]] = []
    with scripted_knowledge_base(lambda _: [{"status": "pending", "progress": 0}]) as (url, _):
        async with httpx.AsyncClient(base_url=url) as http, asyncio.timeout(5):
            one = Upload(
                http,
                GatewayAccess(url, "sk_1"),
                folder / "a.md",
                lambda *step: reports.append(step),
                poll_seconds=0.01,
                stall_seconds=0.1,
            )
            outcome = await one.run()

    assert not outcome.is_ready
    assert outcome.reason == "No progress for 0.1 seconds; it goes on when a worker is there."
    polls = [step for step, _ in reports if step != "uploading"]
    assert len(polls) > 1, "one poll shows no stall"


def test_a_missing_path_is_reported_in_one_sentence(tmp_path: Path) -> None:
    result = run("http://127.0.0.1:9", tmp_path / "none.md")

    assert (1, f"There is no file or folder {tmp_path / 'none.md'}.\n") == (result.exit_code, result.stderr)


def test_an_unreachable_gateway_is_reported_in_one_sentence(folder: Path) -> None:
    result = run("http://127.0.0.1:9", folder / "a.md")

    assert result.exit_code == 1
    assert result.stderr.startswith("Nothing answers at http://127.0.0.1:9:")


def test_a_path_of_any_length_has_an_external_id_that_the_gateway_takes() -> None:
    short, long = Path("/a/b.md"), Path("/" + "/".join(["folder"] * 60) + "/b.md")

    assert external_id(short) == "/a/b.md"
    assert len(external_id(long)) <= MAX_EXTERNAL_ID_CHARACTERS
    assert external_id(long) == external_id(long) != external_id(long.with_name("c.md"))
