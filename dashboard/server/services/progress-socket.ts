/** A document's progress to the browsers of its client, by WebSocket: first where each stands, then what happens. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { callerFor, refuseOtherSites, signedIn } from '../access.ts';
import { Problem } from '../problems.ts';
import type { DocumentProgress, DocumentView } from '../../shared/python-backend-types.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { DocumentProcessor } from './document-processor.ts';
import { TopicReader } from './topic-reader.ts';

export const PATH = '/api/dashboard/progress';
const HEARTBEAT_MS = 20_000;
const MAX_MESSAGE_BYTES = 1_024;
/** A browser that reads no more than this behind is let go: it comes back and gets the state. */
const MAX_BEHIND_BYTES = 1_000_000;
const MAX_SOCKETS = 1_000;

/** What is needed of a record; the rest goes on to browsers, which show what they know. */
const Needed = z.looseObject({ clientId: z.string(), documentId: z.string(), version: z.int(), status: z.string() });
const Recorded = z.custom<DocumentProgress>((given) => Needed.safeParse(given).success);

/** What a browser gets: a part of the document's row, under its id. */
export type Progress = Pick<
  DocumentView,
  'id' | 'version' | 'status' | 'stage' | 'progress' | 'currentStep' | 'reason' | 'retryable' | 'chunks' | 'warnings'
>;

export class ProgressSockets {
  readonly #accounts: Accounts;
  readonly #documents: DocumentProcessor;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  readonly #clients = new Map<WebSocket, string>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #reader: TopicReader<DocumentProgress>;

  constructor(kafkaServers: string[], accounts: Accounts, documents: DocumentProcessor) {
    this.#accounts = accounts;
    this.#documents = documents;
    this.#reader = new TopicReader(kafkaServers, 'document.progress', Recorded, (value) => {
      this.#pass(value);
    });
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, HEARTBEAT_MS);
  }

  /** Takes the upgrades of `PATH`. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      this.#open(request, socket, head).catch((error: unknown) => {
        const status = error instanceof Problem ? error.status : 503;
        socket.end(`HTTP/1.1 ${String(status)} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      });
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    for (const socket of this.#sockets.clients) socket.close(1001, 'restarting');
    await this.#reader.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  async #open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://dashboard');
    if (url.pathname !== PATH) throw new Problem(404, 'There is nothing to connect to.');
    if (this.#sockets.clients.size >= MAX_SOCKETS) throw new Problem(503, 'Too many browsers are connected.');
    refuseOtherSites({ method: 'GET', headers: request.headers }, true);
    const user = await signedIn(request.headers.cookie, this.#accounts);
    const { clientId } = await callerFor(user, url.searchParams.get('client') ?? undefined, this.#accounts);
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      void this.#welcome(opened, clientId);
    });
  }

  async #welcome(socket: WebSocket, clientId: string): Promise<void> {
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    socket.on('error', () => {
      socket.terminate();
    });
    socket.on('close', () => this.#clients.delete(socket));
    // What happens while the state is read is sent as well: a browser keeps the newer of two versions.
    this.#clients.set(socket, clientId);
    try {
      const documents = await this.#documents.list(clientId);
      socket.send(JSON.stringify({ type: 'state', documents }));
    } catch {
      socket.close(1013, 'the state cannot be read');
    }
  }

  #pass({ clientId, documentId, at: _at, ...rest }: DocumentProgress): void {
    const text = JSON.stringify({ type: 'progress', document: { id: documentId, ...rest } satisfies Progress });
    for (const [socket, client] of this.#clients) {
      if (client !== clientId || socket.readyState !== WebSocket.OPEN) continue;
      if (socket.bufferedAmount > MAX_BEHIND_BYTES) socket.terminate();
      else socket.send(text);
    }
  }

  #beat(): void {
    for (const socket of this.#sockets.clients) {
      if (!this.#alive.has(socket)) {
        socket.terminate();
        continue;
      }
      this.#alive.delete(socket);
      socket.ping();
    }
  }
}
