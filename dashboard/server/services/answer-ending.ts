/** Finds the end of one answer in the bytes of an event stream. */
import { createParser } from 'eventsource-parser';

const ENDINGS = new Set(['completed', 'failed', 'cancelled']);

/** Fed with a stream's bytes in their order. */
export class AnswerEnding {
  readonly #messageId: string;
  readonly #decoder = new TextDecoder();
  readonly #parser;
  #isOver = false;

  constructor(messageId: string) {
    this.#messageId = messageId;
    this.#parser = createParser({
      onEvent: ({ event, data }) => {
        this.#isOver ||= this.#ends(event ?? '', data);
      },
    });
  }

  /** Whether the answer has ended with these bytes or earlier ones. */
  isIn(bytes: Uint8Array): boolean {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    return this.#isOver;
  }

  #ends(event: string, data: string): boolean {
    if (!ENDINGS.has(event) && event !== 'snapshot') return false;
    const told = JSON.parse(data) as { messageId?: string; state?: string };
    return told.messageId === this.#messageId && (event !== 'snapshot' || ENDINGS.has(told.state ?? ''));
  }
}
