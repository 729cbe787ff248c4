/** Mails with a link. Without `SMTP_URL` the link is in the log: for development, and for who has no mail server. */
import { createTransport } from 'nodemailer';

export type SendMail = (to: string, subject: string, text: string) => Promise<void>;

const CONNECT_MS = 5_000;

export function mailer(smtpUrl: string | undefined, from: string): SendMail {
  if (smtpUrl === undefined) {
    return (to, subject, text) => {
      console.log(`mail to ${to} (SMTP_URL is not set): ${subject}\n${text}`);
      return Promise.resolve();
    };
  }
  const timeouts = { connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, socketTimeout: CONNECT_MS };
  const transport = createTransport({ url: smtpUrl, ...timeouts });
  return async (to, subject, text) => {
    await transport.sendMail({ from, to, subject, text });
  };
}
