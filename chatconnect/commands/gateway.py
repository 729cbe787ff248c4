"""`chatconnect gateway`: HTTP in, SSE out."""

from chatconnect import logs
from schemas.settings import Settings


def gateway() -> None:
    """Run one gateway against the parts that the environment names."""
    from gateway.server import serve

    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    serve(settings)
