/**
 * Documents go to the Python half through the gateway: it is the one that knows the formats, stores the file, gives the
 * version and produces `document.uploaded`, for this dashboard as for `chatconnect ingest` and for clients' servers.
 */
import { once } from 'node:events';
import { request as http } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  DocumentAccepted,
  DocumentList,
  DocumentProgressView,
  DocumentView,
} from '../../shared/python-backend-types.ts';
import { GatewayUnavailableError } from './gateway.ts';
import type { Gateway } from './gateway.ts';

const IDLE_MS = 60_000;
const LISTED = 1_000;

export interface Answer {
  status: number;
  body: Buffer;
}

export class DocumentProcessor {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /**
   * Passes a multipart body on as it comes, in the memory of one buffer, and returns the gateway's answer, which may be
   * a refusal that comes before the end of the body. Rejects with `GatewayUnavailableError`.
   */
  async upload(clientId: string, source: Readable, headers: Record<string, string | undefined>): Promise<Answer> {
    const url = new URL(`${this.#gateway.url}/process-document`);
    const sent = Object.entries({ ...headers, ...this.#gateway.serverHeaders(clientId) });
    const upstream = (url.protocol === 'https:' ? https : http)(url, {
      method: 'POST',
      headers: Object.fromEntries(sent.filter(([, value]) => value !== undefined)),
      timeout: IDLE_MS,
    });
    upstream.on('timeout', () => upstream.destroy(new Error('the gateway is silent')));
    const answered = once(upstream, 'response');
    const passed = pipeline(source, upstream);
    passed.catch(() => undefined);
    try {
      // A refusal ends the upload before its body does.
      const [response] = (await answered) as [IncomingMessage];
      const body = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
      return { status: response.statusCode ?? 502, body };
    } catch (error) {
      throw new GatewayUnavailableError('The upload could not be passed on: try again.', 2, { cause: error });
    } finally {
      upstream.destroy();
    }
  }

  /** A small form of our own. */
  async put(clientId: string, form: FormData): Promise<DocumentAccepted> {
    return (await this.#gateway.call(clientId, '/process-document', 'POST', form)) as DocumentAccepted;
  }

  async list(clientId: string): Promise<DocumentView[]> {
    const found = (await this.#gateway.call(clientId, `/documents?limit=${String(LISTED)}`)) as DocumentList;
    return found.documents;
  }

  async show(clientId: string, documentId: string): Promise<DocumentView> {
    return (await this.#gateway.call(clientId, path(documentId))) as DocumentView;
  }

  async status(clientId: string, documentId: string): Promise<DocumentProgressView> {
    return (await this.#gateway.call(clientId, `${path(documentId)}/status`)) as DocumentProgressView;
  }

  async retry(clientId: string, documentId: string): Promise<DocumentAccepted> {
    return (await this.#gateway.call(clientId, `${path(documentId)}/retry`, 'POST')) as DocumentAccepted;
  }

  async delete(clientId: string, documentId: string): Promise<DocumentAccepted> {
    return (await this.#gateway.call(clientId, path(documentId), 'DELETE')) as DocumentAccepted;
  }
}

const path = (documentId: string): string => `/documents/${encodeURIComponent(documentId)}`;
