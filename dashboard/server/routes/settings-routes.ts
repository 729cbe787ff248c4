/** The widget, its keys, the sites that may use it, and the people who look after it. */
import { z } from 'zod';
import type { Route } from '../access.ts';
import { Problem } from '../problems.ts';
import type { AuditLog } from '../services/accounts/audit-log.ts';
import type { SendMail } from '../services/accounts/mail.ts';
import { LastOwnerError } from '../services/accounts/members.ts';
import type { Members } from '../services/accounts/members.ts';
import type { WidgetStore } from '../services/widget-settings.ts';
import { bodyOf, line, pathPart, text } from './body.ts';

const Origin = z.string().refine((given) => given === '*' || URL.parse(given)?.origin === given, {
  error: 'Write an origin as https://www.example.com, without a path; * allows every site.',
});
const Widget = z.object({
  provider: z.enum(['openai', 'anthropic']).nullable(),
  model: line(100).nullable(),
  temperature: z.number().min(0).max(2),
  maxTokens: z.number().int().min(16).max(16_384),
  systemPrompt: text(8_000).nullable(),
  noAnswerText: text(2_000).nullable(),
  theme: z.object({
    title: text(100).optional(),
    greeting: text(1_000).optional(),
    color: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'Write a colour as #1a2b3c.')
      .optional(),
    position: z.enum(['left', 'right']).optional(),
    language: text(35).optional(),
    starters: z.array(line(200)).max(6).optional(),
  }),
});
const Key = z.object({ kind: z.enum(['publishable', 'secret']), name: line(100) });
const Role = z.enum(['owner', 'editor', 'viewer']);
const Invitation = z.object({ email: z.email().max(254).toLowerCase(), role: Role });

export interface SettingsParts {
  widgets: WidgetStore;
  members: Members;
  audit: AuditLog;
  sendMail: SendMail;
  publicUrl: string;
  gatewayUrl: string;
}

export function settingsRoutes(parts: SettingsParts): Route[] {
  return [...widgetRoutes(parts), ...keyRoutes(parts), ...memberRoutes(parts)];
}

function widgetRoutes({ widgets, gatewayUrl }: SettingsParts): Route[] {
  return [
    {
      access: 'viewer',
      method: 'get',
      path: '/widget',
      handle: async (_request, response, { clientId, tier }) => {
        const [widget, origins, isUsed] = await Promise.all([
          widgets.widget(clientId),
          widgets.origins(clientId),
          widgets.isUsed(clientId),
        ]);
        response.json({ widget, origins, isUsed, tier, gatewayUrl });
      },
    },
    {
      access: 'editor',
      method: 'put',
      path: '/widget',
      action: 'widget changed',
      handle: async (request, response, { clientId }) => {
        const changed = bodyOf(request, Widget);
        const { widgetId, theme } = await widgets.widget(clientId);
        const known = Object.entries({ ...theme, ...changed.theme }).filter(([, value]) => value !== undefined);
        await widgets.saveWidget(clientId, { widgetId, ...changed, theme: Object.fromEntries(known) });
        response.json({ widget: await widgets.widget(clientId) });
        return widgetId;
      },
    },
    {
      access: 'owner',
      method: 'put',
      path: '/origins',
      action: 'allowed sites changed',
      handle: async (request, response, { clientId }) => {
        const { origins } = bodyOf(request, z.object({ origins: z.array(Origin).max(100) }));
        await widgets.saveOrigins(clientId, origins);
        response.json({ origins });
        return origins.join(', ');
      },
    },
  ];
}

function keyRoutes({ widgets }: SettingsParts): Route[] {
  return [
    {
      access: 'owner',
      method: 'get',
      path: '/keys',
      handle: async (_request, response, { clientId }) => {
        response.json({ keys: await widgets.keys(clientId) });
      },
    },
    {
      access: 'owner',
      method: 'post',
      path: '/keys',
      action: 'key created',
      handle: async (request, response, { clientId }) => {
        const { kind, name } = bodyOf(request, Key);
        response.status(201).json({ key: await widgets.createKey(clientId, kind, name) });
        return `${name} (${kind})`;
      },
    },
    {
      access: 'owner',
      method: 'delete',
      path: '/keys/:id',
      action: 'key revoked',
      handle: async (request, response, { clientId }) => {
        const keyId = z.uuid().safeParse(pathPart(request, 'id'));
        const name = keyId.success ? await widgets.revokeKey(clientId, keyId.data) : null;
        if (name === null) throw new Problem(404, 'There is no such key, or it is revoked already.');
        response.sendStatus(204);
        return name;
      },
    },
  ];
}

function memberRoutes({ members, audit, sendMail, publicUrl }: SettingsParts): Route[] {
  const changed = async (clientId: string, userId: string, role: z.infer<typeof Role> | null) => {
    const id = z.uuid().safeParse(userId);
    try {
      if (id.success && (await members.change(clientId, id.data, role))) return id.data;
    } catch (error) {
      if (error instanceof LastOwnerError) throw new Problem(409, error.message);
      throw error;
    }
    throw new Problem(404, 'There is no such member.');
  };
  return [
    {
      access: 'owner',
      method: 'get',
      path: '/members',
      handle: async (_request, response, { clientId }) => {
        const [known, invited] = await Promise.all([members.list(clientId), members.invited(clientId)]);
        response.json({ members: known, invited });
      },
    },
    {
      access: 'owner',
      method: 'post',
      path: '/invitations',
      action: 'member invited',
      handle: async (request, response, { clientId, clientName, user }) => {
        const { email, role } = bodyOf(request, Invitation);
        const link = `${publicUrl}/invitation#${await members.invite(clientId, email, role)}`;
        const words = `${user.name} invites you to look after ${clientName}. Within seven days:\n${link}`;
        sendMail(email, 'An invitation to ChatConnect', words).catch((error: unknown) => {
          console.error('a mail was not sent', error);
        });
        response.status(201).json({ link });
        return `${email} as ${role}`;
      },
    },
    {
      access: 'owner',
      method: 'delete',
      path: '/invitations/:email',
      action: 'invitation withdrawn',
      handle: async (request, response, { clientId }) => {
        const email = pathPart(request, 'email').toLowerCase();
        if (!(await members.withdraw(clientId, email))) throw new Problem(404, 'There is no such invitation.');
        response.sendStatus(204);
        return email;
      },
    },
    {
      access: 'owner',
      method: 'put',
      path: '/members/:id',
      action: 'role changed',
      handle: async (request, response, { clientId }) => {
        const { role } = bodyOf(request, z.object({ role: Role }));
        const userId = await changed(clientId, pathPart(request, 'id'), role);
        response.json({ userId, role });
        return `${userId} is ${role}`;
      },
    },
    {
      access: 'owner',
      method: 'delete',
      path: '/members/:id',
      action: 'member removed',
      handle: async (request, response, { clientId }) => {
        const userId = await changed(clientId, pathPart(request, 'id'), null);
        response.sendStatus(204);
        return userId;
      },
    },
    {
      access: 'owner',
      method: 'get',
      path: '/audit',
      handle: async (_request, response, { clientId }) => {
        response.json({ entries: await audit.latest(clientId) });
      },
    },
  ];
}
