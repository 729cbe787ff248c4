"""The demo client, and its knowledge base: this project's own docs and README."""

import asyncio
import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from chatconnect.client import api
from chatconnect.client.upload import Outcome, Upload
from chatconnect.embedded.password import write_private
from stores.postgres.clients import Client

DEMO_CLIENT = Client("demo", "Demo", "free", ("*",))
PROJECT = Path(__file__).parents[2]
AT_ONCE = 4
# The documents should be searchable at `ready`, even on a slow machine.
DEADLINE_SECONDS = 300


async def seed_documents(values: dict[str, str], state_file: Path) -> str:
    """Uploads the documents that are new or changed since the run recorded in `state_file`; returns a summary.

    A failed document is not an error: the summary names it. A slow one is left to the worker.
    """
    access = api.GatewayAccess(values["GATEWAY_URL"], values["CLIENT_SECRET_KEY"])
    known = _load_known(state_file)
    async with httpx.AsyncClient(base_url=access.url, timeout=api.timeout(), trust_env=not access.is_loopback) as http:
        files = {path: sha256(path.read_bytes()).hexdigest() for path in _documents()}
        wanted = [path for path in files if not await _is_there(http, access, known.get(str(path)), files[path])]
        outcomes = await _upload_all(http, access, wanted)
    for outcome in outcomes:
        if outcome.is_ready:
            known[str(outcome.path)] = {"sha256": files[outcome.path], "document_id": outcome.document_id}
    _save_known(state_file, known)
    return _summary(len(files), len(wanted), outcomes)


def _load_known(state_file: Path) -> dict[str, dict[str, Any]]:
    return json.loads(state_file.read_text()) if state_file.exists() else {}


def _save_known(state_file: Path, known: dict[str, dict[str, Any]]) -> None:
    write_private(state_file, json.dumps(known, indent=1))


def _documents() -> Iterable[Path]:
    return sorted(path for path in (PROJECT / "README.md", *PROJECT.glob("docs/*.md")) if path.is_file())


async def _is_there(
    http: httpx.AsyncClient, access: api.GatewayAccess, known: dict[str, Any] | None, digest: str
) -> bool:
    if known is None or known["sha256"] != digest:
        return False
    response = await http.get(f"/documents/{known['document_id']}/status", headers=access.headers)
    return response.is_success and response.json()["status"] == "ready"


async def _upload_all(http: httpx.AsyncClient, access: api.GatewayAccess, paths: list[Path]) -> list[Outcome]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(path: Path) -> Outcome:
        async with slots:
            return await Upload(http, access, path, lambda _step, _percent: None).run()

    tasks = {asyncio.create_task(one(path)) for path in paths}
    if not tasks:
        return []
    try:
        done, _ = await asyncio.wait(tasks, timeout=DEADLINE_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
    return [task.result() for task in done]


def _summary(total: int, sent: int, outcomes: list[Outcome]) -> str:
    failed = [f"{outcome.path.name}: {outcome.reason}" for outcome in outcomes if not outcome.is_ready]
    waiting = sent - len(outcomes)
    line = f"demo knowledge base: {total - waiting - len(failed)} of {total} documents ready"
    if waiting:
        line += f", {waiting} still under way"
    return "\n".join([line, *(f"  {reason}" for reason in failed)])
