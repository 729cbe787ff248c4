/** One logged answer. */
import type { Source } from '../../shared/python-backend-types.ts';

export interface Logged {
  messageId: string;
  sessionId: string;
  question: string;
  answer: string;
  sources: Source[];
  outcome: 'completed' | 'failed' | 'cancelled';
  finishReason: string;
  model: string;
  costUsd: string;
  answerMs: number;
  requestedAt: string;
  rating: 'up' | 'down' | null;
  ratingComment: string | null;
}
