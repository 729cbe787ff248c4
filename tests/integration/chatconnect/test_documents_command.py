"""`chatconnect documents` against a real gateway."""

import asyncio
import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from chatconnect.cli import create_cli
from schemas.events import DocumentProgress
from tests.support.gateway_running import running_gateway


@pytest.fixture
async def site(settings, tmp_path):
    async with running_gateway(settings) as running:
        running.client_id = f"docs-{uuid4().hex[:12]}"
        keys = await running.seed(running.client_id)
        running.access = ["--url", running.url, "--key", keys.secret]
        running.server = {"authorization": f"Bearer {keys.secret}"}
        yield running


async def run(running, *arguments, code=0):
    command = ["documents", *arguments, *running.access]
    result = await asyncio.to_thread(CliRunner().invoke, create_cli(command), command)
    assert result.exit_code == code, result.output
    return result.output


async def upload(running, name="a.txt"):
    files = {"file": (name, name.encode())}
    return (await running.http.post("/process-document", headers=running.server, files=files)).json()["id"]


async def test_documents_are_listed_shown_tried_again_and_deleted(site):
    first, second = await upload(site), await upload(site, "b.txt")
    listed = json.loads(await run(site, "list", "--json"))
    shown = await run(site, "show", first)
    retried = await run(site, "retry", first)
    deleted = await run(site, "delete", second)
    left = json.loads(await run(site, "list", "--json"))

    assert [one["id"] for one in listed] == [second, first]
    assert "filename: a.txt" in shown
    assert retried == f"{first} waits to be read again\n"
    assert deleted == f"{second} deleted\n"
    assert [(one["id"], one["version"]) for one in left] == [(first, 2)]


async def test_one_command_heals_all_that_failed_for_a_passing_reason(site):
    ids = [await upload(site, f"{number}.txt") for number in range(3)]
    for document_id, retryable in zip(ids, (True, False, True), strict=True):
        document = await site.gateway.documents.get(site.client_id, document_id)
        await site.gateway.documents.advance(
            DocumentProgress(
                client_id=document.client_id,
                document_id=document_id,
                version=1,
                status="failed",
                stage="parsing",
                progress=10,
                current_step="Failed",
                reason="Away.",
                retryable=retryable,
                at=document.created_at,
            )
        )
    output = await run(site, "retry", "--failed")

    assert sorted(line.split()[0] for line in output.splitlines()) == sorted((ids[0], ids[2]))


async def test_an_unknown_id_or_none_is_a_sentence(site):
    assert "There is no such document" in await run(site, "show", "nothing", code=1)
    assert "name ids of documents" in await run(site, "delete", code=1)
