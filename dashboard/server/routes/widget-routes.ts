/** What the widget on a client's site calls (`/api/widget/…`), with the client's publishable key in `x-api-key`. */
import { once } from 'node:events';
import { Router } from 'express';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { questionLimit, readLimit } from '../limits.ts';
import { Problem } from '../problems.ts';
import { bodyOf } from '../services/gateway.ts';
import type { Gateway, ValidClient } from '../services/gateway.ts';
import type { PythonBackend, Question } from '../services/python-backend.ts';
import { AnswerEvents } from '../services/answer-events.ts';
import type { Tickets } from '../services/tickets.ts';

const ChatBody = z.object({
  message: z.string().trim().min(1).max(8_000),
  sessionId: z.string().min(1).max(128).optional(),
  messageId: z.uuid().optional(),
  widgetId: z.string().max(64).optional(),
  locale: z.string().max(35).optional(),
  context: z.object({ url: z.string().max(2_000).optional() }).optional(),
});

export interface WidgetParts {
  gateway: Gateway;
  backend: PythonBackend;
  tickets: Tickets;
}

interface Asked {
  client: ValidClient;
  question: Question;
}

/** `/config`, `/chat`, `/chat/stream`, `/health`. */
export function widgetRoutes(parts: WidgetParts): Router {
  const router = Router();
  const questions = questionLimit();
  router.get('/config', readLimit(), async (request, response) => {
    const client = await clientOf(request, parts.gateway);
    response.set('Cache-Control', 'private, max-age=60').json({ ...client.widget, gatewayUrl: parts.gateway.url });
  });
  router.get('/health', readLimit(), async (_request, response) => {
    const health = await parts.backend.health();
    response.status(health.status === 'down' ? 503 : 200).json({ status: health.status, backend: health });
  });
  router.post('/chat', questions, async (request, response) => {
    const { client, question } = await asked(request, parts);
    response.json(await parts.backend.sendChatMessage(question, callerOf(client, request)));
  });
  router.post('/chat/stream', questions, async (request, response) => {
    const { client, question } = await asked(request, parts);
    if (request.accepts(['text/event-stream', 'json']) === 'text/event-stream') {
      await proxied(parts.backend, question, client, request, response);
      return;
    }
    await parts.backend.ask(question, callerOf(client, request));
    const { messageId, sessionId, ticket } = question;
    const streamUrl = `${parts.gateway.url}/sessions/${encodeURIComponent(sessionId)}/events`;
    response.status(202).json({ messageId, sessionId, ticket, streamUrl });
  });
  return router;
}

/** Passes the session's events on, byte by byte, until the answer has ended or the visitor has left. */
async function proxied(
  backend: PythonBackend,
  question: Question,
  client: ValidClient,
  request: Request,
  response: Response,
): Promise<void> {
  const left = new AbortController();
  response.on('close', () => {
    left.abort();
  });
  const stream = await backend.streamChatMessage(question, callerOf(client, request), left.signal);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  const events = new AnswerEvents(question.messageId);
  try {
    for await (const bytes of bodyOf(stream)) {
      if (!response.write(bytes)) await once(response, 'drain', { signal: left.signal });
      if (events.in(bytes).some(({ ending }) => ending !== undefined)) break;
    }
  } catch (error) {
    if (!left.signal.aborted) throw error;
  } finally {
    left.abort();
    response.end();
  }
}

async function asked(request: Request, parts: WidgetParts): Promise<Asked> {
  const client = await clientOf(request, parts.gateway);
  const parsed = ChatBody.safeParse(request.body);
  if (!parsed.success) throw new Problem(422, z.prettifyError(parsed.error));
  const body = parsed.data;
  const messageId = body.messageId?.toLowerCase() ?? crypto.randomUUID();
  const { sessionId, ticket } = await sessionOf(request, body.sessionId, messageId, client, parts);
  const question = {
    message: body.message,
    messageId,
    sessionId,
    ticket,
    widgetId: body.widgetId ?? client.widget.widgetId,
    locale: body.locale,
    pageUrl: body.context?.url,
  };
  return { client, question };
}

/** The ticket's session for who shows one; else the one that the page names, if it is new or this visitor's own. */
async function sessionOf(
  request: Request,
  named: string | undefined,
  messageId: string,
  client: ValidClient,
  parts: WidgetParts,
): Promise<{ sessionId: string; ticket: string }> {
  const [scheme, token] = (request.get('authorization') ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined) {
    const visitor = await parts.tickets.read(token);
    if (visitor?.clientId !== client.clientId) throw new Problem(401, 'The ticket has expired or is invalid.');
    return { sessionId: visitor.sessionId, ticket: token };
  }
  const { sessionId, visitorId } = parts.tickets.opened(client.clientId, named, messageId, request.ip ?? '');
  const { ticket } = await parts.gateway.ticket(client.clientId, sessionId, visitorId);
  return { sessionId, ticket };
}

async function clientOf(request: Request, gateway: Gateway): Promise<ValidClient> {
  const key = request.get('x-api-key');
  if (!key) throw new Problem(401, 'Send the publishable key of your widget as x-api-key.');
  const client = await gateway.validate(key, request.get('origin'));
  if (client === null) throw new Problem(401, 'The key is unknown, or not allowed on this site.');
  return client;
}

function callerOf(client: ValidClient, request: Request) {
  return { clientId: client.clientId, tier: client.tier, traceparent: request.get('traceparent') };
}
