/** Usage by day and model: the sums of `usage_stats`, with latencies and ratings of `chat_logs`. */
import { and, eq, gte, sql } from 'drizzle-orm';
import type { UsageDay } from '../../../shared/dashboard-types.ts';
import { chatLogs, usageStats } from '../../../shared/schema-v2.ts';
import type { Database } from '../database.ts';

export class UsageReport {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Of the last days, today included, by UTC as `usage_stats` counts. */
  async days(clientId: string, days: number, now = new Date()): Promise<UsageDay[]> {
    const first = new Date(now.getTime() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
    const [sums, qualities] = await Promise.all([this.#sums(clientId, first), this.#qualities(clientId, first)]);
    const known = new Map(qualities.map((one) => [`${one.day} ${one.model}`, one]));
    return sums.map(({ clientId: _client, ...sum }) => {
      const found = known.get(`${sum.day} ${sum.model}`);
      const { firstTokenMs = null, answerMs = null, ups = 0, downs = 0 } = found ?? {};
      return { ...sum, firstTokenMs, answerMs, ups, downs };
    });
  }

  #sums(clientId: string, first: string) {
    return this.#database
      .select()
      .from(usageStats)
      .where(and(eq(usageStats.clientId, clientId), gte(usageStats.day, first)))
      .orderBy(usageStats.day, usageStats.model);
  }

  #qualities(clientId: string, first: string) {
    const day = sql<string>`to_char(${chatLogs.completedAt} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;
    const median = (column: typeof chatLogs.answerMs | typeof chatLogs.firstTokenMs) =>
      sql<number | null>`percentile_cont(0.5) WITHIN GROUP (ORDER BY ${column})`;
    const rated = (rating: string) => sql<number>`(count(*) FILTER (WHERE ${chatLogs.rating} = ${rating}))::int`;
    return this.#database
      .select({
        day: day.as('day'),
        model: chatLogs.model,
        firstTokenMs: median(chatLogs.firstTokenMs),
        answerMs: median(chatLogs.answerMs),
        ups: rated('up'),
        downs: rated('down'),
      })
      .from(chatLogs)
      .where(and(eq(chatLogs.clientId, clientId), gte(chatLogs.completedAt, new Date(`${first}T00:00:00Z`))))
      .groupBy(sql`day`, chatLogs.model);
  }
}
