/** What the routes use, made once. */
import type { Parts } from './app.ts';
import { Accounts } from './services/accounts/accounts.ts';
import { AuditLog } from './services/accounts/audit-log.ts';
import { Conversations } from './services/reports/conversations.ts';
import { openDatabase } from './services/database.ts';
import { DocumentProcessor } from './services/document-processor.ts';
import { EventProducer } from './services/event-producer.ts';
import { Gateway } from './services/gateway.ts';
import { Links } from './services/accounts/links.ts';
import { mailer } from './services/accounts/mail.ts';
import { Members } from './services/accounts/members.ts';
import { PythonBackend } from './services/python-backend.ts';
import { Tickets } from './services/tickets.ts';
import { Trials } from './services/trials.ts';
import { Unanswered } from './services/reports/unanswered.ts';
import { UsageReport } from './services/reports/usage.ts';
import { WidgetStore } from './services/widget-settings.ts';
import type { Settings } from './settings.ts';

export function openParts(settings: Settings): { parts: Parts; close: () => Promise<void> } {
  const secret = settings.internalSecrets[0] ?? '';
  const database = openDatabase(settings.databaseUrl);
  const events = new EventProducer(settings.kafkaServers);
  const gateway = new Gateway(settings.gatewayUrl, secret);
  const accounts = new Accounts(database);
  const trials = new Trials(settings.kafkaServers);
  const parts: Parts = {
    accounts,
    gateway,
    trials,
    backend: new PythonBackend(events, gateway),
    tickets: new Tickets(settings.internalSecrets),
    links: new Links(secret),
    members: new Members(database, accounts),
    audit: new AuditLog(database),
    documents: new DocumentProcessor(gateway),
    conversations: new Conversations(database),
    unanswered: new Unanswered(database),
    usage: new UsageReport(database),
    widgets: new WidgetStore(database),
    sendMail: mailer(settings.smtpUrl, settings.mailFrom),
    publicUrl: settings.publicUrl,
    gatewayUrl: gateway.url,
  };
  const close = async () => {
    await Promise.all([events.close(), trials.close()]);
    await database.$client.end();
  };
  return { parts, close };
}
