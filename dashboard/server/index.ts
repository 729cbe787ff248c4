/** Starts the server, says `ready <url>`, and drains on SIGTERM. */
import type { AddressInfo } from 'node:net';
import { createApp } from './app.ts';
import { openParts } from './parts.ts';
import { ProgressSockets } from './services/progress-socket.ts';
import { readSettings } from './settings.ts';

const DRAIN_MS = 5_000;
const HEAD_MS = 10_000;
/** An upload of 100 MB over a slow line. */
const REQUEST_MS = 1_800_000;
const MAX_CONNECTIONS = 5_000;

const settings = readSettings(process.env);
const { parts, close } = openParts(settings);
const sockets = new ProgressSockets(settings.kafkaServers, parts.accounts, parts.documents);
const app = createApp(parts, settings.trustedProxies);
const server = app.listen(settings.port, settings.host, (error) => {
  if (error) throw error;
  const { address, port } = server.address() as AddressInfo;
  void sayFirstStart().then(() => {
    console.log(`ready http://${address}:${String(port)}`);
  });
});
sockets.attach(server);

server.headersTimeout = HEAD_MS;
server.requestTimeout = REQUEST_MS;
server.maxConnections = MAX_CONNECTIONS;

/** Nobody has an account: whoever reads the log may make the first one. */
async function sayFirstStart(): Promise<void> {
  const isEmpty = await parts.accounts.isEmpty().catch(() => false);
  if (isEmpty) console.log(`first start: ${settings.publicUrl}/setup#${parts.links.setupToken()}`);
}

async function stop(): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  const late = setTimeout(() => {
    server.closeAllConnections();
  }, DRAIN_MS);
  await sockets.close();
  await closed;
  clearTimeout(late);
  await close();
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void stop();
  });
}
