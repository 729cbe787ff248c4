"""Every route on one screen, with its authentication and rate limit."""

from gateway.admission.rate_limits import (
    ACTIONS,
    EVENTS,
    INTERNAL,
    KNOWLEDGE,
    PROBES,
    PUBLIC,
    QUESTIONS,
    READS,
    RENEWALS,
)
from gateway.endpoints import actions, chat, demo, documents, health, internal, sessions
from gateway.endpoints.guard import GuardedRoute as Guarded
from gateway.openapi import document
from gateway.web import metrics

ROUTES = [
    Guarded("/", demo.page, PUBLIC),
    Guarded("/chat", chat.chat, QUESTIONS, method="POST"),
    Guarded("/chat/stream", chat.chat_stream, QUESTIONS, method="POST"),
    Guarded("/chat/{message_id}/cancel", actions.cancel, ACTIONS, method="POST"),
    Guarded("/chat/{message_id}/feedback", actions.feedback, ACTIONS, method="POST"),
    Guarded("/sessions/{session_id:any}/events", sessions.events, EVENTS),
    Guarded("/sessions/{session_id:any}/messages", sessions.messages, READS),
    Guarded("/sessions/{session_id:any}/ticket", sessions.renew_ticket, RENEWALS, method="POST"),
    Guarded("/process-document", documents.process, KNOWLEDGE, method="POST"),
    Guarded("/documents", documents.index, KNOWLEDGE),
    Guarded("/documents/{document_id}", documents.show, KNOWLEDGE),
    Guarded("/documents/{document_id}", documents.delete, KNOWLEDGE, method="DELETE"),
    Guarded("/documents/{document_id}/status", documents.status, KNOWLEDGE),
    Guarded("/documents/{document_id}/events", documents.events, KNOWLEDGE),
    Guarded("/documents/{document_id}/retry", documents.retry, KNOWLEDGE, method="POST"),
    Guarded("/internal/validate-client", internal.validate_client, INTERNAL, method="POST"),
    Guarded("/internal/tickets", internal.issue_ticket, INTERNAL, method="POST"),
    Guarded("/openapi.json", document.show, PUBLIC),
    Guarded("/health", health.health, PUBLIC),
    Guarded("/health/live", health.live, PROBES),
    Guarded("/health/ready", health.ready, PROBES),
    Guarded("/metrics", metrics.metrics, PUBLIC),
]
