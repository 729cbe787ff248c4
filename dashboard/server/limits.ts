/** How often one address may ask, as at the gateway (`docs/wire.md`, "Rate limits"). Each process counts alone. */
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { RequestHandler } from 'express';
import { Problem } from './problems.ts';

const WINDOW_MS = 60_000;
const QUESTIONS = 60;
const READS = 300;
const PASSWORDS = 20;

/** Questions cost the client money, whoever sends them. */
export const questionLimit = (): RequestHandler => limit('address', QUESTIONS);

/** Configuration and health. */
export const readLimit = (): RequestHandler => limit('public', READS);

/** What tries a password, a token or an address: each try costs 20 ms of argon2id, and a guesser needs many. */
export const passwordLimit = (): RequestHandler => limit('password', PASSWORDS);

function limit(identifier: string, requests: number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: requests,
    identifier,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => ipKeyGenerator(request.ip ?? '', 64),
    handler: (_request, response) => {
      const seconds = Number(response.getHeader('Retry-After')) || WINDOW_MS / 1_000;
      throw new Problem(429, 'Too many requests from this address: try again later.', seconds);
    },
  });
}
