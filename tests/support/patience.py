"""How long a test waits for an expected event: long enough for a busy machine; a passing test never waits so long.

It is below pytest's timeout for a whole test, so that the failure names the wait. A deadline that a test itself
checks is written in that test.
"""

SECONDS = 60
