/** Postgres, as the role `chatconnect_dashboard`, whose rights the migration limits. */
import { drizzle } from 'drizzle-orm/node-postgres';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';

const ROLE = 'chatconnect_dashboard';
const CONNECTIONS = 10;
const CONNECT_MS = 2_000;
const STATEMENT_MS = 10_000;

export type Database = NodePgDatabase & { $client: pg.Pool };
/** The database, or a transaction in it. */
export type Statements = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;

/** Opens no connection yet; the caller ends `$client`. */
export function openDatabase(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    application_name: 'chatconnect-dashboard',
    options: `-c role=${ROLE}`,
  });
  // A connection that dies while idle is replaced at its next use; without a listener it would end the process.
  pool.on('error', (error) => {
    console.error(`postgres: ${error.message}`);
  });
  return drizzle({ client: pool });
}

const AWAY = /^(08|53|57)|^(ECONN|ETIMEDOUT|ENOTFOUND|EPIPE|EAI_)/;
const AWAY_WORDS = /timeout|terminated|not queryable/i;

/** Whether the error says that Postgres cannot be reached, or does not serve. */
export function isAway(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  if (cause instanceof AggregateError) return cause.errors.some(isAway);
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return AWAY.test(code) || (code === '' && AWAY_WORDS.test(cause.message));
}
