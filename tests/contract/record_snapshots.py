"""The recorded streams of clients that join late, or switch to another instance."""

from typing import Any

from tests.contract.results import expected, result
from tests.contract.tape import COMPLETION, ONE, THREE, TWO, Tape


def snapshot_running(tape: Tape) -> dict[str, Any]:
    """A client joins in mid-answer: a snapshot, deltas already contained in it, the rest."""
    tape.first()
    tape.snapshot("running", 4, "abc 🦊")
    tape.words(3, "c ", "🦊", "d", "é")
    tape.step("completed", 7, **COMPLETION)
    return expected({ONE: result("abc 🦊dé")}, events=6, last_id=7)


def snapshot_late(tape: Tape) -> dict[str, Any]:
    """A switch to a lagging instance: an older snapshot, then everything after it once more."""
    tape.first()
    tape.begin()
    tape.words(2, "a", "b", "c")
    tape.first()
    tape.snapshot("running", 3, "ab")
    tape.words(4, "c", "語")
    tape.step("completed", 6, **COMPLETION)
    return expected({ONE: result("abc語")}, events=9, last_id=11)


def snapshot_newer_attempt(tape: Tape) -> dict[str, Any]:
    """The attempt changed while the client was away."""
    tape.first()
    tape.begin()
    tape.words(2, "void", " text")
    tape.snapshot("running", 2, "new ", attempt=3)
    tape.words(4, "void", attempt=2)
    tape.words(3, "文", attempt=3)
    tape.step("completed", 4, 3, **COMPLETION)
    return expected({ONE: result("new 文", attempt=3)}, events=8, last_id=9)


def snapshot_after_end(tape: Tape) -> dict[str, Any]:
    """After the end, a switch to an instance that has not read it yet, and the connection breaks."""
    tape.first()
    tape.begin()
    tape.words(2, "all ", "全部")
    tape.step("completed", 4, **COMPLETION)
    tape.snapshot("running", 2, "all ")
    return expected({ONE: result("all 全部")}, events=6, last_id=7)


def snapshots_ended(tape: Tape) -> dict[str, Any]:
    """A session whose answers have all ended: only the last snapshot has an id."""
    tape.first()
    tape.snapshot("completed", 0, "done ✅", has_id=False)
    tape.snapshot("failed", 0, "", attempt=2, message=TWO, has_id=False)
    tape.snapshot("cancelled", 0, "bis hier", message=THREE)
    tape.heartbeat()
    messages = {ONE: result("done ✅"), TWO: result("", "failed", 2), THREE: result("bis hier", "cancelled")}
    return expected(messages, events=3, last_id=3, last_id_with_data=2)
