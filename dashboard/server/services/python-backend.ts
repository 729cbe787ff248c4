/** The Python half, as the routes use it: questions go to Kafka, answers come from the gateway. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ChatReply, ChatRequested, Health, Source, Usage } from '../../shared/python-backend-types.ts';
import { AnswerEvents } from './answer-events.ts';
import type { EventProducer, Caller } from './event-producer.ts';
import { bodyOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';

const ANSWER_MS = 90_000;

export interface Question {
  message: string;
  sessionId: string;
  /** Of the visitor whose session it is. */
  ticket: string;
  /** The same id again is answered once. */
  messageId: string;
  widgetId?: string | undefined;
  locale?: string | undefined;
  pageUrl?: string | undefined;
  /** Tried out by the client itself: no conversation, no usage. */
  trial?: boolean;
}

/** The answer ended as failed: the message is for the visitor. */
export class AnswerFailedError extends Error {
  override readonly name = 'AnswerFailedError';
}

/** The answer did not end in time. It goes on, and the session's stream has it. */
export class AnswerLateError extends Error {
  override readonly name = 'AnswerLateError';
}

/** One backend. Its parts are closed by whoever made them. */
export class PythonBackend {
  readonly #events: EventProducer;
  readonly #gateway: Gateway;

  constructor(events: EventProducer, gateway: Gateway) {
    this.#events = events;
    this.#gateway = gateway;
  }

  /** Whether questions can be answered now. */
  async isAvailable(): Promise<boolean> {
    return this.health().then(
      (health) => health.status !== 'down',
      () => false,
    );
  }

  health(): Promise<Health> {
    return this.#gateway.health();
  }

  /** Puts a question on the log. */
  async ask(question: Question, caller: Caller): Promise<void> {
    const event: ChatRequested = {
      clientId: caller.clientId,
      messageId: question.messageId,
      sessionId: question.sessionId,
      text: question.message,
      requestedAt: new Date().toISOString(),
      trial: question.trial ?? false,
      ...(question.widgetId === undefined ? {} : { widgetId: question.widgetId }),
      ...(question.locale === undefined ? {} : { locale: question.locale }),
      ...(question.pageUrl === undefined ? {} : { pageUrl: question.pageUrl }),
    };
    await this.#events.send({ topic: 'chat.requested', name: 'ChatRequested', event }, caller);
  }

  /** Asks and waits for the whole answer. Rejects with `AnswerFailedError` and `AnswerLateError`. */
  async sendChatMessage(question: Question, caller: Caller): Promise<ChatReply> {
    const ended = new AbortController();
    const stream = await this.#gateway.events(question.sessionId, question.ticket, ended.signal);
    try {
      const reading = readAnswer(stream, question);
      reading.catch(() => undefined);
      await this.ask(question, caller);
      return await Promise.race([reading, late(ended.signal)]);
    } finally {
      ended.abort();
    }
  }

  /** Asks and passes on the session's events as they come; the caller reads until the answer has ended. */
  async streamChatMessage(question: Question, caller: Caller, signal: AbortSignal): Promise<Response> {
    const stream = await this.#gateway.events(question.sessionId, question.ticket, signal);
    await this.ask(question, caller);
    return stream;
  }

  /** Asks the workers to stop an answer. */
  async cancel(messageId: string, sessionId: string, caller: Caller): Promise<void> {
    const event = { clientId: caller.clientId, messageId, sessionId, cancelledAt: new Date().toISOString() };
    await this.#events.send({ topic: 'chat.cancelled', name: 'ChatCancelled', event }, caller);
  }

  /** Rates an answer. The last rating counts. */
  async rate(
    messageId: string,
    sessionId: string,
    rating: 'up' | 'down',
    comment: string | undefined,
    caller: Caller,
  ): Promise<void> {
    const ratedAt = new Date().toISOString();
    const told = comment === undefined ? {} : { comment };
    const event = { clientId: caller.clientId, messageId, sessionId, rating, ratedAt, ...told };
    await this.#events.send({ topic: 'chat.feedback', name: 'ChatFeedback', event }, caller);
  }
}

async function late(signal: AbortSignal): Promise<never> {
  await pause(ANSWER_MS, undefined, { signal });
  throw new AnswerLateError('The answer takes longer than usual; it goes on.');
}

/** A snapshot says nothing of it. */
const UNKNOWN_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: true,
};

/** Folds the events of one answer; a higher attempt makes what came before void. */
async function readAnswer(stream: Response, { messageId, sessionId }: Question): Promise<ChatReply> {
  const events = new AnswerEvents(messageId);
  let [attempt, reply, model] = [0, '', ''];
  let sources: Source[] = [];
  for await (const bytes of bodyOf(stream)) {
    for (const { name, data, ending } of events.in(bytes)) {
      if (data.attempt > attempt || name === 'snapshot') [attempt, reply, sources] = [data.attempt, '', []];
      reply += data.text ?? '';
      sources = data.sources ?? sources;
      model = data.model ?? model;
      if (ending === 'failed') throw new AnswerFailedError(data.message ?? 'The answer failed.');
      if (ending !== undefined) {
        const finishReason = ending === 'cancelled' ? ending : (data.finishReason ?? 'stop');
        return { messageId, sessionId, reply, sources, finishReason, model, usage: data.usage ?? UNKNOWN_USAGE };
      }
    }
  }
  throw new AnswerLateError('The stream ended before the answer; it goes on.');
}
