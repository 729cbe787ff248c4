from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.access import Caller
from gateway.admission.tickets import Tickets
from gateway.endpoints.idempotency import MAX_KEY_CHARACTERS, identified
from gateway.web.problems import Problem
from schemas.http import ChatRequest
from stores.postgres.clients import Client

TICKETS = Tickets([b"s" * 32])
ACME, OTHER = Client("acme", "Acme", "free", ()), Client("other", "Other", "free", ())
SERVER = Caller(ACME, "secret")
PAGE = Caller(ACME, "publishable")
ID = UUID("8e03978e-40d5-43e8-bc93-6894a57f9324")


def names(*keys, caller=SERVER, tickets=TICKETS, **fields):
    """The session id and message id of a POST."""
    body = identified(ChatRequest(message="?", **fields), keys, caller, tickets)
    return body.session_id, body.message_id


def test_without_a_key_the_body_stays_as_it_is():
    assert names() == (None, None)
    assert names(session_id="s", message_id=ID) == ("s", ID)


@pytest.mark.parametrize("key", [str(ID), f'"{ID}"', f"  {ID} ", str(ID).upper()])
def test_a_key_that_is_a_uuid_names_the_message(key):
    assert names(key, session_id="s") == ("s", ID)
    assert names(key, session_id="s", caller=PAGE) == ("s", ID)


def test_a_message_id_takes_precedence_over_a_key():
    assert names(str(ID), session_id="s", message_id=ID) == ("s", ID)
    assert names("order 7", session_id="s", message_id=ID) == ("s", ID)


def test_two_names_for_two_messages_are_refused():
    with pytest.raises(Problem) as refusal:
        names(str(uuid4()), session_id="s", message_id=ID)

    assert refusal.value.status == 422


@pytest.mark.parametrize("key", ["", '""', '"open', 'a"b', "\\", "x" * (MAX_KEY_CHARACTERS + 1), "\x00"])
def test_an_invalid_key_is_refused(key):
    with pytest.raises(Problem) as refusal:
        names(key, session_id="s")

    assert refusal.value.status == 422


def test_two_keys_are_refused():
    with pytest.raises(Problem):
        names("a", "b")


def test_quotes_and_backslashes_inside_a_quoted_key_are_part_of_it():
    assert names(r'"a\"b\\"', session_id="s") != names(r'"a\"b"', session_id="s")
    assert names('"a b"', session_id="s") == names("a b", session_id="s")


def test_a_pages_key_must_be_a_uuid():
    with pytest.raises(Problem) as refusal:
        names("1", caller=PAGE, session_id="s")

    assert refusal.value.status == 422


KEYS = st.text(st.characters(codec="latin-1", exclude_categories=["C"], exclude_characters='"\\'), min_size=1).filter(
    str.strip
)
SESSIONS = st.none() | st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@given(KEYS, SESSIONS, KEYS, SESSIONS)
def test_the_same_key_is_the_same_message_and_another_is_another(key, session, other_key, other_session):
    first, again = names(key, session_id=session), names(key, session_id=session)
    other = names(other_key, session_id=other_session)

    assert first == again
    assert None not in first
    if (key.strip(), session) != (other_key.strip(), other_session):
        assert first != other


@given(KEYS)
def test_the_same_key_of_another_client_or_secret_is_another_message(key):
    assert names(key) != names(key, caller=Caller(OTHER, "secret"))
    assert names(key) != names(key, tickets=Tickets([b"t" * 32]))


def test_adjacent_name_parts_are_kept_separate():
    assert TICKETS.name("a", "bc") != TICKETS.name("ab", "c")
