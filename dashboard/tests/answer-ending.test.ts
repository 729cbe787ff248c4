import { describe, expect, it } from 'vitest';
import { AnswerEnding } from '../server/services/answer-ending.ts';

const MINE = 'a'.repeat(8);
const event = (name: string, data: object) => `id: 1\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const delta = event('delta', { messageId: MINE, text: 'completed größer 数据' });
const other = event('completed', { messageId: 'other' });

describe('AnswerEnding', () => {
  it.each([
    event('completed', { messageId: MINE }),
    event('failed', { messageId: MINE }),
    event('cancelled', { messageId: MINE }),
    event('snapshot', { messageId: MINE, state: 'completed' }),
  ])('sees each ending wherever the bytes are cut: %s', (last) => {
    const ending = new AnswerEnding(MINE);
    const bytes = new TextEncoder().encode(delta + other + last);
    const seen = Array.from(bytes, (byte) => ending.isIn(Uint8Array.of(byte)));

    expect(seen.indexOf(true)).toBe(bytes.length - 1);
  });

  it('goes on for other messages, heartbeats and running snapshots', () => {
    const ending = new AnswerEnding(MINE);
    const all = `retry: 1000\nid: 0\n\n${delta}${other}id: 9\n\n${event('snapshot', { messageId: MINE, state: 'running' })}`;

    expect(ending.isIn(new TextEncoder().encode(all))).toBe(false);
  });
});
