/** Passwords as argon2id hashes, with OWASP's parameters (19 MiB, two passes, one lane). */
import { hash, verify } from '@node-rs/argon2';

export const SHORTEST = 10;
export const LONGEST = 200;

/** Of nobody's password: who asks for an unknown address waits as long as who has a wrong password. */
const NOBODY = hash(crypto.randomUUID());

/** The PHC string of a password. */
export const hashed = (password: string): Promise<string> => hash(password);

/** Whether the password is that of the hash; `undefined`: of nobody. */
export async function matches(passwordHash: string | undefined, password: string): Promise<boolean> {
  const isRight = await verify(passwordHash ?? (await NOBODY), password);
  return isRight && passwordHash !== undefined;
}
