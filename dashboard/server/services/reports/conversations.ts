/** What visitors asked, as `chat_logs` has it: whole conversations, found by words and filters. */
import { and, desc, eq, gte, ilike, lt, lte, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { chatLogs } from '../../../shared/schema-v2.ts';
import type { Database } from '../database.ts';

const PAGE = 50;
const EXPORTED_AT_ONCE = 500;
const THREAD = 500;

export interface Filters {
  search?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  rating?: 'up' | 'down' | undefined;
  outcome?: 'completed' | 'failed' | 'cancelled' | undefined;
  widget?: string | undefined;
  /** Only those for which the knowledge base had no evidence. */
  unanswered?: boolean | undefined;
}

const SHOWN = {
  messageId: chatLogs.messageId,
  sessionId: chatLogs.sessionId,
  widgetId: chatLogs.widgetId,
  question: chatLogs.question,
  answer: chatLogs.answer,
  sources: chatLogs.sources,
  outcome: chatLogs.outcome,
  finishReason: chatLogs.finishReason,
  model: chatLogs.model,
  costUsd: chatLogs.costUsd,
  answerMs: chatLogs.answerMs,
  requestedAt: chatLogs.requestedAt,
  rating: chatLogs.rating,
  ratingComment: chatLogs.ratingComment,
};

export type LoggedAnswer = { [name in keyof typeof SHOWN]: (typeof SHOWN)[name]['_']['data'] | null } & {
  messageId: string;
  sessionId: string;
  question: string;
  answer: string;
  requestedAt: Date;
};

export class Conversations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The newest matching answers, starting after `before`; `next` names the following page. */
  async page(
    clientId: string,
    filters: Filters,
    before: string | undefined,
  ): Promise<{ answers: LoggedAnswer[]; next: string | null }> {
    const answers = await this.#read(clientId, filters, before, PAGE);
    return { answers, next: answers.length === PAGE ? placeOf(answers.at(-1)) : null };
  }

  /** One conversation, oldest first. */
  async thread(clientId: string, sessionId: string): Promise<LoggedAnswer[]> {
    return await this.#database
      .select(SHOWN)
      .from(chatLogs)
      .where(and(eq(chatLogs.clientId, clientId), eq(chatLogs.sessionId, sessionId)))
      .orderBy(chatLogs.requestedAt, chatLogs.messageId)
      .limit(THREAD);
  }

  /** All matching answers, newest first, in the memory of one page. */
  async *every(clientId: string, filters: Filters): AsyncGenerator<LoggedAnswer> {
    let before: string | undefined;
    for (;;) {
      const rows = await this.#read(clientId, filters, before, EXPORTED_AT_ONCE);
      yield* rows;
      if (rows.length < EXPORTED_AT_ONCE) return;
      before = placeOf(rows.at(-1)) ?? undefined;
    }
  }

  async #read(clientId: string, filters: Filters, before: string | undefined, rows: number): Promise<LoggedAnswer[]> {
    return await this.#database
      .select(SHOWN)
      .from(chatLogs)
      .where(and(eq(chatLogs.clientId, clientId), ...conditions(filters), behind(before)))
      .orderBy(desc(chatLogs.requestedAt), desc(chatLogs.messageId))
      .limit(rows);
  }
}

function conditions(filters: Filters): (SQL | undefined)[] {
  const words = filters.search === undefined ? undefined : `%${filters.search.replace(/[\\%_]/g, '\\$&')}%`;
  return [
    words === undefined ? undefined : or(ilike(chatLogs.question, words), ilike(chatLogs.answer, words)),
    filters.from && gte(chatLogs.requestedAt, filters.from),
    filters.to && lt(chatLogs.requestedAt, filters.to),
    filters.rating && eq(chatLogs.rating, filters.rating),
    filters.outcome && eq(chatLogs.outcome, filters.outcome),
    filters.widget === undefined ? undefined : eq(chatLogs.widgetId, filters.widget),
    filters.unanswered === true ? eq(chatLogs.finishReason, 'no_answer') : undefined,
  ];
}

// A Date of JavaScript is coarser than Postgres' moment: answers of the same millisecond are told apart by their id.
const placeOf = (last: LoggedAnswer | undefined): string | null =>
  last === undefined ? null : `${last.requestedAt.toISOString()}/${last.messageId}`;

function behind(place: string | undefined): SQL | undefined {
  const [at, messageId] = place?.split('/') ?? [];
  if (at === undefined || messageId === undefined) return undefined;
  const millisecond = sql`date_trunc('milliseconds', ${chatLogs.requestedAt})`;
  const moment = new Date(at);
  const isBehind = sql`(${millisecond}, ${chatLogs.messageId}) < (${moment.toISOString()}::timestamptz, ${messageId}::uuid)`;
  return and(lte(chatLogs.requestedAt, new Date(moment.getTime() + 1)), isBehind);
}
