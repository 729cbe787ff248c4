/** The live end of a topic, without a group's memory: for what is shown while it happens. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, MessagesStreamFallbackModes, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import type { z } from 'zod';

const REQUEST_MS = 3_000;
const AGAIN_MS = 1_000;

/**
 * Calls `take` with each new value of this shape; others, which anybody may have written, are passed over. Begun again
 * after every failure, until `close`.
 */
export class TopicReader<T> {
  readonly #servers: string[];
  readonly #topic: string;
  readonly #shape: z.ZodType<T>;
  readonly #take: (value: T) => void;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(servers: string[], topic: string, shape: z.ZodType<T>, take: (value: T) => void) {
    this.#servers = servers;
    this.#topic = topic;
    this.#shape = shape;
    this.#take = take;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#read().catch((error: unknown) => {
        if (!signal.aborted) console.error(`${this.#topic} cannot be read: ${String(error)}`);
      });
      await pause(AGAIN_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  #pass(value: string | undefined): void {
    const parsed = this.#shape.safeParse(json(value));
    if (parsed.success) this.#take(parsed.data);
  }

  async #read(): Promise<void> {
    const consumer = new Consumer({
      groupId: `dashboard-${randomUUID()}`,
      clientId: 'chatconnect-dashboard',
      bootstrapBrokers: this.#servers,
      deserializers: stringDeserializers,
      connectTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS * 10,
      maxWaitTime: 500,
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      retries: 3,
    });
    try {
      const stream = await consumer.consume({
        topics: [this.#topic],
        mode: MessagesStreamModes.LATEST,
        fallbackMode: MessagesStreamFallbackModes.LATEST,
        autocommit: false,
      });
      const end = () => void stream.close();
      this.#closing.signal.addEventListener('abort', end, { once: true });
      if (this.#closing.signal.aborted) end();
      for await (const { value } of stream) this.#pass(value);
    } finally {
      await consumer.close(true);
    }
  }
}

function json(value: string | undefined): unknown {
  try {
    return JSON.parse(value ?? 'null');
  } catch {
    return null;
  }
}
