"""Who owns a session, and that everybody else is refused."""

from uuid import UUID, uuid4

import pytest

from gateway.admission.access import Caller
from gateway.admission.session_ownership import SessionOwnership, require_unguessable
from gateway.admission.tickets import Ticket, Tickets
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import Tail
from gateway.web.problems import Problem
from stores.postgres.clients import Client
from stores.postgres.database import DATABASE_ERRORS
from stores.postgres.sessions import SessionOwner
from tests.support.fakes_tail import FakeHistory, FakeLog, answer_frames, message_id, reading

ACME = Client("acme", "Acme", "free", ("*",))
PAGE, SERVER = Caller(ACME, "publishable"), Caller(ACME, "secret")


class FakeSessions:
    """`stores.postgres.sessions.Sessions` in memory; while `is_away`, claims fail."""

    def __init__(self):
        self.rows, self.is_away, self.asked = {}, False, 0

    async def claim(self, client_id, session_id, owner):
        self.asked += 1
        if self.is_away:
            raise ConnectionRefusedError
        is_new = (client_id, session_id) not in self.rows
        return self.rows.setdefault((client_id, session_id), owner), is_new

    async def transfer(self, client_id, session_id, visitor_id):
        is_free = self.rows[client_id, session_id].kind == "server"
        if is_free:
            self.rows[client_id, session_id] = SessionOwner("visitor", visitor_id)
        return is_free


class Stage:
    def __init__(self):
        self.sessions, self.log, self.buffers = FakeSessions(), FakeLog(), ReplayBuffers()
        questions = PendingQuestions()
        self.tail = Tail(self.log, self.buffers, questions)
        self.subscriptions = Subscriptions(self.tail, self.buffers, questions, FakeHistory())
        self.ownership = SessionOwnership(self.sessions, self.subscriptions, Tickets([b"s" * 32]))

    async def open(self, caller, name, message=None, *, is_named=True):
        session = self.subscriptions.session("acme", name)
        await self.ownership.open(caller, session, message or uuid4(), is_named=is_named)
        return session


@pytest.fixture
def stage():
    return Stage()


async def refused(work):
    with pytest.raises(Problem) as problem:
        await work
    return problem.value.status


async def test_the_first_page_that_names_a_session_owns_it(stage):
    name, message = str(uuid4()), uuid4()
    session = await stage.open(PAGE, name, message)

    assert await refused(stage.open(PAGE, name)) == 403
    await stage.open(PAGE, name, message)
    assert stage.sessions.rows["acme", name].visitor_id == stage.ownership.visitor(session)


async def test_a_page_is_refused_a_servers_session(stage):
    name = str(uuid4())
    await stage.open(SERVER, name)

    assert await refused(stage.open(PAGE, name)) == 403
    await stage.open(SERVER, name)
    assert stage.sessions.asked == 2, "a recorded owner was recorded again"


async def test_a_page_is_refused_a_session_that_began_on_the_log(stage):
    name = str(uuid4())
    stage.log.write(*answer_frames("hello"), session=name)
    async with reading(stage.tail):
        assert await refused(stage.open(PAGE, name)) == 403
    assert stage.sessions.rows["acme", name] == SessionOwner("server")


async def test_a_ticket_opens_its_session_without_a_query(stage):
    holder = Caller(ACME, "ticket", Ticket("acme", "mine", "v", None))
    stage.sessions.is_away = True
    await stage.open(holder, "mine")

    assert await refused(stage.open(holder, "yours")) == 403
    assert stage.sessions.asked == 0


async def test_while_postgres_is_away_a_page_opens_no_session_that_may_be_anothers(stage):
    stage.sessions.is_away = True
    name = str(uuid4())
    stage.log.write(*answer_frames("hello"), session=name)
    async with reading(stage.tail):
        for message in (uuid4(), None):
            with pytest.raises(DATABASE_ERRORS):
                await stage.open(PAGE, name, message)
        await stage.open(PAGE, name, UUID(message_id(1)))


async def test_while_postgres_is_away_generated_sessions_and_servers_sessions_go_on(stage):
    stage.sessions.is_away = True
    await stage.open(PAGE, str(uuid4()), is_named=False)
    for number in range(50):
        await stage.open(SERVER, f"s{number}")

    assert stage.sessions.asked == 1, "a known outage was tried again"


@pytest.mark.parametrize(
    "name",
    ["visitor-7", "1", "user@example.com", "00000000-0000-4000-8000-000000000007", "a" * 36,
     "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
)  # fmt: skip
async def test_a_page_may_not_name_a_guessable_session(stage, name):
    assert await refused(stage.open(PAGE, name)) == 422
    await stage.open(SERVER, name)


@pytest.mark.parametrize("form", ["{}", "visitor-{}", "{}/chat"])
def test_a_random_uuid_cannot_be_guessed(form):
    for name in (str(uuid4()), uuid4().hex, str(uuid4()).upper()):
        require_unguessable("sessionId", form.format(name))


@pytest.mark.parametrize("message", [UUID(int=7), UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")])
async def test_a_page_may_not_name_a_guessable_message_that_determines_its_session(stage, message):
    assert await refused(stage.open(PAGE, str(uuid4()), message, is_named=False)) == 422
    await stage.open(SERVER, str(uuid4()), message, is_named=False)


def test_a_page_may_name_a_session_by_its_generated_id():
    require_unguessable("sessionId", str(Tickets([b"s" * 32]).name("session", "acme", "visitor", str(uuid4()))))


async def test_a_server_gets_no_ticket_of_a_session_that_a_page_opened(stage):
    name = str(uuid4())
    session = await stage.open(PAGE, name)

    assert await refused(stage.ownership.visitor_for_ticket(session, None, "new")) == 409
    assert await refused(stage.ownership.visitor_for_ticket(session, "somebody", "new")) == 409
    assert await stage.ownership.visitor_for_ticket(
        session, stage.ownership.visitor(session), "new"
    ) == stage.ownership.visitor(session)


async def test_a_ticketed_session_stays_with_its_visitor(stage):
    session = stage.subscriptions.session("acme", "visitor-7")

    assert await stage.ownership.visitor_for_ticket(session, "a", "new") == "a"
    assert await stage.ownership.visitor_for_ticket(session, None, "new") == "a"
    assert await refused(stage.ownership.visitor_for_ticket(session, "b", "new")) == 409


async def test_a_servers_own_session_may_be_given_to_a_visitor(stage):
    session = await stage.open(SERVER, "visitor-7")

    assert await stage.ownership.visitor_for_ticket(session, None, "new") == "new"
    assert await refused(stage.ownership.visitor_for_ticket(session, "other", "x")) == 409
