import { describe, expect, it } from 'vitest';
import { AnswerEvents } from '../server/services/answer-events.ts';

const MINE = 'a'.repeat(8);
const event = (name: string, data: object) => `id: 1\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const at = (attempt: number, seq: number) => ({ messageId: MINE, attempt, seq });
const delta = event('delta', { ...at(1, 2), text: 'completed größer 数据' });
const other = event('completed', { ...at(1, 9), messageId: 'other' });
const bytesOf = (text: string) => new TextEncoder().encode(text);
const names = (text: string) => new AnswerEvents(MINE).in(bytesOf(text)).map(({ name }) => name);

describe('AnswerEvents', () => {
  it.each([
    event('completed', at(1, 3)),
    event('failed', at(1, 3)),
    event('cancelled', at(1, 3)),
    event('snapshot', { ...at(1, 3), state: 'completed' }),
    event('snapshot', { ...at(1, 3), state: 'failed' }),
    event('snapshot', { ...at(1, 1), state: 'cancelled' }),
  ])('sees each ending wherever the bytes are cut: %s', (last) => {
    const events = new AnswerEvents(MINE);
    const bytes = bytesOf(delta + other + last);
    const seen = Array.from(bytes, (byte) => events.in(Uint8Array.of(byte)).some(({ ending }) => ending !== undefined));

    expect(seen.indexOf(true)).toBe(bytes.length - 1);
  });

  it('goes on for other messages, heartbeats and running snapshots', () => {
    const events = new AnswerEvents(MINE);
    const running = event('snapshot', { ...at(1, 5), state: 'running' });
    const all = `retry: 1000\nid: 0\n\n${delta}${other}id: 9\n\n${running}`;

    expect(events.in(bytesOf(all)).every(({ ending }) => ending === undefined)).toBe(true);
  });

  it('takes nothing twice, and nothing of an attempt that another has made void', () => {
    const second = event('delta', { ...at(2, 1), text: 'new' });

    expect(names(delta + delta + second + delta)).toEqual(['delta', 'delta']);
    expect(names(second + event('snapshot', { ...at(1, 9), state: 'completed' }))).toEqual(['delta']);
    expect(names(event('snapshot', { ...at(1, 2), text: 'x', state: 'running' }) + delta)).toEqual(['snapshot']);
  });

  it('leaves events that name no attempt aside', () => {
    expect(names(event('accepted', { messageId: MINE }) + event('queued', { messageId: MINE, position: 1 }))).toEqual(
      [],
    );
  });
});
