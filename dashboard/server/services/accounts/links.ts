/** Links that let somebody in without a password: the first start's, and the one that sets a new password. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';

const AUDIENCE = 'chatconnect-password';
const RESET_SECONDS = 3_600;

/** Signed with `INTERNAL_SECRET`. */
export class Links {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Opens the dashboard while nobody has an account. */
  setupToken(): string {
    return createHmac('sha256', this.#secret).update('chatconnect dashboard setup').digest('base64url');
  }

  isSetupToken(token: string): boolean {
    const [given, known] = [token, this.setupToken()].map((one) => createHash('sha256').update(one).digest());
    return given !== undefined && known !== undefined && timingSafeEqual(given, known);
  }

  /** Works once and for an hour: the key is made from the password that it replaces. */
  resetToken(userId: string, passwordHash: string): Promise<string> {
    return new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience(AUDIENCE)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(`${String(RESET_SECONDS)}s`)
      .sign(this.#resetKey(passwordHash));
  }

  /** Whose token it says it is: not verified yet. */
  claimedUser(token: string): string | undefined {
    try {
      return decodeJwt(token).sub;
    } catch {
      return undefined;
    }
  }

  async isResetToken(token: string, passwordHash: string): Promise<boolean> {
    try {
      await jwtVerify(token, this.#resetKey(passwordHash), { audience: AUDIENCE, algorithms: ['HS256'] });
      return true;
    } catch (error) {
      if (error instanceof errors.JOSEError) return false;
      throw error;
    }
  }

  #resetKey(passwordHash: string): Uint8Array {
    return createHash('sha256').update(`chatconnect password\0${this.#secret}\0${passwordHash}`).digest();
  }
}
