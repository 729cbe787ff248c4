/** The gateway's HTTP interface (`docs/wire.md`), called as a service of this system. */
import type { Health, TicketIssued, Validated } from '../../shared/python-backend-types.ts';

const REQUEST_MS = 2_500;

/** The gateway cannot be reached, or says that it cannot serve. `retryAfterSeconds` is its own word or 2. */
export class GatewayUnavailableError extends Error {
  override readonly name = 'GatewayUnavailableError';
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds = 2, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The gateway refused: `status` and `detail` of its problem document. */
export class GatewayRefusedError extends Error {
  override readonly name = 'GatewayRefusedError';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** The client of a key that may be used. */
export type ValidClient = Required<Omit<Validated, 'valid'>>;

/** One gateway, or a load balancer before several. */
export class Gateway {
  readonly url: string;
  readonly #secret: string;

  constructor(url: string, secret: string) {
    this.url = url;
    this.#secret = secret;
  }

  /** The client of a publishable key that is used on a page of this origin; null if there is none. */
  async validate(apiKey: string, origin: string | undefined): Promise<ValidClient | null> {
    const body = origin === undefined ? { apiKey } : { apiKey, origin };
    const found = (await this.#post('/internal/validate-client', body)) as { valid: boolean } & ValidClient;
    return found.valid ? found : null;
  }

  /** A visitor's ticket for a session. Rejects with 409 where the session is another visitor's. */
  async ticket(clientId: string, sessionId: string, visitorId: string): Promise<TicketIssued> {
    return (await this.#post('/internal/tickets', { clientId, sessionId, visitorId })) as TicketIssued;
  }

  /** The state of the backend, also when it is down. */
  async health(): Promise<Health> {
    const response = await this.#fetch('/health', {});
    return (await response.json()) as Health;
  }

  /** The events of the ticket's session, as they come. `signal` ends them. */
  async events(sessionId: string, ticket: string, signal: AbortSignal): Promise<Response> {
    const headers = { authorization: `Bearer ${ticket}`, accept: 'text/event-stream' };
    const path = `/sessions/${encodeURIComponent(sessionId)}/events`;
    const opening = new AbortController();
    const late = setTimeout(() => {
      opening.abort();
    }, REQUEST_MS);
    try {
      const response = await fetch(this.url + path, { headers, signal: AbortSignal.any([signal, opening.signal]) });
      return await refuse(response);
    } catch (error) {
      throw explained(error);
    } finally {
      clearTimeout(late);
    }
  }

  /** A call for a client, as its server. Rejects as the others do. */
  async call(clientId: string, path: string, method = 'GET', form?: FormData): Promise<unknown> {
    const body = form === undefined ? {} : { body: form };
    const response = await this.#fetch(path, { method, headers: this.serverHeaders(clientId), ...body });
    return (await refuse(response)).json();
  }

  /** What a call for a client carries. */
  serverHeaders(clientId: string): Record<string, string> {
    return { 'x-internal-secret': this.#secret, 'x-client-id': clientId };
  }

  async #post(path: string, body: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json', 'x-internal-secret': this.#secret };
    const response = await this.#fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await refuse(response)).json();
  }

  async #fetch(path: string, options: RequestInit): Promise<Response> {
    try {
      return await fetch(this.url + path, { ...options, signal: AbortSignal.timeout(REQUEST_MS) });
    } catch (error) {
      throw explained(error);
    }
  }
}

async function refuse(response: Response): Promise<Response> {
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  const detail = problem.detail ?? `The gateway answered ${String(response.status)}.`;
  if (response.status !== 429 && response.status < 500) throw new GatewayRefusedError(response.status, detail);
  throw new GatewayUnavailableError(detail, Number(response.headers.get('retry-after')) || 2);
}

function explained(error: unknown): Error {
  if (error instanceof GatewayRefusedError || error instanceof GatewayUnavailableError) return error;
  return new GatewayUnavailableError('The gateway cannot be reached.', 2, { cause: error });
}

/** The bytes of a response, as they come. */
export function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body === null) throw new GatewayUnavailableError('The gateway sent no stream.');
  return response.body as AsyncIterable<Uint8Array> & ReadableStream<Uint8Array>;
}
