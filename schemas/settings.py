"""The only place that reads the environment, and what `docs/configuration.md` is made from."""

from functools import cached_property
from hashlib import sha256
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET_CHARACTERS = 32
MIN_DIFFERENT_CHARACTERS = 8


def _parts(given: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in given.split(",") if part.strip())


class Settings(BaseSettings):
    """Names are the conventional ones of each part, without a prefix."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka's host:port list.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="SASL mechanism, when the protocol is a SASL one."
    )
    kafka_sasl_username: str = Field("", description="SASL user.")
    kafka_sasl_password: str = Field("", description="SASL password.")
    kafka_ssl_cafile: str | None = Field(None, description="CA bundle for Kafka's certificate; the system's if unset.")
    database_url: str = Field(
        "postgresql://postgres@127.0.0.1:5432/postgres", description="Postgres, as a libpq URL (`sslmode` works)."
    )
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="Redis; `rediss://` for TLS.")
    qdrant_url: str = Field(
        "http://127.0.0.1:6333",
        description="Qdrant's URL, or a folder's path for the embedded engine (one worker only).",
    )
    qdrant_api_key: str | None = Field(None, description="Qdrant's API key.")
    uploads_url: str = Field("file:///var/lib/chatconnect/uploads", description="Where files go: any fsspec URL.")
    host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(8080, description="Port the gateway listens on.")
    metrics_port: int = Field(9100, description="Port of the worker's `/metrics`; 0 chooses a free one.")
    internal_secret: str = Field(
        "",
        description="Shared by our own parts, at least 32 random characters; two values with a comma between them "
        "while it is rotated.",
    )
    openai_api_key: str | None = Field(None, description="Turns on OpenAI answers and embeddings.")
    openai_base_url: str = Field("https://api.openai.com/v1", description="Any OpenAI-compatible service.")
    openai_model: str = Field("gpt-4o-mini", description="Model of the free tier.")
    anthropic_api_key: str | None = Field(None, description="Turns on Anthropic answers.")
    anthropic_base_url: str = Field("https://api.anthropic.com", description="Anthropic's service.")
    anthropic_model: str = Field("claude-sonnet-4-5", description="Model of the paid tier.")
    embeddings: Literal["auto", "local", "openai"] = Field(
        "auto", description="`auto`: OpenAI's with a key, else the local model. A knowledge base keeps its choice."
    )
    ocr_languages: str = Field(
        "",
        pattern=r"^(?:[A-Za-z0-9_]+(?:\+[A-Za-z0-9_]+)*)?$",
        description="Reads scanned pages of PDFs in these languages, as Tesseract names them: `eng+deu`. Needs the "
        "extra `ocr`. Unset, such pages are left out.",
    )
    models_path: str = Field("~/.cache/chatconnect", description="Where the built local model is cached.")
    instance_id: str | None = Field(
        None, description="Stable name of this process (a pod's name): static membership in Kafka's groups."
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="`auto`: readable on a terminal.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level written.")
    demo_api_key: str | None = Field(None, description="Serves the demo page at `/` with this publishable key.")

    @field_validator("internal_secret")
    @classmethod
    def _is_hard_to_guess(cls, given: str) -> str:
        # Whoever holds one ticket can test hundreds of thousands of secrets a second on it.
        for secret in _parts(given):
            if len(secret) < MIN_SECRET_CHARACTERS or len(set(secret)) < MIN_DIFFERENT_CHARACTERS:
                raise ValueError(
                    f"a secret needs {MIN_SECRET_CHARACTERS} random characters: make one with `openssl rand -base64 32`"
                )
        return given

    @property
    def internal_secrets(self) -> tuple[str, ...]:
        """The accepted values; the first one signs."""
        return _parts(self.internal_secret)

    @cached_property
    def ticket_secrets(self) -> tuple[bytes, ...]:
        """Keys that sign tickets, derived so that one secret has to be kept; rotate together."""
        return tuple(sha256(b"chatconnect ticket\0" + secret.encode()).digest() for secret in self.internal_secrets)
