/** What was found for a question that the client itself tries out: `chat.retrieved`, for who waits for it. */
import { z } from 'zod';
import type { ChatRetrieved } from '../../shared/python-backend-types.ts';
import { TopicReader } from './topic-reader.ts';

const WAIT_MS = 15_000;
/** What is needed of a record to find who waits for it; what a trial shows is this client's own. */
const Needed = z.looseObject({ request: z.looseObject({ clientId: z.string(), messageId: z.string() }) });
const Recorded = z.custom<ChatRetrieved>((given) => Needed.safeParse(given).success);

export type Found = Pick<ChatRetrieved, 'query' | 'passages' | 'confidence' | 'retrievalMs'>;

export class Trials {
  readonly #waiting = new Map<string, (found: Found) => void>();
  readonly #reader: TopicReader<ChatRetrieved>;

  constructor(kafkaServers: string[]) {
    this.#reader = new TopicReader(kafkaServers, 'chat.retrieved', Recorded, (value) => {
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

  #take({ request, query, passages, confidence, retrievalMs }: ChatRetrieved): void {
    this.#waiting.get(`${request.clientId}\0${request.messageId}`)?.({ query, passages, confidence, retrievalMs });
  }
}
