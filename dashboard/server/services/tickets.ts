/** Tickets of visitors (`docs/wire.md`, "Tickets"): JWTs that a gateway signed. */
import { createHash, createHmac } from 'node:crypto';
import { errors, jwtVerify } from 'jose';

const AUDIENCE = 'chatconnect-session';
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const CLOCK_TOLERANCE_SECONDS = 60;

export interface Visitor {
  clientId: string;
  sessionId: string;
  visitorId: string;
}

/** Reads tickets; `secrets` are the values of `INTERNAL_SECRET`. */
export class Tickets {
  readonly #keys: Uint8Array[];
  readonly #secret: string;

  constructor(secrets: string[]) {
    this.#keys = secrets.map((secret) => createHash('sha256').update(`chatconnect ticket\0${secret}`).digest());
    this.#secret = secrets[0] ?? '';
  }

  /** Whose ticket it is; null where it has expired or nobody here signed it. */
  async read(token: string): Promise<Visitor | null> {
    for (const key of this.#keys) {
      try {
        const options = { audience: AUDIENCE, algorithms: ['HS256'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
        const { payload } = await jwtVerify(token, key, options);
        const { client, session, sub } = payload as { client?: unknown; session?: unknown; sub?: string };
        if (typeof client !== 'string' || typeof session !== 'string' || sub === undefined) return null;
        return { clientId: client, sessionId: session, visitorId: sub };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return null;
  }

  /**
   * The session and visitor of a question without a ticket. A random UUID is a session that nobody else knows: its
   * visitor follows from the first question, so the same request may be repeated, and who knows the session alone is
   * another. Any other name, as "test", would be shared by all who choose it: it stands for a session of this address.
   */
  opened(
    clientId: string,
    named: string | undefined,
    messageId: string,
    address: string,
  ): { sessionId: string; visitorId: string } {
    if (named === undefined || RANDOM_UUID.test(named)) {
      const sessionId = named?.toLowerCase() ?? this.#uuid(['session', clientId, messageId]);
      return { sessionId, visitorId: this.#uuid(['visitor', clientId, sessionId, messageId]) };
    }
    const sessionId = this.#uuid(['session', clientId, named, address]);
    return { sessionId, visitorId: this.#uuid(['visitor', clientId, sessionId]) };
  }

  /** A UUID that only this system can make of these parts. */
  #uuid(parts: string[]): string {
    const digest = createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest('hex');
    const [a, b, c, d, e] = [
      digest.slice(0, 8),
      digest.slice(8, 12),
      digest.slice(13, 16),
      digest.slice(17, 20),
      digest.slice(20, 32),
    ];
    return `${a}-${b}-4${c}-a${d}-${e}`;
  }
}
