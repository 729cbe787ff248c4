import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { Tickets } from '../server/services/tickets.ts';

const [OLD, NEW] = ['a'.repeat(32), 'b'.repeat(32)];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
const CLAIMS = { client: 'acme', session: 's1' };

function signed(secret: string, claims: object, expires: string, audience = 'chatconnect-session'): Promise<string> {
  const key = createHash('sha256').update(`chatconnect ticket\0${secret}`).digest();
  const token = new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).setSubject('v1');
  return token.setAudience(audience).setIssuedAt().setExpirationTime(expires).sign(key);
}

describe('Tickets', () => {
  const tickets = new Tickets([NEW, OLD]);

  it.each([NEW, OLD])('reads what either secret signed', async (secret) => {
    const found = await tickets.read(await signed(secret, CLAIMS, '30m'));

    expect(found).toEqual({ clientId: 'acme', sessionId: 's1', visitorId: 'v1' });
  });

  it('reads nothing that is expired, of others, or for another purpose', async () => {
    const tokens = await Promise.all([
      signed(NEW, CLAIMS, '-5m'),
      signed('c'.repeat(32), CLAIMS, '30m'),
      signed(NEW, CLAIMS, '30m', 'another'),
      signed(NEW, { client: 'acme' }, '30m'),
    ]);

    for (const token of [...tokens, 'no ticket', '']) expect(await tickets.read(token)).toBeNull();
  });

  it('keeps a random UUID as the session, whose visitor follows from its first question', () => {
    const named = '8F14E45F-CEEA-467A-9BDF-3A6D6F2A1C01';
    const opened = tickets.opened('acme', named, 'm1', '10.0.0.1');

    expect(opened.sessionId).toBe(named.toLowerCase());
    expect(tickets.opened('acme', named, 'm1', '10.0.0.2')).toEqual(opened);
    expect(tickets.opened('acme', named, 'm2', '10.0.0.1').visitorId).not.toBe(opened.visitorId);
    expect(new Tickets([OLD]).opened('acme', named, 'm1', '10.0.0.1').visitorId).not.toBe(opened.visitorId);
  });

  it('repeats the session of a question that names none', () => {
    const opened = tickets.opened('acme', undefined, 'm1', '10.0.0.1');

    expect(opened.sessionId).toMatch(UUID);
    expect(tickets.opened('acme', undefined, 'm1', '10.0.0.1')).toEqual(opened);
    expect(tickets.opened('acme', undefined, 'm2', '10.0.0.1').sessionId).not.toBe(opened.sessionId);
  });

  it.each(['test-uuid', 'c232ab00-9414-11ec-b3c8-9f6bdeced846'])(
    'gives a name that others may choose too to each address alone: %s',
    (named) => {
      const mine = tickets.opened('acme', named, 'm1', '10.0.0.1');

      expect(mine.sessionId).toMatch(UUID);
      expect(tickets.opened('acme', named, 'm2', '10.0.0.1')).toEqual(mine);
      expect(tickets.opened('acme', named, 'm1', '10.0.0.2').sessionId).not.toBe(mine.sessionId);
      expect(tickets.opened('other', named, 'm1', '10.0.0.1').sessionId).not.toBe(mine.sessionId);
    },
  );
});
