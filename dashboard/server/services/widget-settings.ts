/** A client's widget, its allowed origins and its keys. */
import { createHash, randomBytes } from 'node:crypto';
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { WidgetSettings } from '../../shared/dashboard-types.ts';
import { apiKeys, clients, clientWidgets } from '../../shared/schema-v2.ts';
import type { Database } from './database.ts';

const FIRST = 'default';
const KEY_BYTES = 24;

export type KeyKind = 'publishable' | 'secret';

export interface Key {
  keyId: string;
  kind: string;
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

const DEFAULTS: WidgetSettings = {
  widgetId: FIRST,
  provider: null,
  model: null,
  temperature: 0.2,
  maxTokens: 1024,
  systemPrompt: null,
  noAnswerText: null,
  theme: {},
};

export class WidgetStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The client's first widget, or what the gateway takes where there is none. */
  async widget(clientId: string): Promise<WidgetSettings> {
    const [found] = await this.#database
      .select()
      .from(clientWidgets)
      .where(eq(clientWidgets.clientId, clientId))
      .orderBy(clientWidgets.widgetId)
      .limit(1);
    if (found === undefined) return DEFAULTS;
    const { clientId: _, ...widget } = found;
    return widget;
  }

  async saveWidget(clientId: string, widget: WidgetSettings): Promise<void> {
    const { widgetId: _, ...changed } = widget;
    await this.#database
      .insert(clientWidgets)
      .values({ clientId, ...widget })
      .onConflictDoUpdate({ target: [clientWidgets.clientId, clientWidgets.widgetId], set: changed });
  }

  async origins(clientId: string): Promise<string[]> {
    const [found] = await this.#database
      .select({ allowedOrigins: clients.allowedOrigins })
      .from(clients)
      .where(eq(clients.clientId, clientId));
    return found?.allowedOrigins ?? [];
  }

  async saveOrigins(clientId: string, allowedOrigins: string[]): Promise<void> {
    await this.#database.update(clients).set({ allowedOrigins }).where(eq(clients.clientId, clientId));
  }

  /** Whether a page has ever asked with a key of this client. */
  async isUsed(clientId: string): Promise<boolean> {
    const isUsed = and(eq(apiKeys.clientId, clientId), eq(apiKeys.kind, 'publishable'), isNotNull(apiKeys.lastUsedAt));
    return (await this.#database.select({ keyId: apiKeys.keyId }).from(apiKeys).where(isUsed).limit(1)).length > 0;
  }

  keys(clientId: string): Promise<Key[]> {
    const { keyId, kind, name, createdAt, lastUsedAt } = apiKeys;
    return this.#database
      .select({ keyId, kind, name, createdAt, lastUsedAt })
      .from(apiKeys)
      .where(and(eq(apiKeys.clientId, clientId), isNull(apiKeys.revokedAt)))
      .orderBy(desc(apiKeys.createdAt));
  }

  /** The key in plain text, which is kept nowhere. */
  async createKey(clientId: string, kind: KeyKind, name: string): Promise<string> {
    const key = `${kind === 'publishable' ? 'pk' : 'sk'}_${randomBytes(KEY_BYTES).toString('base64url')}`;
    const keyHash = createHash('sha256').update(key).digest('hex');
    await this.#database.insert(apiKeys).values({ clientId, kind, name, keyHash });
    return key;
  }

  /** The name of the key that ends; gateways know it within 10 s. Null: there is no such valid key. */
  async revokeKey(clientId: string, keyId: string): Promise<string | null> {
    const [gone] = await this.#database
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(and(eq(apiKeys.clientId, clientId), eq(apiKeys.keyId, keyId), isNull(apiKeys.revokedAt)))
      .returning({ name: apiKeys.name });
    return gone === undefined ? null : gone.name;
  }
}
