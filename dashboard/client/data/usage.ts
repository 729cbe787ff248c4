/** Sums of usage. */
import type { UsageDay } from '../../shared/dashboard-types.ts';

const DAY_MS = 86_400_000;
const DECIMALS = 8;

/** One number a day, 0 on days without an answer; medians are of the model with the most answers, null without one. */
export function perDay(rows: UsageDay[], span: number, now: Date) {
  const today = Date.parse(`${now.toISOString().slice(0, 10)}T00:00:00Z`);
  const days = Array.from({ length: span }, (_, place) => today - (span - 1 - place) * DAY_MS);
  const of = days.map((day) => rows.filter((row) => Date.parse(`${row.day}T00:00:00Z`) === day));
  const sums = (pick: (row: UsageDay) => number) => of.map((found) => found.reduce((sum, row) => sum + pick(row), 0));
  const main = of.map((found) => found.toSorted((one, other) => other.answers - one.answers)[0]);
  const seconds = (pick: (row: UsageDay) => number | null) =>
    main.map((row) => {
      const ms = row === undefined ? null : pick(row);
      return ms === null ? null : ms / 1_000;
    });
  return {
    days,
    answers: sums((row) => row.answers),
    failures: sums((row) => row.failures),
    inputs: sums((row) => row.inputTokens),
    outputs: sums((row) => row.outputTokens),
    cached: sums((row) => row.cacheReadTokens),
    costs: sums((row) => Number(row.costUsd)),
    ups: sums((row) => row.ups),
    downs: sums((row) => row.downs),
    firsts: seconds((row) => row.firstTokenMs),
    wholes: seconds((row) => row.answerMs),
  };
}

/** The exact sum of decimals with at most eight places, as Postgres writes them. */
export function dollars(amounts: string[]): string {
  const units = amounts.map((amount) => {
    const [whole = '0', part = ''] = amount.split('.');
    return BigInt(whole + part.padEnd(DECIMALS, '0').slice(0, DECIMALS));
  });
  const sum = units
    .reduce((total, one) => total + one, 0n)
    .toString()
    .padStart(DECIMALS + 1, '0');
  return `${sum.slice(0, -DECIMALS)}.${sum.slice(-DECIMALS)}`;
}
