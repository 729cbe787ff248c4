/** Starts the server, says `ready <url>`, and drains on SIGTERM. */
import type { AddressInfo } from 'node:net';
import { createApp } from './app.ts';
import { EventProducer } from './services/event-producer.ts';
import { Gateway } from './services/gateway.ts';
import { PythonBackend } from './services/python-backend.ts';
import { Tickets } from './services/tickets.ts';
import { readSettings } from './settings.ts';

const DRAIN_MS = 5_000;
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
const MAX_CONNECTIONS = 5_000;

const settings = readSettings(process.env);
const events = new EventProducer(settings.kafkaServers);
const gateway = new Gateway(settings.gatewayUrl, settings.internalSecrets[0] ?? '');
const parts = { gateway, backend: new PythonBackend(events, gateway), tickets: new Tickets(settings.internalSecrets) };
const app = createApp(parts, settings.trustedProxies);
const server = app.listen(settings.port, settings.host, (error) => {
  if (error) throw error;
  const { address, port } = server.address() as AddressInfo;
  console.log(`ready http://${address}:${String(port)}`);
});

// A request that comes in drops may not hold a connection.
server.headersTimeout = HEAD_MS;
server.requestTimeout = REQUEST_MS;
server.maxConnections = MAX_CONNECTIONS;

async function stop(): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  const late = setTimeout(() => {
    server.closeAllConnections();
  }, DRAIN_MS);
  await closed;
  clearTimeout(late);
  await events.close();
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void stop();
  });
}
