from datetime import UTC, datetime, timedelta

import jwt
import pytest

from gateway.admission.tickets import ALGORITHM, AUDIENCE, LIFETIME, TicketError, TicketExpiredError, Tickets

OLD, NEW = b"o" * 32, b"n" * 32
ODD = ("x", "2000000000", -1, 0, True, 10**30, 1e300, [1], {"a": 1}, 1.5)
NAMES = ("client", "session", "key")


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
        pytest.param(signed(exp=datetime.now(UTC) - timedelta(seconds=61)), id="expired"),
        pytest.param(signed(iat=datetime.now(UTC) + timedelta(hours=1)), id="issued in the future"),
        pytest.param(signed(nbf=datetime.now(UTC) + timedelta(hours=1)), id="not valid yet"),
        *(pytest.param(signed(exp=odd), id=f"ends at {odd!r:.20}") for odd in ODD),
        *(pytest.param(signed(iat=odd), id=f"issued at {odd!r:.20}") for odd in ODD),
        *(
            pytest.param(signed(**{name: odd}), id=f"{name} {odd!r:.20}")
            for name in NAMES
            for odd in (7, [], {}, "", "\ud800")
        ),
        *(pytest.param(signed(**{name: "x" * 9_000}), id=f"{name} is endless") for name in NAMES),
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
def test_invalid_tickets_are_refused(encoded):
    with pytest.raises(TicketError):
        Tickets([NEW]).read(encoded)


def test_a_ticket_is_renewed_in_its_second_half():
    late = signed(exp=datetime.now(UTC) + LIFETIME / 3)

    assert Tickets([NEW]).read(late).is_due


@pytest.mark.parametrize("changes", [{"iat": 55}, {"exp": -50}, {"nbf": 55}])
def test_a_small_clock_difference_is_tolerated(changes):
    late = {name: datetime.now(UTC) + timedelta(seconds=seconds) for name, seconds in changes.items()}

    assert Tickets([NEW]).read(signed(**late)).client_id == "acme"


def test_an_expired_ticket_allows_only_a_renewal_and_only_for_a_while():
    night, month = (signed(exp=datetime.now(UTC) - timedelta(days=days)) for days in (1, 30))

    assert Tickets([NEW]).read(night, is_renewal=True).session_id == "s"
    with pytest.raises(TicketExpiredError):
        Tickets([NEW]).read(night)
    with pytest.raises(TicketExpiredError):
        Tickets([NEW]).read(month, is_renewal=True)


def test_a_ticket_carries_the_key_that_it_came_from():
    encoded, _ = Tickets([NEW]).issue("acme", "s", "v", "0" * 64)

    assert Tickets([NEW]).read(encoded).key_hash == "0" * 64
