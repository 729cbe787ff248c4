/** Who changed what, newest first. */
import { desc, eq } from 'drizzle-orm';
import { auditLog } from '../../../shared/schema-v2.ts';
import type { Database } from '../database.ts';

const SHOWN = 200;
const LONGEST = 300;

export class AuditLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async write(clientId: string, email: string, action: string, subject: string): Promise<void> {
    await this.#database.insert(auditLog).values({ clientId, email, action, subject: subject.slice(0, LONGEST) });
  }

  latest(clientId: string): Promise<{ email: string; action: string; subject: string; at: Date }[]> {
    const { email, action, subject, at } = auditLog;
    return this.#database
      .select({ email, action, subject, at })
      .from(auditLog)
      .where(eq(auditLog.clientId, clientId))
      .orderBy(desc(auditLog.entryId))
      .limit(SHOWN);
  }
}
