"""Metrics of answers, for the worker's `/metrics`. Labels never name a client: they are unbounded."""

from prometheus_client import Counter, Histogram

from schemas.events import ChatCompleted

RETRIEVAL_SECONDS = Histogram(
    "chatconnect_retrieval_seconds",
    "The search for passages, the question's vector included.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)
FIRST_TOKEN_SECONDS = Histogram(
    "chatconnect_first_token_seconds",
    "From the start of generation to the first token.",
    ["provider"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30),
)
ANSWER_SECONDS = Histogram(
    "chatconnect_answer_seconds",
    "From the start of generation to the end of the answer.",
    ["provider", "outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120),
)
ANSWERS = Counter("chatconnect_answers_total", "Ended answers.", ["outcome", "finish_reason", "provider", "model"])
TOKENS = Counter("chatconnect_tokens_total", "Tokens, by what the providers count.", ["kind", "provider", "model"])
COST_USD = Counter("chatconnect_cost_usd_total", "What the providers charge for answers.", ["provider", "model"])


def observe(record: ChatCompleted) -> None:
    """Observes one ended answer, when its ending is published for the first time."""
    RETRIEVAL_SECONDS.observe(record.retrieval_ms / 1000)
    if record.first_token_ms is not None:
        FIRST_TOKEN_SECONDS.labels(record.provider).observe(record.first_token_ms / 1000)
    ANSWER_SECONDS.labels(record.provider, record.outcome).observe(record.answer_ms / 1000)
    ANSWERS.labels(record.outcome, record.finish_reason, record.provider, record.model).inc()
    usage = record.usage
    for kind, tokens in (
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache_read", usage.cache_read_tokens),
        ("cache_write", usage.cache_write_tokens),
    ):
        TOKENS.labels(kind, record.provider, record.model).inc(tokens)
    COST_USD.labels(record.provider, record.model).inc(record.cost_usd)
