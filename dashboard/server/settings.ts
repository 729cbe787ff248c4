/** The only place that reads the environment. Names are the conventional ones of each part, as in the Python half. */
import { z } from 'zod';

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(5_000),
  KAFKA_BOOTSTRAP_SERVERS: z.string().default('127.0.0.1:9092'),
  GATEWAY_URL: z.url().default('http://127.0.0.1:8080'),
  FORWARDED_ALLOW_IPS: z.string().default('127.0.0.1,::1'),
  DATABASE_URL: z.string().default('postgresql://postgres@127.0.0.1:5432/postgres'),
  PUBLIC_URL: z.url().optional(),
  SMTP_URL: z.url().optional(),
  MAIL_FROM: z.string().default('ChatConnect <chatconnect@localhost>'),
  INTERNAL_SECRET: z.string().min(32, 'INTERNAL_SECRET needs 32 random characters: `openssl rand -base64 32`'),
});

export interface Settings {
  host: string;
  port: number;
  kafkaServers: string[];
  gatewayUrl: string;
  databaseUrl: string;
  /** Where browsers find this server: links in mails lead there. */
  publicUrl: string;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Addresses or networks whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
  /** The values of `INTERNAL_SECRET`, two while it is rotated; the first one signs. */
  internalSecrets: string[];
}

/** Throws an error whose message says which variable is wrong. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const values = parsed.data;
  return {
    host: values.HOST,
    port: values.PORT,
    kafkaServers: listed(values.KAFKA_BOOTSTRAP_SERVERS),
    trustedProxies: listed(values.FORWARDED_ALLOW_IPS),
    gatewayUrl: values.GATEWAY_URL.replace(/\/+$/, ''),
    databaseUrl: values.DATABASE_URL,
    publicUrl: (values.PUBLIC_URL ?? `http://${values.HOST}:${String(values.PORT)}`).replace(/\/+$/, ''),
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM,
    internalSecrets: listed(values.INTERNAL_SECRET),
  };
}

function listed(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
