/** For tests: sends a cancellation for each session id on stdin (JSON), so that its partition can be seen. */
import { text } from 'node:stream/consumers';
import { EventProducer } from '../server/services/event-producer.ts';

const sessionIds = JSON.parse(await text(process.stdin)) as string[];
const producer = new EventProducer((process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? '').split(','));
const caller = { clientId: 'acme', tier: 'paid', traceparent: '00-1-1-01' } as const;
const messageId = crypto.randomUUID();
const sending = sessionIds.map((sessionId) => {
  const event = { clientId: 'acme', messageId, sessionId, rating: 'up', ratedAt: new Date().toISOString() } as const;
  return producer.send({ topic: 'chat.feedback', name: 'ChatFeedback', event }, caller);
});
// Not awaited first: closing waits for what was sent.
await producer.close();
await Promise.all(sending);
