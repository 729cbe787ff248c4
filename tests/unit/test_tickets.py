from datetime import UTC, datetime, timedelta

import jwt
import pytest

from gateway.tickets import ALGORITHM, AUDIENCE, LIFETIME, TicketError, Tickets

OLD, NEW = b"o" * 32, b"n" * 32


def signed(secret=NEW, algorithm=ALGORITHM, **changes):
    now = datetime.now(UTC)
    claims = {"aud": AUDIENCE, "sub": "v", "client": "acme", "session": "s", "iat": now, "exp": now + LIFETIME}
    claims = {key: value for key, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm)


def test_a_ticket_says_what_it_was_issued_for():
    encoded, ticket = Tickets([NEW]).issue("acme", "session", "visitor")

    assert Tickets([NEW]).read(encoded) == ticket
    assert (ticket.client_id, ticket.session_id, ticket.visitor_id) == ("acme", "session", "visitor")
    assert not ticket.is_due


def test_a_ticket_of_the_old_secret_is_good_while_secrets_are_rotated():
    encoded, _ = Tickets([OLD]).issue("acme", "s", "v")

    assert Tickets([NEW, OLD]).read(encoded).client_id == "acme"
    with pytest.raises(TicketError):
        Tickets([NEW]).read(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(signed(exp=datetime.now(UTC) - timedelta(seconds=1)), id="expired"),
        pytest.param(signed(exp=None), id="never ends"),
        pytest.param(signed(aud="other"), id="made for something else"),
        pytest.param(signed(session=None), id="bound to no session"),
        pytest.param(signed(secret=b"x" * 32), id="signed by somebody else"),
        pytest.param(jwt.encode({"client": "acme"}, None, "none"), id="not signed"),
        pytest.param(signed(algorithm="HS384", secret=NEW * 2), id="another algorithm"),
        pytest.param("rubbish", id="no ticket"),
        pytest.param("", id="empty"),
    ],
)
def test_no_other_ticket_opens_anything(encoded):
    with pytest.raises(TicketError):
        Tickets([NEW]).read(encoded)


def test_a_ticket_is_renewed_in_its_second_half():
    late = signed(exp=datetime.now(UTC) + LIFETIME / 3)

    assert Tickets([NEW]).read(late).is_due
