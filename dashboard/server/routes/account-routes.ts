/** Signing in and out, the first account, forgotten passwords, invitations. */
import type { Request, Response } from 'express';
import { z } from 'zod';
import { COOKIE, tokenOf } from '../access.ts';
import type { Route } from '../access.ts';
import { Problem } from '../problems.ts';
import { SIGNED_IN_DAYS } from '../services/accounts/accounts.ts';
import type { Accounts, User } from '../services/accounts/accounts.ts';
import type { Links } from '../services/accounts/links.ts';
import type { SendMail } from '../services/accounts/mail.ts';
import type { Members } from '../services/accounts/members.ts';
import { LONGEST, matches, SHORTEST } from '../services/accounts/passwords.ts';
import { bodyOf, line, pathPart } from './body.ts';

const Password = z
  .string()
  .min(SHORTEST, `A password needs ${String(SHORTEST)} characters or more.`)
  .max(LONGEST);
const Email = z.email().max(254);
const SetUp = z.object({
  token: line(200),
  name: line(200),
  email: Email,
  password: Password,
  business: line(200).default('My business'),
});
const SignIn = z.object({ email: z.string().max(254), password: z.string().max(LONGEST) });
const Reset = z.object({ token: line(2_000), password: Password });
const Accept = z.object({ token: line(200), name: line(200).default('Member'), password: Password });
const Change = z.object({ current: z.string().max(LONGEST), password: Password });

export interface AccountParts {
  accounts: Accounts;
  members: Members;
  links: Links;
  sendMail: SendMail;
  publicUrl: string;
}

export function accountRoutes(parts: AccountParts): Route[] {
  const { accounts, members, links } = parts;
  return [
    {
      access: 'public',
      method: 'post',
      path: '/setup',
      handle: async (request, response) => {
        const { token, ...person } = bodyOf(request, SetUp);
        if (!links.isSetupToken(token)) throw new Problem(403, 'The link is not the one that the log shows.');
        const user = await accounts.setUp(person);
        if (user === null) throw new Problem(409, 'Somebody has an account already: sign in.');
        await signInAs(accounts, user, request, response);
      },
    },
    {
      access: 'public',
      method: 'post',
      path: '/sign-in',
      handle: async (request, response) => {
        const { email, password } = bodyOf(request, SignIn);
        const user = await accounts.verified(email, password);
        if (user === null) throw new Problem(401, 'The address or the password is wrong.');
        await signInAs(accounts, user, request, response);
      },
    },
    {
      access: 'public',
      method: 'post',
      path: '/password/forgot',
      handle: async (request, response) => {
        const { email } = bodyOf(request, z.object({ email: z.string().max(254) }));
        await forgotten(parts, email);
        response.status(202).json({ detail: 'If there is such an account, a mail with a link is on its way.' });
      },
    },
    {
      access: 'public',
      method: 'post',
      path: '/password/reset',
      handle: async (request, response) => {
        const { token, password } = bodyOf(request, Reset);
        const user = await userOfReset(parts, token);
        if (user === null) throw new Problem(403, 'The link was used or is older than an hour: ask for another.');
        await accounts.setPassword(user.userId, password);
        await signInAs(accounts, user, request, response);
      },
    },
    {
      access: 'public',
      method: 'get',
      path: '/invitations/:token',
      handle: async (request, response) => {
        const found = await members.invitation(pathPart(request, 'token'));
        if (found === null) throw new Problem(404, 'The invitation was used or is too old: ask for another.');
        response.json(found);
      },
    },
    {
      access: 'public',
      method: 'post',
      path: '/invitations/accept',
      handle: async (request, response) => {
        const { token, name, password } = bodyOf(request, Accept);
        const user = await members.accept(token, name, password);
        if (user === null) throw new Problem(403, 'The invitation is no longer valid, or the password is wrong.');
        await signInAs(accounts, user, request, response);
      },
    },
    {
      access: 'signed-in',
      method: 'post',
      path: '/sign-out',
      handle: async (request, response) => {
        await accounts.signOut(tokenOf(request.headers.cookie) ?? '');
        response.clearCookie(COOKIE, cookieOptions(request)).sendStatus(204);
      },
    },
    {
      access: 'signed-in',
      method: 'post',
      path: '/password',
      handle: async (request, response, user) => {
        const { current, password } = bodyOf(request, Change);
        const known = await accounts.byId(user.userId);
        if (!(await matches(known?.passwordHash, current))) throw new Problem(403, 'The current password is wrong.');
        await accounts.setPassword(user.userId, password);
        await signInAs(accounts, user, request, response);
      },
    },
    {
      access: 'signed-in',
      method: 'get',
      path: '/me',
      handle: async (_request, response, user) => {
        const { userId, name, email } = user;
        response.json({ userId, name, email, clients: await accounts.memberships(userId) });
      },
    },
  ];
}

async function signInAs(accounts: Accounts, user: User, request: Request, response: Response): Promise<void> {
  const token = await accounts.signIn(user.userId);
  const maxAge = SIGNED_IN_DAYS * 86_400_000;
  response.cookie(COOKIE, token, { ...cookieOptions(request), maxAge });
  response.json({ name: user.name, email: user.email });
}

const cookieOptions = (request: Request) => ({
  httpOnly: true,
  sameSite: 'lax' as const,
  secure: request.secure,
  path: '/',
});

/** Says the same, as fast, whether there is such an account. */
async function forgotten({ accounts, links, sendMail, publicUrl }: AccountParts, email: string): Promise<void> {
  const user = await accounts.byEmail(email);
  if (user === undefined) return;
  const link = `${publicUrl}/reset#${await links.resetToken(user.userId, user.passwordHash)}`;
  const words = `Choose a new password within an hour:\n${link}\n\nIf you did not ask for this, do nothing.`;
  sendMail(user.email, 'A new password for ChatConnect', words).catch((error: unknown) => {
    console.error('a mail was not sent', error);
  });
}

async function userOfReset({ accounts, links }: AccountParts, token: string): Promise<User | null> {
  const claimed = z.uuid().safeParse(links.claimedUser(token));
  const user = claimed.success ? await accounts.byId(claimed.data) : undefined;
  if (user === undefined || !(await links.isResetToken(token, user.passwordHash))) return null;
  return user;
}
