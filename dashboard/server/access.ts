/** Who may call what: the one place where a request of the dashboard is authenticated and authorised. */
import { parse } from 'cookie';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Role } from '../shared/schema-v2.ts';
import { Problem } from './problems.ts';
import type { Accounts, Membership, User } from './services/accounts/accounts.ts';
import type { AuditLog } from './services/accounts/audit-log.ts';

export const COOKIE = 'chatconnect_session';
const RANKS: Record<Role, number> = { viewer: 0, editor: 1, owner: 2 };
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/** Who is signed in, and for which client the request is. */
export interface Caller extends Membership {
  user: User;
}

/** A route and who may call it: anybody, who is signed in, or a client's member with at least this role. */
export type Route = { path: string } & (
  | { access: 'public'; method: 'get' | 'post'; handle: (request: Request, response: Response) => Promise<void> }
  | {
      access: 'signed-in';
      method: 'get' | 'post';
      handle: (request: Request, response: Response, user: User) => Promise<void>;
    }
  | {
      access: Role;
      method: 'get';
      handle: (request: Request, response: Response, caller: Caller) => Promise<void>;
    }
  | {
      access: Role;
      method: 'post' | 'put' | 'delete';
      /** What the audit log calls it; its subject is what `handle` returns, null where nothing was changed. */
      action: string;
      handle: (request: Request, response: Response, caller: Caller) => Promise<string | null>;
    }
);

/** A router of these routes. */
export function guarded(routes: Route[], accounts: Accounts, audit: AuditLog): Router {
  const router = Router();
  for (const route of routes) {
    router[route.method](route.path, async (request, response) => {
      refuseOtherSites(request);
      if (route.access === 'public') {
        await route.handle(request, response);
        return;
      }
      const user = await signedIn(request.headers.cookie, accounts);
      if (route.access === 'signed-in') {
        await route.handle(request, response, user);
        return;
      }
      const caller = await callerFor(user, request.get('x-client-id') ?? request.query['client'], accounts);
      if (RANKS[caller.role] < RANKS[route.access]) {
        throw new Problem(403, `Your role is ${caller.role}, and this needs ${route.access}: ask an owner.`);
      }
      const subject = await route.handle(request, response, caller);
      if (route.method !== 'get' && typeof subject === 'string') {
        await audit.write(caller.clientId, user.email, route.action, subject);
      }
    });
  }
  return router;
}

/** The browser's token among its cookies. */
export const tokenOf = (cookies: string | undefined): string | undefined => parse(cookies ?? '')[COOKIE];

/** The user of a cookie. Rejects with a 401. */
export async function signedIn(cookies: string | undefined, accounts: Accounts): Promise<User> {
  const token = tokenOf(cookies);
  const user = token === undefined ? undefined : await accounts.signedIn(token);
  if (user === undefined) throw new Problem(401, 'You are not signed in.');
  return user;
}

/** What a user is for the named client, else for the first one. Rejects with a 403. */
export async function callerFor(user: User, named: unknown, accounts: Accounts): Promise<Caller> {
  const known = await accounts.memberships(user.userId);
  const found = known.find(({ clientId }) => named === undefined || clientId === named);
  if (found === undefined) throw new Problem(403, 'You do not look after this client.');
  return { ...found, user };
}

/**
 * Only our own pages change something: browsers say where a request comes from (Fetch Metadata; older ones `Origin`),
 * and what is no browser carries nobody's cookies.
 */
export function refuseOtherSites(request: Pick<Request, 'method' | 'headers'>, isUpgrade = false): void {
  if (SAFE.includes(request.method) && !isUpgrade) return;
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  const isOurs =
    site === undefined
      ? origin === undefined || URL.parse(origin)?.host === host
      : ['same-origin', 'none'].includes(site);
  if (!isOurs) throw new Problem(403, 'This request comes from another site.');
}
