"""A message id that arrives from the log with a second session."""

from uuid import uuid4

import pytest

from handlers.answering.handler import Answering
from handlers.answering.lease import MessageTakenError
from schemas.events import AnswerFailed
from stores.postgres.attempts import Taken
from tests.support.answering import build
from tests.support.fakes_models import FakeAttempts, FakeModel, finish, retrieved
from tests.unit.handlers.test_answering import Search, give_up, run


class AttemptsOfSessions(FakeAttempts):
    """Knows the session of each message, as the table does."""

    def __init__(self):
        super().__init__()
        self.sessions = {}

    async def begin(self, client_id, message_id, session_id, *, above=0):
        if self.sessions.setdefault((client_id, message_id), session_id) != session_id:
            return Taken()
        return await super().begin(client_id, message_id, session_id, above=above)


@pytest.mark.parametrize("has_ended", [True, False])
async def test_the_second_session_gets_a_failure_and_nothing_of_the_first(has_ended):
    first, attempts = retrieved(), AttemptsOfSessions()
    handler = Answering(Search(first), build(FakeModel("the first one's words", finish()), attempts=attempts))
    if has_ended:
        await run(handler, first.request)
    else:
        await attempts.begin(first.client_id, first.request.message_id, first.session_id)
    rows, endings = dict(attempts.rows), dict(attempts.endings)
    second = first.request.model_copy(update={"session_id": str(uuid4())})

    with pytest.raises(MessageTakenError) as raised:
        await run(handler, second)
    [failure] = await give_up(handler, second, raised.value)

    assert isinstance(failure, AnswerFailed)
    assert (failure.session_id, failure.code) == (second.session_id, "message_id_taken")
    assert (attempts.rows, attempts.endings) == (rows, endings), "the first session's attempts changed"
