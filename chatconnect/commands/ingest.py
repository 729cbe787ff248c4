"""`chatconnect ingest`: uploads files and folders, and follows each file until it is ready or failed."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from chatconnect.client import api
from chatconnect.client.upload import Outcome, Report, Upload
from chatconnect.commands.ask import plain
from schemas.formats import SUFFIXES

AT_ONCE = 4


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with everything in them.")],
    url: Annotated[str | None, typer.Option(help="The gateway; else GATEWAY_URL, else the last one started.")] = None,
    key: Annotated[str | None, typer.Option(help="An sk_ key; else CLIENT_SECRET_KEY, else the demo's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Upload files into the knowledge base; ends when each is ready or failed, and says why."""
    try:
        files, skipped = collect(paths)
        access = api.access(url, key, "CLIENT_SECRET_KEY")
        outcomes = asyncio.run(_ingest(access, files, is_quiet=as_json)) if files else []
    except api.ApiError as error:
        typer.echo(plain(str(error)), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_facts(outcomes, skipped), ensure_ascii=False))
    else:
        _print_summary(outcomes, skipped)
    named = {path.resolve() for path in paths}
    if not outcomes or not all(outcome.is_ready for outcome in outcomes) or named & set(skipped):
        raise typer.Exit(1)


def collect(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Absolute paths to send and to skip, each once, without hidden files in folders. Raises `ApiError`."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise api.ApiError(f"There is no file or folder {path}.")
        found |= dict.fromkeys(file.resolve() for file in (_inside(path) if path.is_dir() else [path]))
    return [file for file in found if _is_supported(file)], [file for file in found if not _is_supported(file)]


def _inside(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not is_hidden:
            yield file


def _is_supported(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


async def _ingest(access: api.GatewayAccess, files: list[Path], *, is_quiet: bool) -> list[Outcome]:
    async with httpx.AsyncClient(base_url=access.url, timeout=api.timeout(), trust_env=not access.is_loopback) as http:
        await _check_reachable(http, access)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"))
        with Progress(*columns, console=Console(stderr=True, quiet=is_quiet), transient=True) as progress:
            bars = Bars(progress, len(files))
            slots = asyncio.Semaphore(AT_ONCE)

            async def one(file: Path) -> Outcome:
                async with slots:
                    with bars.of(file) as report:
                        outcome = await Upload(http, access, file, report).run()
                    bars.say(outcome)
                    return outcome

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(file)) for file in files]
    return [task.result() for task in tasks]


class Bars:
    """A progress bar for each running upload, one for all files, and a line for each ended one."""

    def __init__(self, progress: Progress, files: int) -> None:
        self._progress = progress
        self._whole = progress.add_task("all files", total=files, step=f"0 of {files}")

    @contextmanager
    def of(self, file: Path) -> Iterator[Report]:
        """The bar of this file, during its upload."""
        bar = self._progress.add_task(plain(file.name), total=100, step="")
        try:
            yield lambda step, percent: self._progress.update(bar, step=plain(step), completed=percent)
        finally:
            self._progress.remove_task(bar)

    def say(self, outcome: Outcome) -> None:
        """Print how a file ended."""
        self._progress.advance(self._whole)
        whole = next(task for task in self._progress.tasks if task.id == self._whole)
        self._progress.update(self._whole, step=f"{whole.completed:.0f} of {whole.total:.0f}")
        for line in (_line(outcome), *(plain(f"        {warning}") for warning in outcome.warnings)):
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


async def _check_reachable(http: httpx.AsyncClient, access: api.GatewayAccess) -> None:
    try:
        await http.get("/health/live")
    except httpx.TransportError as error:
        raise api.unreachable(access.url) from error


def _line(outcome: Outcome) -> str:
    if outcome.is_ready:
        return plain(f"ready   {outcome.path.name}  ({outcome.chunks} passages, version {outcome.version})")
    return plain(f"{outcome.status:<7} {outcome.path.name}: {outcome.reason or 'no reason was given'}")


def _print_summary(outcomes: list[Outcome], skipped: list[Path]) -> None:
    for file in skipped:
        typer.echo(plain(f"skipped {file.name}: supported are {', '.join(SUFFIXES)}"), err=True)
    ready = sum(outcome.is_ready for outcome in outcomes)
    typer.echo(f"{ready} of {len(outcomes)} ready, {len(skipped)} skipped")


def _facts(outcomes: list[Outcome], skipped: list[Path]) -> dict[str, Any]:
    documents = [asdict(outcome) | {"path": str(outcome.path)} for outcome in outcomes]
    for document in documents:
        document["id"] = document.pop("document_id")
    return {"documents": documents, "skipped": [str(file) for file in skipped]}
