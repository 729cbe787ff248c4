import asyncio

import pytest

from handlers.deltas import EARLY_BEATS, PAUSE_SECONDS, Deltas
from handlers.interruption import Interruption
from tests.fakes_models import finish, prompt
from tests.jumping_loop import simulate

PIECE_SECONDS = 0.007


class SteadyModel:
    """A piece each 7 ms, after a silence of its own."""

    provider, name = "openai", "gpt-4o-mini"

    def __init__(self, silent_seconds, pieces=40):
        self.silent_seconds, self.pieces = silent_seconds, pieces

    async def stream(self, _):
        await asyncio.sleep(self.silent_seconds)
        for _ in range(self.pieces):
            yield "x"
            await asyncio.sleep(PIECE_SECONDS)
        yield finish()


async def moments_of(silent_seconds):
    """When each delta of an answer came, in simulated seconds."""
    loop = asyncio.get_running_loop()
    async with Deltas(SteadyModel(silent_seconds), prompt(), Interruption()) as stream:
        return [loop.time() async for piece in stream if isinstance(piece, str)]


async def moments_of_all(*silences):
    return await asyncio.gather(*(moments_of(seconds) for seconds in silences))


def test_the_first_delta_comes_at_once():
    for silent_seconds, moments in zip((0.011, 0.03), simulate(moments_of_all(0.011, 0.03)), strict=True):
        assert abs(moments[0] - silent_seconds) < 1e-9


# uvloop's timers fire up to a millisecond before their time.
@pytest.mark.parametrize("early_seconds", [0.0, 0.001])
def test_the_deltas_of_all_answers_come_at_one_beat(early_seconds):
    for moments in simulate(moments_of_all(0.011, 0.03), early_seconds):
        beats = [moment / PAUSE_SECONDS for moment in moments[1:-1]]
        assert [round(beat) for beat in beats] == list(range(1, len(beats) + 1))
        assert all(abs(beat - round(beat)) < EARLY_BEATS for beat in beats)
