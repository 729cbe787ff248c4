"""Every path on one screen."""

from starlette.routing import Route

from gateway import chat, demo, documents, health, internal, metrics, openapi, sessions

ROUTES = [
    Route("/", demo.page),
    Route("/chat", chat.chat, methods=["POST"]),
    Route("/chat/stream", chat.chat_stream, methods=["POST"]),
    Route("/chat/{message_id}/cancel", chat.cancel, methods=["POST"]),
    Route("/chat/{message_id}/feedback", chat.feedback, methods=["POST"]),
    # A session id may hold a slash.
    Route("/sessions/{session_id:path}/events", sessions.events),
    Route("/sessions/{session_id:path}/messages", sessions.messages),
    Route("/sessions/{session_id:path}/ticket", sessions.renew_ticket, methods=["POST"]),
    Route("/process-document", documents.process, methods=["POST"]),
    Route("/documents", documents.index),
    Route("/documents/{document_id}", documents.show),
    Route("/documents/{document_id}", documents.delete, methods=["DELETE"]),
    Route("/documents/{document_id}/status", documents.status),
    Route("/documents/{document_id}/events", documents.events),
    Route("/documents/{document_id}/retry", documents.retry, methods=["POST"]),
    Route("/internal/validate-client", internal.validate_client, methods=["POST"]),
    Route("/internal/tickets", internal.issue_ticket, methods=["POST"]),
    Route("/openapi.json", openapi.show),
    Route("/health", health.health),
    Route("/health/live", health.live),
    Route("/health/ready", health.ready),
    Route("/metrics", metrics.metrics),
]
