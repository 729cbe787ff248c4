// A stranger's client: what the events of `wire.md` add up to, in plain JavaScript.
const ENDINGS = ["completed", "failed", "cancelled"];

export class Answers {
  constructor() {
    this.messages = {};
    this.events = 0;
  }

  take(event, data) {
    this.events += 1;
    if (!("seq" in data)) return;
    const told = (this.messages[data.messageId] ??= { text: "", state: "running", attempt: 0, seq: -1, sources: [] });
    const isOld = data.attempt < told.attempt || (data.attempt === told.attempt && data.seq <= told.seq);
    if (ENDINGS.includes(told.state)) return;
    if (event === "snapshot") {
      if (data.attempt < told.attempt || (isOld && !ENDINGS.includes(data.state))) return;
      Object.assign(told, { text: data.text, state: data.state, sources: data.sources });
    } else {
      if (isOld) return;
      if (data.attempt > told.attempt) Object.assign(told, { text: "", sources: [], seq: -1 });
      if (data.seq !== told.seq + 1) throw new Error(`${event} ${data.attempt}/${data.seq} came after ${told.seq}`);
      if (event === "sources") told.sources = data.sources;
      if (event === "delta") told.text += data.text;
      if (ENDINGS.includes(event)) told.state = event;
    }
    Object.assign(told, { attempt: data.attempt, seq: data.seq });
  }

  isEnded(messageId) {
    return ENDINGS.includes(this.messages[messageId]?.state);
  }

  told() {
    const entries = Object.entries(this.messages);
    return Object.fromEntries(entries.map(([id, { text, state, attempt, sources }]) => [id, { text, state, attempt, sources: sources.map((source) => source.n) }]));
  }
}
