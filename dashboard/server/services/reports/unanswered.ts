/** Questions that got no answer, or a thumb down, near duplicates together. */
import { and, desc, eq, or } from 'drizzle-orm';
import { chatLogs } from '../../../shared/schema-v2.ts';
import type { Database } from '../database.ts';

const READ = 1_000;
/** Of their words: two questions with more in common are one. */
const SAME = 0.6;

export interface Question {
  messageId: string;
  sessionId: string;
  question: string;
  answer: string;
  isDown: boolean;
  comment: string | null;
  askedAt: Date;
}

export interface QuestionGroup {
  /** The newest of them. */
  question: string;
  count: number;
  downs: number;
  askedAt: Date;
  examples: Question[];
}

export class Unanswered {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The groups, newest first, of the newest thousand questions. */
  async groups(clientId: string): Promise<QuestionGroup[]> {
    const rows = await this.#database
      .select({
        messageId: chatLogs.messageId,
        sessionId: chatLogs.sessionId,
        question: chatLogs.question,
        answer: chatLogs.answer,
        rating: chatLogs.rating,
        comment: chatLogs.ratingComment,
        askedAt: chatLogs.requestedAt,
      })
      .from(chatLogs)
      .where(
        and(eq(chatLogs.clientId, clientId), or(eq(chatLogs.finishReason, 'no_answer'), eq(chatLogs.rating, 'down'))),
      )
      .orderBy(desc(chatLogs.requestedAt))
      .limit(READ);
    return grouped(rows.map(({ rating, ...row }) => ({ ...row, isDown: rating === 'down' })));
  }
}

/** Each question joins the first group whose newest one it resembles. */
export function grouped(questions: Question[]): QuestionGroup[] {
  const groups: { words: Set<string>; group: QuestionGroup }[] = [];
  for (const one of questions) {
    const words = wordsOf(one.question);
    const known = groups.find((other) => resemblance(words, other.words) >= SAME);
    if (known === undefined) {
      const group = { question: one.question, count: 1, downs: Number(one.isDown), askedAt: one.askedAt };
      groups.push({ words, group: { ...group, examples: [one] } });
      continue;
    }
    known.group.count += 1;
    known.group.downs += Number(one.isDown);
    if (known.group.examples.length < 5) known.group.examples.push(one);
  }
  return groups.map(({ group }) => group);
}

// Pairs of letters stand for words in scripts that put no spaces between them.
function wordsOf(text: string): Set<string> {
  const words =
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const isSpaced = words.length > 1 || (words[0]?.length ?? 0) < 8;
  const letters = Array.from(words.join(''));
  return new Set(isSpaced ? words : letters.slice(1).map((letter, place) => `${letters[place] ?? ''}${letter}`));
}

/** Jaccard's index. */
function resemblance(one: Set<string>, other: Set<string>): number {
  const common = one.intersection(other).size;
  return common === 0 ? Number(one.size + other.size === 0) : common / (one.size + other.size - common);
}
