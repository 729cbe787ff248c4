/** The Express application: its routes, and what is around them. */
import express from 'express';
import type { Express } from 'express';
import { Problem, problemHandler } from './problems.ts';
import { widgetRoutes } from './routes/widget-routes.ts';
import type { WidgetParts } from './routes/widget-routes.ts';

const BODY_BYTES = '160kb';

/** Everything is injected: a test gives other parts. */
export function createApp(parts: WidgetParts, trustedProxies: string[]): Express {
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
  app.use('/api/widget', cors, express.json({ limit: BODY_BYTES }), widgetRoutes(parts));
  app.use((request) => {
    throw new Problem(404, `There is no ${request.method} ${request.path}.`);
  });
  app.use(problemHandler);
  return app;
}

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
