/** People, what they may do for which client, and the browsers in which they are signed in. */
import { createHash, randomBytes } from 'node:crypto';
import { and, eq, gt, lt, sql } from 'drizzle-orm';
import { clients, memberships, signIns, users } from '../../../shared/schema-v2.ts';
import type { Role } from '../../../shared/schema-v2.ts';
import type { Database, Statements } from '../database.ts';
import { hashed, matches } from './passwords.ts';

export const SIGNED_IN_DAYS = 30;
// Any number that nothing else in the database locks: "user".
const SETUP_LOCK = 0x75736572;

export interface User {
  userId: string;
  email: string;
  name: string;
}

export interface Membership {
  clientId: string;
  clientName: string;
  tier: string;
  role: Role;
}

/** The stored form of a random token. */
export const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
export const newToken = (): string => randomBytes(32).toString('base64url');
const normal = (email: string): string => email.trim().toLowerCase();

const USER = { userId: users.userId, email: users.email, name: users.name };

/** The rows of `users`, `memberships` and `sign_ins`. */
export class Accounts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#database.select({ userId: users.userId }).from(users).limit(1)).length === 0;
  }

  /** The first account, owner of the named client or of the only one. Null: somebody has an account already. */
  async setUp(person: { email: string; name: string; password: string; business: string }): Promise<User | null> {
    const passwordHash = await hashed(person.password);
    return this.#database.transaction(async (tx) => {
      await tx.execute(sql`SELECT pg_advisory_xact_lock(${SETUP_LOCK})`);
      if ((await tx.select({ userId: users.userId }).from(users).limit(1)).length > 0) return null;
      const user = await this.add(tx, { ...person, passwordHash });
      const owned = await tx.select({ clientId: clients.clientId }).from(clients);
      if (owned.length === 0) {
        const clientId = `c_${randomBytes(6).toString('hex')}`;
        await tx.insert(clients).values({ clientId, name: person.business });
        owned.push({ clientId });
      }
      for (const { clientId } of owned) {
        await tx.insert(memberships).values({ clientId, userId: user.userId, role: 'owner' });
      }
      return user;
    });
  }

  async add(tx: Statements, person: { email: string; name: string; passwordHash: string }): Promise<User> {
    const { name, passwordHash } = person;
    const [user] = await tx
      .insert(users)
      .values({ email: normal(person.email), name, passwordHash })
      .returning(USER);
    if (user === undefined) throw new Error('an insert returned no row');
    return user;
  }

  async byEmail(email: string): Promise<(User & { passwordHash: string }) | undefined> {
    const known = { ...USER, passwordHash: users.passwordHash };
    return (
      await this.#database
        .select(known)
        .from(users)
        .where(eq(users.email, normal(email)))
    )[0];
  }

  async byId(userId: string): Promise<(User & { passwordHash: string }) | undefined> {
    const known = { ...USER, passwordHash: users.passwordHash };
    return (await this.#database.select(known).from(users).where(eq(users.userId, userId)))[0];
  }

  /** The user whose address and password these are. */
  async verified(email: string, password: string): Promise<User | null> {
    const user = await this.byEmail(email);
    return (await matches(user?.passwordHash, password)) && user !== undefined ? user : null;
  }

  /** Signs in; returns the browser's token, of which only the digest is kept. */
  async signIn(userId: string): Promise<string> {
    const token = newToken();
    const expiresAt = new Date(Date.now() + SIGNED_IN_DAYS * 86_400_000);
    await this.#database.delete(signIns).where(lt(signIns.expiresAt, sql`now()`));
    await this.#database.insert(signIns).values({ tokenHash: digest(token), userId, expiresAt });
    return token;
  }

  async signOut(token: string): Promise<void> {
    await this.#database.delete(signIns).where(eq(signIns.tokenHash, digest(token)));
  }

  /** Who is signed in with this token. */
  async signedIn(token: string): Promise<User | undefined> {
    const isValid = and(eq(signIns.tokenHash, digest(token)), gt(signIns.expiresAt, sql`now()`));
    const rows = await this.#database
      .select(USER)
      .from(signIns)
      .innerJoin(users, eq(users.userId, signIns.userId))
      .where(isValid);
    return rows[0];
  }

  /** Sets the password and signs the user out everywhere. */
  async setPassword(userId: string, password: string): Promise<void> {
    const passwordHash = await hashed(password);
    await this.#database.transaction(async (tx) => {
      await tx.update(users).set({ passwordHash }).where(eq(users.userId, userId));
      await tx.delete(signIns).where(eq(signIns.userId, userId));
    });
  }

  /** The clients that a user looks after. */
  memberships(userId: string): Promise<Membership[]> {
    return this.#database
      .select({ clientId: clients.clientId, clientName: clients.name, tier: clients.tier, role: memberships.role })
      .from(memberships)
      .innerJoin(clients, eq(clients.clientId, memberships.clientId))
      .where(eq(memberships.userId, userId))
      .orderBy(clients.name, clients.clientId);
  }
}
