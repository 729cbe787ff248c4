import { describe, expect, it } from 'vitest';
import { readSettings } from '../server/settings.ts';

const INTERNAL_SECRET = 'a'.repeat(32);

describe('readSettings', () => {
  it('has a value for everything but the secret', () => {
    expect(readSettings({ INTERNAL_SECRET, PORT: '' })).toMatchObject({ host: '127.0.0.1', port: 5000 });
  });

  it('signs with the first of two secrets', () => {
    expect(readSettings({ INTERNAL_SECRET: `${INTERNAL_SECRET},${'b'.repeat(32)}` }).internalSecrets).toEqual([
      INTERNAL_SECRET,
      'b'.repeat(32),
    ]);
  });

  it.each([
    [{}, 'INTERNAL_SECRET'],
    [{ INTERNAL_SECRET: 'short' }, 'openssl rand'],
    [{ INTERNAL_SECRET, PORT: '70000' }, 'PORT'],
    [{ INTERNAL_SECRET, GATEWAY_URL: 'gateway' }, 'GATEWAY_URL'],
  ])('says which variable is wrong: %j', (environment, name) => {
    expect(() => readSettings(environment)).toThrow(name);
  });
});
