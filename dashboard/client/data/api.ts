/** The dashboard's HTTP interface. */

/** The server's own words for a refusal. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.status = status;
  }
}

const BASE = '/api/dashboard';
const AWAY = 'The server cannot be reached: check your connection, then try again.';
const DEADLINE_MS = 120_000;

let clientId: string | undefined;

/** For which client all further calls are. */
export function callFor(chosen: string | undefined): void {
  clientId = chosen;
}

export const addressOf = (path: string): string => {
  if (clientId === undefined) return BASE + path;
  return `${BASE}${path}${path.includes('?') ? '&' : '?'}client=${encodeURIComponent(clientId)}`;
};

/** Rejects with `Refusal`. */
export async function call<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (clientId !== undefined) headers['x-client-id'] = clientId;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await fetch(BASE + path, { method, headers, signal, ...sent }).catch((error: unknown) => {
    throw new Refusal(503, AWAY, { cause: error });
  });
  if (!response.ok) throw await refusalOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  return new Refusal(response.status, problem.detail ?? `The server answered ${String(response.status)}.`);
}
