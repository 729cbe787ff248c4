/** Asking as a visitor would, seen from inside: no conversation, no usage (`/api/dashboard/trials`). */
import { z } from 'zod';
import type { Route } from '../access.ts';
import type { Gateway } from '../services/gateway.ts';
import type { PythonBackend } from '../services/python-backend.ts';
import type { Trials } from '../services/trials.ts';
import { bodyOf, text } from './body.ts';

/** As `handlers/answering` has it: with less, the model is not asked. */
const EVIDENCE_THRESHOLD = 0.75;
const Asked = z.object({ message: text(8_000).trim().min(1) });

export function trialRoutes(backend: PythonBackend, gateway: Gateway, trials: Trials): Route[] {
  return [
    {
      access: 'viewer',
      method: 'post',
      path: '/trials',
      action: 'question tried',
      handle: async (request, response, { clientId, tier }) => {
        const { message } = bodyOf(request, Asked);
        const [sessionId, messageId, visitorId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
        const { ticket } = await gateway.ticket(clientId, sessionId, visitorId);
        const found = trials.found(clientId, messageId);
        const question = { message, sessionId, messageId, ticket, trial: true };
        const began = performance.now();
        const answer = await backend.sendChatMessage(question, { clientId, tier: tier === 'paid' ? 'paid' : 'free' });
        const totalMs = performance.now() - began;
        response.json({ answer, found: await found, threshold: EVIDENCE_THRESHOLD, totalMs });
        return null;
      },
    },
  ];
}
