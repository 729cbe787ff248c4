"""Which answers a cancel reaches, and for how long it is remembered."""

from uuid import uuid4

from handlers.answering.cancellations import REMEMBERED_SECONDS, Cancellations
from tests.support.clock import Clock


def test_old_cancels_are_forgotten():
    message, stopped, clock = uuid4(), [], Clock()
    registry = Cancellations(clock)
    registry.cancel("acme", message)
    clock.now += REMEMBERED_SECONDS
    with registry.watch("acme", message, lambda: stopped.append(1)):
        pass

    assert stopped == []


def test_cancels_are_bounded_and_the_newest_stay():
    registry, messages, stopped = Cancellations(max_remembered=3), [uuid4() for _ in range(5)], []
    for message in messages:
        registry.cancel("acme", message)
    for message in messages:
        with registry.watch("acme", message, lambda message=message: stopped.append(message)):
            pass

    assert stopped == messages[2:]


def test_cancel_reaches_every_watcher_and_none_after_its_end():
    registry, message, stopped = Cancellations(), uuid4(), []
    with registry.watch("acme", message, lambda: stopped.append("a")):
        with registry.watch("acme", message, lambda: stopped.append("b")):
            registry.cancel("acme", message)
        registry.cancel("acme", message)

    assert stopped == ["a", "b", "a"]
