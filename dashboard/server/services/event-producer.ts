/** Events to Kafka, as `docs/wire.md` ("Foreign producers") asks for: keyed, with headers, acknowledged by all replicas. */
import { compatibilityPartitioner, Producer, stringSerializers } from '@platformatic/kafka';
import type {
  ChatCancelled,
  ChatFeedback,
  ChatRequested,
  DocumentUploaded,
} from '../../shared/python-backend-types.ts';

const CONNECT_MS = 1_000;
const REQUEST_MS = 2_000;
/** The whole of a send: a caller has its answer within 3 s. */
const SEND_MS = 2_800;

export type Tier = 'free' | 'paid';

export interface Caller {
  clientId: string;
  tier: Tier;
  traceparent?: string | undefined;
}

type Sent =
  | { topic: 'chat.requested'; name: 'ChatRequested'; event: ChatRequested }
  | { topic: 'chat.cancelled'; name: 'ChatCancelled'; event: ChatCancelled }
  | { topic: 'chat.feedback'; name: 'ChatFeedback'; event: ChatFeedback }
  | { topic: 'document.uploaded'; name: 'DocumentUploaded'; event: DocumentUploaded };

/** Kafka did not acknowledge in time. The event may still be on the log; the same ids make a repetition harmless. */
export class KafkaUnavailableError extends Error {
  override readonly name = 'KafkaUnavailableError';
}

/** One idempotent producer. `close` waits for all that was sent. */
export class EventProducer {
  readonly #producer;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(servers: string[]) {
    this.#producer = new Producer({
      clientId: 'chatconnect-dashboard',
      bootstrapBrokers: servers,
      serializers: stringSerializers,
      // The partitions of aiokafka and of the Java client; the default of the package has others.
      partitioner: compatibilityPartitioner,
      idempotent: true,
      acks: -1,
      connectTimeout: CONNECT_MS,
      timeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      retries: 3,
      retryDelay: 200,
    });
  }

  /** Resolves when all replicas have it. Rejects with `KafkaUnavailableError`. */
  async send(sent: Sent, caller: Caller): Promise<void> {
    const key = 'documentId' in sent.event ? sent.event.documentId : sent.event.sessionId;
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'event-type': sent.name,
      'client-id': caller.clientId,
      'client-tier': caller.tier,
    };
    if (caller.traceparent !== undefined) headers['traceparent'] = caller.traceparent;
    const message = { topic: sent.topic, key, value: JSON.stringify(sent.event), headers };
    await this.#acknowledged(this.#producer.send({ messages: [message], acks: -1 }));
  }

  /** Awaits everything that was sent, then ends the connections. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#producer.close();
  }

  async #acknowledged(sending: Promise<unknown>): Promise<void> {
    this.#pending.add(sending);
    const done = () => this.#pending.delete(sending);
    sending.then(done, done);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no acknowledgement within ${String(SEND_MS)} ms`));
      }, SEND_MS);
    });
    try {
      await Promise.race([sending, late]);
    } catch (error) {
      throw new KafkaUnavailableError('Kafka did not take the event.', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
