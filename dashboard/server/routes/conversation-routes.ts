/** What visitors asked, what stayed unanswered, what it cost (`/api/dashboard/conversations`, `…/unanswered`, `…/usage`). */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { z } from 'zod';
import type { Route } from '../access.ts';
import type { Conversations, LoggedAnswer } from '../services/reports/conversations.ts';
import { csv, jsonArray } from '../services/reports/export.ts';
import type { Unanswered } from '../services/reports/unanswered.ts';
import type { UsageReport } from '../services/reports/usage.ts';
import { line, pathPart, queryOf } from './body.ts';

const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d/, 'Write a date as 2026-11-28.')
  .transform((given) => new Date(given))
  .refine((date) => !Number.isNaN(date.getTime()), 'There is no such day.');
const Filter = z.object({
  search: line(200).optional(),
  from: moment.optional(),
  to: moment.optional(),
  rating: z.enum(['up', 'down']).optional(),
  outcome: z.enum(['completed', 'failed', 'cancelled']).optional(),
  widget: line(64).optional(),
  unanswered: z
    .enum(['true', 'false'])
    .transform((given) => given === 'true')
    .optional(),
});
const Place = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT[\d:.]+Z\/[0-9a-f-]{36}$/)
  .optional();
const Page = Filter.extend({ before: Place });
const Export = Filter.extend({ format: z.enum(['csv', 'json']).default('csv') });
const Days = z.object({ days: z.coerce.number().int().min(1).max(366).default(30) });

const COLUMNS: (keyof LoggedAnswer)[] = [
  'requestedAt',
  'sessionId',
  'messageId',
  'widgetId',
  'question',
  'answer',
  'outcome',
  'finishReason',
  'rating',
  'ratingComment',
  'model',
  'costUsd',
  'answerMs',
];

export interface ConversationParts {
  conversations: Conversations;
  unanswered: Unanswered;
  usage: UsageReport;
}

export function conversationRoutes({ conversations, unanswered, usage }: ConversationParts): Route[] {
  return [
    {
      access: 'viewer',
      method: 'get',
      path: '/conversations',
      handle: async (request, response, { clientId }) => {
        const { before, ...filters } = queryOf(request, Page);
        response.json(await conversations.page(clientId, filters, before));
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/conversations/export',
      handle: async (request, response, { clientId }) => {
        const { format, ...filters } = queryOf(request, Export);
        await exported(conversations.every(clientId, filters), format, response);
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/conversations/:session',
      handle: async (request, response, { clientId }) => {
        response.json({ answers: await conversations.thread(clientId, pathPart(request, 'session')) });
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/unanswered',
      handle: async (_request, response, { clientId }) => {
        response.json({ groups: await unanswered.groups(clientId) });
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/usage',
      handle: async (request, response, { clientId }) => {
        const { days } = queryOf(request, Days);
        response.json({ days: await usage.days(clientId, days) });
      },
    },
  ];
}

async function exported(rows: AsyncIterable<LoggedAnswer>, format: 'csv' | 'json', response: Response): Promise<void> {
  const lines = format === 'csv' ? csv(rows, COLUMNS) : jsonArray(rows);
  const first = await lines.next();
  response.attachment(`conversations.${format}`).type(format === 'csv' ? 'text/csv; charset=utf-8' : 'json');
  const all = async function* () {
    if (first.done !== true) yield first.value;
    yield* lines;
  };
  await pipeline(Readable.from(all()), response).catch((error: unknown) => {
    // The header is sent: an export that fails in the middle is cut, which a download shows as failed.
    if (!response.destroyed) response.destroy();
    console.error(`an export ended early: ${String(error)}`);
  });
}
