"""A clock that a test moves by hand."""


class Clock:
    """Returns `now`, in seconds."""

    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now
