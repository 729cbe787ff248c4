"""How long a test waits for what must come: a busy machine is no failure, and a test that passes never waits so long.

It is below the limit that pytest has for a whole test, so that the wait itself is what is named. A deadline that is the
claim of a test stands in the test.
"""

SECONDS = 60
