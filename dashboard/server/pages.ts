/** The built pages: one document for every path, assets whose names change with their content. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { Problem } from './problems.ts';

const FOLDER = fileURLToPath(new URL('../dist', import.meta.url));
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function pages(): Router {
  const router = Router();
  router.use('/assets', express.static(`${FOLDER}/assets`, { immutable: true, maxAge: '1y', index: false }));
  router.get('/{*path}', (request, response, next) => {
    if (request.path.startsWith('/api/') || request.path.startsWith('/assets/')) {
      next();
      return;
    }
    if (!existsSync(`${FOLDER}/index.html`)) throw new Problem(503, 'The pages are not built yet: `npm run build`.');
    response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
    response.sendFile('index.html', { root: FOLDER, cacheControl: false });
  });
  return router;
}
