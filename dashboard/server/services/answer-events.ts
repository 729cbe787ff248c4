/** The events of one answer in a session's stream: what came before is not taken twice (`docs/wire.md`, "Reading algorithm"). */
import { createParser } from 'eventsource-parser';
import type { ChatReply, Snapshot, Source, Usage } from '../../shared/python-backend-types.ts';

const ENDINGS = ['completed', 'failed', 'cancelled'];

/** The data of an event that names a message. */
export interface AnswerData {
  messageId: string;
  attempt: number;
  seq: number;
  text?: string;
  sources?: Source[];
  finishReason?: ChatReply['finishReason'];
  model?: string;
  usage?: Usage;
  message?: string;
  state?: Snapshot['state'];
}

export interface AnswerEvent {
  name: string;
  data: AnswerData;
  /** How the answer ended, if it did with this event. */
  ending: string | undefined;
}

/** Fed with a stream's bytes in their order, however they are cut. */
export class AnswerEvents {
  readonly #messageId: string;
  readonly #decoder = new TextDecoder();
  readonly #parser;
  #found: AnswerEvent[] = [];
  #place: [number, number] = [0, -1];

  constructor(messageId: string) {
    this.#messageId = messageId;
    this.#parser = createParser({
      onEvent: ({ event, data }) => {
        this.#take(event ?? '', data);
      },
    });
  }

  /** The events that these bytes complete. */
  in(bytes: Uint8Array): AnswerEvent[] {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    return this.#found.splice(0);
  }

  #take(name: string, line: string): void {
    const data = JSON.parse(line) as Partial<AnswerData>;
    if (data.messageId !== this.#messageId || data.attempt === undefined || data.seq === undefined) return;
    const ending = name === 'snapshot' ? data.state : name;
    const isEnding = ending !== undefined && ENDINGS.includes(ending);
    const [attempt, seq] = this.#place;
    const isOld = data.attempt < attempt || (data.attempt === attempt && data.seq <= seq);
    if (isOld && !(name === 'snapshot' && isEnding && data.attempt === attempt)) return;
    this.#place = [data.attempt, data.seq];
    this.#found.push({ name, data: data as AnswerData, ending: isEnding ? ending : undefined });
  }
}
