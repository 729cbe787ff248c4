/** A question that the client itself tries out. */
import type { ChatReply, Passage } from '../../shared/python-backend-types.ts';
import { call } from './api.ts';
import { TRIED } from './settings.ts';

export interface Trial {
  answer: ChatReply;
  /** Null: it did not come in time. */
  found: { query: string; passages: Passage[]; confidence: number; retrievalMs: number } | null;
  /** With less confidence the model is not asked. */
  threshold: number;
  totalMs: number;
}

export async function tried(message: string): Promise<Trial> {
  const trial = await call<Trial>('/trials', 'POST', { message });
  localStorage.setItem(TRIED, 'yes');
  return trial;
}
