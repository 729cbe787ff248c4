"""Which secrets the environment may contain."""

from secrets import token_urlsafe

import pytest
from pydantic import ValidationError

from schemas.settings import Settings

GOOD = token_urlsafe(32)


@pytest.mark.parametrize(
    "secret", ["changeme", GOOD[:31], "ab" * 20, f"{GOOD},changeme", f"changeme,{GOOD}"], ids=range(5)
)
def test_a_secret_that_can_be_guessed_is_refused_with_a_way_to_make_one(secret):
    with pytest.raises(ValidationError, match="openssl rand -base64 32"):
        Settings(internal_secret=secret)


@pytest.mark.parametrize("secret", ["", GOOD, f"{GOOD},{token_urlsafe(32)}"], ids=range(3))
def test_a_random_secret_two_of_them_and_none_are_accepted(secret):
    assert ",".join(Settings(internal_secret=secret).internal_secrets) == secret
