/** What was found for a question that the client itself tries out: `chat.retrieved`, for who waits for it. */
import type { ChatRetrieved } from '../../shared/python-backend-types.ts';
import { TopicReader } from './topic-reader.ts';

const WAIT_MS = 15_000;

export type Found = Pick<ChatRetrieved, 'query' | 'passages' | 'confidence' | 'retrievalMs'>;

export class Trials {
  readonly #waiting = new Map<string, (found: Found) => void>();
  readonly #reader: TopicReader;

  constructor(kafkaServers: string[]) {
    this.#reader = new TopicReader(kafkaServers, 'chat.retrieved', (value) => {
      this.#take(value);
    });
  }

  /** What was found for this message; null when nothing came in time. Call it before the question is asked. */
  async found(clientId: string, messageId: string): Promise<Found | null> {
    const key = `${clientId}\0${messageId}`;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS, null);
    });
    const taken = new Promise<Found>((resolve) => {
      this.#waiting.set(key, resolve);
    });
    try {
      return await Promise.race([taken, late]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(key);
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #take(value: string): void {
    if (this.#waiting.size === 0) return;
    const { request, query, passages, confidence, retrievalMs } = JSON.parse(value) as ChatRetrieved;
    this.#waiting.get(`${request.clientId}\0${request.messageId}`)?.({ query, passages, confidence, retrievalMs });
  }
}
