/** Who looks after a client, and who is invited to. */
import { and, eq, gt, sql } from 'drizzle-orm';
import { invitations, memberships, users } from '../../../shared/schema-v2.ts';
import type { Role } from '../../../shared/schema-v2.ts';
import { digest, newToken } from './accounts.ts';
import type { Accounts, User } from './accounts.ts';
import type { Database, Statements } from '../database.ts';
import { hashed } from './passwords.ts';

const INVITED_DAYS = 7;

export interface Member extends User {
  role: Role;
}

/** A client keeps at least one owner. */
export class LastOwnerError extends Error {
  override readonly name = 'LastOwnerError';
}

/** The rows of `memberships` and `invitations` of one client at a time. */
export class Members {
  readonly #database: Database;
  readonly #accounts: Accounts;

  constructor(database: Database, accounts: Accounts) {
    this.#database = database;
    this.#accounts = accounts;
  }

  list(clientId: string): Promise<Member[]> {
    return this.#database
      .select({ userId: users.userId, email: users.email, name: users.name, role: memberships.role })
      .from(memberships)
      .innerJoin(users, eq(users.userId, memberships.userId))
      .where(eq(memberships.clientId, clientId))
      .orderBy(users.email);
  }

  invited(clientId: string): Promise<{ email: string; role: Role; expiresAt: Date }[]> {
    return this.#database
      .select({ email: invitations.email, role: invitations.role, expiresAt: invitations.expiresAt })
      .from(invitations)
      .where(and(eq(invitations.clientId, clientId), gt(invitations.expiresAt, sql`now()`)));
  }

  /** The token of a new invitation, of which only the digest is kept; an older one to the same address ends. */
  async invite(clientId: string, email: string, role: Role): Promise<string> {
    const token = newToken();
    const expiresAt = new Date(Date.now() + INVITED_DAYS * 86_400_000);
    await this.#database.transaction(async (tx) => {
      await tx.delete(invitations).where(and(eq(invitations.clientId, clientId), eq(invitations.email, email)));
      await tx.insert(invitations).values({ tokenHash: digest(token), clientId, email, role, expiresAt });
    });
    return token;
  }

  async withdraw(clientId: string, email: string): Promise<boolean> {
    const gone = await this.#database
      .delete(invitations)
      .where(and(eq(invitations.clientId, clientId), eq(invitations.email, email)))
      .returning({ email: invitations.email });
    return gone.length > 0;
  }

  /** The address that a valid invitation is for, and whether it has an account. */
  async invitation(token: string): Promise<{ email: string; hasAccount: boolean } | null> {
    const [found] = await this.#database.select({ email: invitations.email }).from(invitations).where(isValid(token));
    if (found === undefined) return null;
    return { email: found.email, hasAccount: (await this.#accounts.byEmail(found.email)) !== undefined };
  }

  /**
   * Uses an invitation up. Null: it is unknown, used or too old, or the password is not the account's. Who is a member
   * already keeps the role, which only `change` changes: it knows the last owner.
   */
  async accept(token: string, name: string, password: string): Promise<User | null> {
    const found = await this.invitation(token);
    if (found === null) return null;
    const known = found.hasAccount ? await this.#accounts.verified(found.email, password) : undefined;
    if (known === null) return null;
    const passwordHash = known === undefined ? await hashed(password) : '';
    return this.#database.transaction(async (tx) => {
      const [taken] = await tx.delete(invitations).where(isValid(token)).returning();
      if (taken === undefined) return null;
      const user = known ?? (await this.#accounts.add(tx, { email: taken.email, name, passwordHash }));
      await tx
        .insert(memberships)
        .values({ clientId: taken.clientId, userId: user.userId, role: taken.role })
        .onConflictDoNothing();
      return user;
    });
  }

  /** Changes a role, or with `null` ends the membership. False: no such member. Rejects with `LastOwnerError`. */
  change(clientId: string, userId: string, role: Role | null): Promise<boolean> {
    return this.#database.transaction(async (tx) => {
      const owners = await lockedOwners(tx, clientId);
      if (role !== 'owner' && owners.length === 1 && owners[0] === userId) {
        throw new LastOwnerError('This is the only owner: make somebody else an owner first.');
      }
      const one = and(eq(memberships.clientId, clientId), eq(memberships.userId, userId));
      const changed =
        role === null
          ? await tx.delete(memberships).where(one).returning()
          : await tx.update(memberships).set({ role }).where(one).returning();
      return changed.length > 0;
    });
  }
}

const isValid = (token: string) => and(eq(invitations.tokenHash, digest(token)), gt(invitations.expiresAt, sql`now()`));

/** Two owners who leave at once take turns, so that the second sees that the first has left. */
async function lockedOwners(tx: Statements, clientId: string): Promise<string[]> {
  const rows = await tx
    .select({ userId: memberships.userId, role: memberships.role })
    .from(memberships)
    .where(eq(memberships.clientId, clientId))
    .orderBy(memberships.userId)
    .for('update');
  return rows.filter(({ role }) => role === 'owner').map(({ userId }) => userId);
}
