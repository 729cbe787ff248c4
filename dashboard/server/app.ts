/** The Express application: its routes, and what is around them. */
import compression from 'compression';
import express from 'express';
import type { Express } from 'express';
import { guarded } from './access.ts';
import type { Route } from './access.ts';
import { passwordLimit, questionLimit } from './limits.ts';
import { pages } from './pages.ts';
import { Problem, problemHandler } from './problems.ts';
import { accountRoutes } from './routes/account-routes.ts';
import type { AccountParts } from './routes/account-routes.ts';
import { conversationRoutes } from './routes/conversation-routes.ts';
import type { ConversationParts } from './routes/conversation-routes.ts';
import { documentRoutes } from './routes/document-routes.ts';
import { settingsRoutes } from './routes/settings-routes.ts';
import type { SettingsParts } from './routes/settings-routes.ts';
import { trialRoutes } from './routes/trial-routes.ts';
import { widgetRoutes } from './routes/widget-routes.ts';
import type { WidgetParts } from './routes/widget-routes.ts';
import type { DocumentProcessor } from './services/document-processor.ts';
import type { Trials } from './services/trials.ts';

const BODY_BYTES = '160kb';
/** A body that comes in drops may not hold a connection. Uploads have `server.requestTimeout`. */
const BODY_MS = 30_000;

export interface Parts extends WidgetParts, AccountParts, ConversationParts, SettingsParts {
  documents: DocumentProcessor;
  trials: Trials;
}

/** Every route of the dashboard, with who may call it. */
export const dashboardRoutes = (parts: Parts): Route[] => [
  ...accountRoutes(parts),
  ...documentRoutes(parts.documents),
  ...conversationRoutes(parts),
  ...settingsRoutes(parts),
  ...trialRoutes(parts.backend, parts.gateway, parts.trials),
];

/** Everything is injected: a test gives other parts. */
export function createApp(parts: Parts, trustedProxies: string[]): Express {
  const app = express();
  app.set('trust proxy', trustedProxies);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use((_request, response, next) => {
    response.set({
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
    next();
  });
  app.get('/health/live', (_request, response) => {
    response.type('text').send('ok\n');
  });
  app.use('/api/widget', cors, inTime, express.json({ limit: BODY_BYTES }), widgetRoutes(parts));
  const tried = ['/setup', '/sign-in', '/password', '/password/forgot', '/password/reset', '/invitations/accept'];
  app.post(
    tried.map((path) => `/api/dashboard${path}`),
    passwordLimit(),
  );
  app.post('/api/dashboard/trials', questionLimit());
  const json = [compression(), inTime, express.json({ limit: BODY_BYTES })];
  app.use('/api/dashboard', json, guarded(dashboardRoutes(parts), parts.accounts, parts.audit));
  app.use(compression(), pages());
  app.use((request) => {
    throw new Problem(404, `There is no ${request.method} ${request.path}.`);
  });
  app.use(problemHandler);
  return app;
}

const inTime: express.RequestHandler = (request, _response, next) => {
  if (request.is('application/json') === 'application/json') {
    const late = setTimeout(() => request.destroy(), BODY_MS);
    const stop = () => {
      clearTimeout(late);
    };
    request.once('end', stop).once('close', stop);
  }
  next();
};

/** Any page may call; which one may chat is decided by its key and origin. */
const cors: express.RequestHandler = (request, response, next) => {
  response.set({ 'Access-Control-Allow-Origin': request.get('origin') ?? '*', Vary: 'Origin' });
  response.set('Access-Control-Expose-Headers', 'RateLimit, RateLimit-Policy, Retry-After');
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set({
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': 'content-type, x-api-key, traceparent, last-event-id',
    'Access-Control-Max-Age': '7200',
  });
  response.sendStatus(204);
};
