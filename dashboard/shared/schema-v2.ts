/**
 * The tables that the dashboard reads and writes, as Drizzle sees them. Alembic (`stores/migrations`) owns the schema:
 * a test compares each column here with a migrated database.
 */
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Theme } from './dashboard-types.ts';

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const texts = (name: string) => text(name).array();
const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);

export type Role = 'owner' | 'editor' | 'viewer';

/** A tenant. */
export const clients = pgTable('clients', {
  clientId: text('client_id').primaryKey(),
  name: text('name').notNull(),
  tier: text('tier').notNull().default('free'),
  allowedOrigins: texts('allowed_origins').notNull().default([]),
  createdAt: moment('created_at').notNull().defaultNow(),
});

/** A key of a client, as the SHA-256 of the whole key. */
export const apiKeys = pgTable(
  'api_keys',
  {
    keyHash: text('key_hash').primaryKey(),
    clientId: text('client_id')
      .notNull()
      .references(() => clients.clientId, { onDelete: 'cascade' }),
    kind: text('kind').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    revokedAt: moment('revoked_at'),
    keyId: uuid('key_id').notNull().unique().defaultRandom(),
    name: text('name').notNull().default(''),
    lastUsedAt: moment('last_used_at'),
  },
  (table) => [index('ix_api_keys_client_id').on(table.clientId)],
);

/** How a client's widget answers and looks. */
export const clientWidgets = pgTable(
  'client_widgets',
  {
    clientId: text('client_id').notNull(),
    widgetId: text('widget_id').notNull(),
    provider: text('provider'),
    model: text('model'),
    temperature: doublePrecision('temperature').notNull().default(0.2),
    maxTokens: integer('max_tokens').notNull().default(1024),
    systemPrompt: text('system_prompt'),
    noAnswerText: text('no_answer_text'),
    theme: jsonb('theme').$type<Theme>().notNull().default({}),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.widgetId] }),
    foreignKey({ columns: [table.clientId], foreignColumns: [clients.clientId] }).onDelete('cascade'),
  ],
);

/** A document of a knowledge base and where its ingestion stands. */
export const documents = pgTable(
  'documents',
  {
    clientId: text('client_id').notNull(),
    documentId: text('document_id').notNull(),
    externalId: text('external_id'),
    version: integer('version').notNull().default(1),
    filename: text('filename').notNull(),
    title: text('title').notNull(),
    description: text('description'),
    tags: texts('tags').notNull().default([]),
    uri: text('uri').notNull(),
    sha256: text('sha256').notNull(),
    mediaType: text('media_type').notNull(),
    sizeBytes: integer('size_bytes').notNull(),
    status: text('status').notNull().default('pending'),
    stage: text('stage').notNull().default('queued'),
    progress: integer('progress').notNull().default(0),
    currentStep: text('current_step').notNull().default('Waiting in line'),
    reason: text('reason'),
    retryable: boolean('retryable'),
    chunks: integer('chunks'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    warnings: texts('warnings').notNull().default([]),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.documentId] }),
    unique().on(table.clientId, table.externalId),
    index('documents_by_client').on(table.clientId, table.createdAt),
  ],
);

/** The last version number that was given to a document. */
export const documentVersions = pgTable(
  'document_versions',
  {
    clientId: text('client_id').notNull(),
    documentId: text('document_id').notNull(),
    externalId: text('external_id'),
    version: integer('version').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.documentId] }),
    unique().on(table.clientId, table.externalId),
  ],
);

/** One ended answer. */
export const chatLogs = pgTable(
  'chat_logs',
  {
    clientId: text('client_id').notNull(),
    messageId: uuid('message_id').notNull(),
    sessionId: text('session_id').notNull(),
    widgetId: text('widget_id'),
    attempt: integer('attempt').notNull(),
    outcome: text('outcome').notNull(),
    question: text('question').notNull(),
    answer: text('answer').notNull(),
    sources: jsonb('sources').$type<unknown[]>().notNull(),
    citations: json('citations').$type<number[]>().notNull(),
    finishReason: text('finish_reason').notNull(),
    failureCode: text('failure_code'),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    tier: text('tier').notNull(),
    usage: jsonb('usage').$type<Record<string, unknown>>().notNull(),
    costUsd: numeric('cost_usd', { precision: 14, scale: 8 }).notNull(),
    retrievalMs: doublePrecision('retrieval_ms').notNull(),
    firstTokenMs: doublePrecision('first_token_ms'),
    answerMs: doublePrecision('answer_ms').notNull(),
    requestedAt: moment('requested_at').notNull(),
    completedAt: moment('completed_at').notNull(),
    rating: text('rating'),
    ratingComment: text('rating_comment'),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.messageId] }),
    index('chat_logs_by_session').on(table.clientId, table.sessionId, table.requestedAt),
    index('chat_logs_by_time').on(table.clientId, table.requestedAt),
  ],
);

/** A client's usage of a model on a day. */
export const usageStats = pgTable(
  'usage_stats',
  {
    clientId: text('client_id').notNull(),
    day: date('day').notNull(),
    model: text('model').notNull(),
    answers: integer('answers').notNull().default(0),
    failures: integer('failures').notNull().default(0),
    inputTokens: count('input_tokens'),
    outputTokens: count('output_tokens'),
    cacheReadTokens: count('cache_read_tokens'),
    cacheWriteTokens: count('cache_write_tokens'),
    costUsd: numeric('cost_usd', { precision: 14, scale: 8 }).notNull().default('0'),
  },
  (table) => [primaryKey({ columns: [table.clientId, table.day, table.model] })],
);

/** A person who signs in; the password as argon2id's PHC string. */
export const users = pgTable('users', {
  userId: uuid('user_id').primaryKey().defaultRandom(),
  email: text('email').notNull().unique(),
  name: text('name').notNull(),
  passwordHash: text('password_hash').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
});

const clientKey = () =>
  text('client_id')
    .notNull()
    .references(() => clients.clientId, { onDelete: 'cascade' });
const userKey = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.userId, { onDelete: 'cascade' });

/** What a person may do for a client. */
export const memberships = pgTable(
  'memberships',
  {
    clientId: clientKey(),
    userId: userKey(),
    role: text('role').$type<Role>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.userId] }),
    index('ix_memberships_user_id').on(table.userId),
  ],
);

/** A link to become a member, as the SHA-256 of its token. */
export const invitations = pgTable(
  'invitations',
  {
    tokenHash: text('token_hash').primaryKey(),
    clientId: clientKey(),
    email: text('email').notNull(),
    role: text('role').$type<Role>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [index('ix_invitations_client_id').on(table.clientId)],
);

/** A browser that is signed in, as the SHA-256 of its cookie. */
export const signIns = pgTable(
  'sign_ins',
  {
    tokenHash: text('token_hash').primaryKey(),
    userId: userKey(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [index('ix_sign_ins_user_id').on(table.userId)],
);

/** Who changed what. */
export const auditLog = pgTable(
  'audit_log',
  {
    entryId: bigint('entry_id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    clientId: clientKey(),
    email: text('email').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    at: moment('at').notNull().defaultNow(),
  },
  (table) => [index('audit_log_by_client').on(table.clientId, table.entryId)],
);
