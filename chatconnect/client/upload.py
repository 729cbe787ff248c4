"""Uploads a file into a knowledge base and follows it until it is ready or failed."""

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from chatconnect.client.api import ApiError, BusyError, GatewayAccess, check
from schemas.events import ENDED_STATUSES

# Restarts at every status change, so it limits a stall and not the size of a document.
STALL_SECONDS = 300
POLL_SECONDS = 0.3
MAX_POLL_SECONDS = 2.0
UPLOAD_TRIES = 4
MAX_EXTERNAL_ID_CHARACTERS = 200

Report = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `reason` is a sentence when it is not `ready`, `warnings` are about what was left out."""

    path: Path
    status: str
    document_id: str | None = None
    version: int | None = None
    chunks: int | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether answers can use it."""
        return self.status == "ready"


class Upload:
    """`run` never raises for a problem with the file or the connection: the outcome names it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        access: GatewayAccess,
        path: Path,
        report: Report,
        *,
        poll_seconds: float = POLL_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._http = http
        self._access = access
        self._path = path
        self._report = report
        self._poll_seconds = poll_seconds
        self._stall_seconds = stall_seconds

    async def run(self) -> Outcome:
        """Send and follow. The absolute path is the external id, so the next upload is a new version."""
        try:
            sent = await self._send()
            return await self._follow(str(sent["id"]), int(sent.get("version") or 0))
        except (ApiError, BusyError) as error:
            return Outcome(self._path, "failed", reason=str(error))
        except httpx.HTTPError as error:
            return Outcome(self._path, "failed", reason=f"The connection to {self._access.url} broke: {error}.")
        except OSError as error:
            return Outcome(self._path, "failed", reason=f"The file cannot be read: {error.strerror}.")

    async def _send(self) -> dict[str, Any]:
        for tried in range(UPLOAD_TRIES):
            try:
                return await self._post()
            except (BusyError, httpx.TransportError) as error:
                if tried == UPLOAD_TRIES - 1:
                    raise
                await asyncio.sleep(getattr(error, "retry_after_seconds", 0.5 * 2**tried))
        raise AssertionError

    async def _post(self) -> dict[str, Any]:
        size = self._path.stat().st_size
        with _ProgressFile(self._path, lambda sent: self._report("uploading", 100 * sent // max(size, 1))) as file:
            response = await self._http.post(
                "/process-document",
                headers=self._access.headers,
                files={"file": (self._path.name, file)},
                data={"externalId": external_id(self._path)},
            )
        check(response)
        body: dict[str, Any] = response.json()
        return body

    async def _follow(self, document_id: str, version: int) -> Outcome:
        seen, deadline, pause_seconds = None, time.monotonic() + self._stall_seconds, self._poll_seconds
        while time.monotonic() < deadline:
            status = await self._status(document_id)
            # The row may still show the version before this one.
            if status and status["version"] >= version:
                self._report(status["currentStep"], status["progress"])
                if status["status"] in ENDED_STATUSES:
                    return self._outcome(document_id, status)
                if status != seen:
                    seen, deadline, pause_seconds = status, time.monotonic() + self._stall_seconds, self._poll_seconds
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.3, MAX_POLL_SECONDS)
        reason = f"No progress for {self._stall_seconds} seconds; it goes on when a worker is there."
        return Outcome(self._path, "failed", document_id, version, reason=reason)

    async def _status(self, document_id: str) -> dict[str, Any] | None:
        """None on a temporary error; the deadline limits how many are tolerated."""
        try:
            response = await self._http.get(f"/documents/{document_id}/status", headers=self._access.headers)
            check(response)
        except (httpx.TransportError, BusyError):
            return None
        body: dict[str, Any] = response.json()
        return body

    def _outcome(self, document_id: str, status: dict[str, Any]) -> Outcome:
        reason = status.get("reason") or ("It was deleted meanwhile." if status["status"] == "deleted" else None)
        return Outcome(
            self._path, status["status"], document_id, status["version"], status.get("chunks"), reason,
            tuple(status.get("warnings", ())),
        )  # fmt: skip


def external_id(path: Path) -> str:
    """The absolute path, or its hash if that is too long: the same file is the same document."""
    name = str(path.resolve())
    return name if len(name) <= MAX_EXTERNAL_ID_CHARACTERS else f"sha256:{sha256(name.encode()).hexdigest()}"


class _ProgressFile(io.FileIO):
    """A file that reports how much of it has been read."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(path)
        self._report_read = report

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self._report_read(self.tell())
        return data
