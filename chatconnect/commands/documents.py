"""`chatconnect documents`: the knowledge base from the command line, over the gateway's HTTP API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from chatconnect.client import api
from chatconnect.commands.ask import plain
from chatconnect.commands.document_audit import audit
from chatconnect.commands.failure import fail

app = typer.Typer(help="The documents of a knowledge base: list, show, retry, delete, audit.", no_args_is_help=True)
app.command("audit")(audit)

Url = Annotated[str | None, typer.Option(help="The gateway; else GATEWAY_URL, else the last one started.")]
Key = Annotated[str | None, typer.Option(help="An sk_ key; else CLIENT_SECRET_KEY, else the demo's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of documents, as `list` shows them.")]


@app.command("list")
def list_(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """A table of the documents, newest first."""
    with _gateway(url, key) as http:
        documents = list(_all(http))
    if as_json:
        typer.echo(json.dumps(documents, ensure_ascii=False))
        return
    table = Table("id", "status", "progress", "passages", "version", "file", "warnings", expand=False)
    for one in documents:
        table.add_row(
            one["id"], one["status"], f"{one['progress']} %", str(one.get("chunks", "-")), str(one["version"]),
            plain(one["filename"]), str(len(one["warnings"])),
        )  # fmt: skip
    Console().print(table)
    typer.echo(f"{len(documents)} documents")


@app.command()
def show(document_id: Annotated[str, typer.Argument()], url: Url = None, key: Key = None) -> None:
    """One document in full: where it stands, why it failed, what was left out."""
    with _gateway(url, key) as http:
        document = _call(http, "GET", f"/documents/{document_id}")
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            typer.echo(plain(f"{name}: {one}"))


@app.command()
def retry(
    ids: Ids = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed and may succeed now.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Read the same files once more."""
    with _gateway(url, key) as http:
        more = [one["id"] for one in _all(http) if one["status"] == "failed" and one.get("retryable")] if failed else []
        _each(http, [*(ids or ()), *more], "POST", "/retry", "waits to be read again")


@app.command()
def delete(ids: Ids = None, url: Url = None, key: Key = None) -> None:
    """Out of every answer at once; passages and files are removed soon after."""
    with _gateway(url, key) as http:
        _each(http, ids or [], "DELETE", "", "deleted")


def _each(http: httpx.Client, ids: list[str], method: str, action: str, done: str) -> None:
    if not ids:
        fail("There is nothing to do: name ids of documents, as `chatconnect documents list` shows them.")
    for document_id in dict.fromkeys(ids):
        _call(http, method, f"/documents/{document_id}{action}")
        typer.echo(f"{document_id} {done}")


def _all(http: httpx.Client) -> Iterator[dict[str, Any]]:
    before = None
    while True:
        page = _call(http, "GET", "/documents", **({"before": before} if before else {}))
        yield from page["documents"]
        before = page.get("next")
        if not before:
            return


def _call(http: httpx.Client, method: str, path: str, **query: str) -> dict[str, Any]:
    try:
        response = http.request(method, path, params=query)
        api.check(response)
    except httpx.TransportError as error:
        raise api.unreachable(str(http.base_url)) from error
    body: dict[str, Any] = response.json()
    return body


@contextmanager
def _gateway(url: str | None, key: str | None) -> Iterator[httpx.Client]:
    try:
        access = api.access(url, key, "CLIENT_SECRET_KEY")
        trusts_environment = not access.is_loopback
        with httpx.Client(
            base_url=access.url, headers=access.headers, timeout=api.timeout(), trust_env=trusts_environment
        ) as http:
            yield http
    except (api.ApiError, api.BusyError) as error:
        fail(plain(str(error)))
