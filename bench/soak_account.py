"""What was asked in a soak, how it ended, and what went wrong."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.model_server import Served, expected
from tests.support.visitor import ReceivedAnswer, Visitor

PIECES = 20
LOG_SECONDS = 60.0
POLL_SECONDS = 0.5
KINDS = ("lost", "doubled", "out_of_order", "stuck", "failed")


@dataclass(slots=True)
class AskedQuestion:
    """A question whose POST was answered with 202."""

    visitor: Visitor
    message_id: str
    name: str
    received: ReceivedAnswer
    is_cancelled: bool = False


@dataclass(slots=True)
class Account:
    """What happened, and the violations. `documents`: (client, id) of each that was accepted."""

    asked: list[AskedQuestion] = field(default_factory=list)
    documents: list[tuple[str, str]] = field(default_factory=list)
    lost: list[AskedQuestion] = field(default_factory=list)
    doubled: list[AskedQuestion] = field(default_factory=list)
    out_of_order: list[AskedQuestion] = field(default_factory=list)
    stuck: list[AskedQuestion] = field(default_factory=list)
    failed: list[AskedQuestion] = field(default_factory=list)
    surplus_counts: int = 0
    documents_not_ready: list[str] = field(default_factory=list)

    async def settle(self, seconds: float) -> None:
        """Waits until every question has ended, or the time is over."""
        waits = [asyncio.create_task(asked.received.ended.wait()) for asked in self.asked if not asked.received.endings]
        if waits:
            await asyncio.wait(waits, timeout=seconds)
        for wait in waits:
            wait.cancel()

    def judge(self) -> None:
        """Judges what the visitors received."""
        for asked in self.asked:
            received = asked.received
            if not received.endings:
                self.stuck.append(asked)
            elif len(received.endings) > 1 or received.problems:
                self.doubled.append(asked)
            elif received.endings == ["failed"]:
                self.failed.append(asked)
            elif not _is_right(asked):
                self.lost.append(asked)
        for visitor in {id(asked.visitor): asked.visitor for asked in self.asked}.values():
            ended = {one.message_id: one for one in self.asked if one.visitor is visitor and one.received.endings}
            order = [message_id for message_id in visitor.endings if message_id in ended]
            self.out_of_order += [ended[one] for one, other in zip(ended, order, strict=True) if one != other]

    async def judge_rows(self, engine: AsyncEngine) -> None:
        """Every ended message has one row with what the visitor saw; usage counts each once."""
        wanted = {UUID(asked.message_id): asked for asked in self.asked if asked.received.endings}
        until = time.monotonic() + LOG_SECONDS
        while True:
            async with engine.connect() as connection:
                rows = (await connection.execute(text("SELECT message_id, answer, outcome FROM chat_logs"))).all()
                counted = (await connection.execute(text("SELECT coalesce(sum(answers), 0) FROM usage_stats"))).scalar()
            missing = wanted.keys() - {row.message_id for row in rows}
            if not missing or time.monotonic() > until:
                break
            await asyncio.sleep(POLL_SECONDS)
        self.lost += [wanted[one] for one in missing]
        self.surplus_counts = abs(int(counted or 0) - len(rows))
        by_id: dict[UUID, list[tuple[str, str]]] = {}
        for row in rows:
            by_id.setdefault(row.message_id, []).append((row.answer, row.outcome))
        for message_id, asked in wanted.items():
            found = by_id.get(message_id, [])
            self.doubled += [asked] * (len(found) > 1)
            self.lost += [asked] * (found[:1] not in ([], [(asked.received.text, asked.received.endings[0])]))

    async def judge_documents(self, engine: AsyncEngine, seconds: float) -> None:
        """Every accepted document becomes ready in time."""
        until = time.monotonic() + seconds
        while True:
            async with engine.connect() as connection:
                rows = await connection.execute(text("SELECT client_id, document_id, status, reason FROM documents"))
                states = {(row.client_id, row.document_id): f"{row.status} {row.reason or ''}".strip() for row in rows}
            found = {one: states.get(one, "unknown") for one in self.documents}
            self.documents_not_ready = [f"{one[1]}: {state}" for one, state in found.items() if state != "ready"]
            if not self.documents_not_ready or time.monotonic() > until:
                return
            await asyncio.sleep(POLL_SECONDS)

    def recoveries(self, deaths: Sequence[float], journal: Sequence[Served]) -> list[float]:
        """Seconds from each death of the worker until a visitor got the first text of a later model request.

        Only a living worker asks the model, so text that the dead one had requested does not count.
        """
        ids = {asked.name: asked.message_id for asked in self.asked}
        times: dict[str, list[float]] = {}
        for visitor in {id(asked.visitor): asked.visitor for asked in self.asked}.values():
            for at, message_id in visitor.text_times:
                times.setdefault(message_id, []).append(at)
        found = []
        for death in deaths:
            texts = [
                at
                for served in journal
                if served.began > death
                for at in times.get(ids.get(served.name, ""), ())
                if at > served.began
            ]
            found += [min(texts) - death] if texts else []
        return found


def _is_right(asked: AskedQuestion) -> bool:
    whole = expected(asked.name, PIECES)
    if asked.received.endings == ["cancelled"]:
        return asked.is_cancelled and whole.startswith(asked.received.text)
    return asked.received.text == whole
