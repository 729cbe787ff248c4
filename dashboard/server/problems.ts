/** Errors as problem documents (RFC 9457), with the slugs of `docs/wire.md`. */
import type { NextFunction, Request, Response } from 'express';
import { isAway } from './services/database.ts';
import { KafkaUnavailableError } from './services/event-producer.ts';
import { GatewayRefusedError, GatewayUnavailableError } from './services/gateway.ts';
import { AnswerFailedError, AnswerLateError } from './services/python-backend.ts';

const SLUGS: Record<number, string> = {
  400: 'bad-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported-media-type',
  422: 'invalid',
  429: 'rate-limited',
  500: 'internal',
  502: 'answer-failed',
  503: 'unavailable',
};
const RETRY_AFTER_SECONDS = 2;

/** Ends a request with this status and sentence. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The last handler of the application: every error becomes a problem document. */
export function problemHandler(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const problem = problemOf(error);
  if (problem.status === 500) console.error(error);
  if (problem.retryAfterSeconds !== undefined) response.set('Retry-After', String(problem.retryAfterSeconds));
  const slug = SLUGS[problem.status] ?? 'error';
  response
    .status(problem.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:chatconnect:problem:${slug}`,
        title: slug,
        status: problem.status,
        detail: problem.message,
      }),
    );
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof GatewayRefusedError) return new Problem(error.status, error.message);
  if (error instanceof GatewayUnavailableError) return new Problem(503, error.message, error.retryAfterSeconds);
  if (error instanceof KafkaUnavailableError) return new Problem(503, error.message, RETRY_AFTER_SECONDS);
  if (isAway(error)) return new Problem(503, 'Postgres cannot be reached.', RETRY_AFTER_SECONDS);
  if (error instanceof AnswerLateError) return new Problem(503, error.message, 5);
  if (error instanceof AnswerFailedError) return new Problem(502, error.message);
  if (isBodyError(error)) return new Problem(error.status, error.message);
  return new Problem(500, 'Something went wrong here; it is logged.');
}

/** What express.json() throws: malformed, too large, of an unknown charset. */
function isBodyError(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'type' in error && 'status' in error && typeof error.status === 'number';
}
