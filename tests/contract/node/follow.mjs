// node follow.mjs <package> <url> <key> <session> <message>: asks on a session's stream and follows it with that
// package, over every drop, until the answer has ended. Prints what it added up to and every event as JSON.
import { createParser } from "eventsource-parser";
import { createEventSource } from "eventsource-client";
import { EventSource } from "eventsource";
import { Answers } from "./fold.mjs";

const [name, url, key, sessionId, messageId] = process.argv.slice(2);
const EVENTS = ["accepted", "queued", "asked", "started", "sources", "delta", "completed", "failed", "cancelled", "snapshot"];
const EVENTS_UNTIL_ABORT = 7;
const CLIENTS = { "eventsource-parser": parser, eventsource: eventSource, "eventsource-client": eventSourceClient };
const headers = { authorization: `Bearer ${key}` };
const stream = `${url}/sessions/${sessionId}/events`;
const question = JSON.stringify({ message: "?", sessionId, messageId });
const answers = new Answers(), seen = [];

function take(event, text) {
  const data = JSON.parse(text);
  seen.push({ event, data });
  answers.take(event, data);
  return answers.isEnded(messageId);
}

let isAsked = false;
async function ask() {
  if (isAsked) return;
  isAsked = true;
  const response = await fetch(`${url}/chat`, { method: "POST", body: question, headers: { ...headers, "content-type": "application/json", prefer: "respond-async" } });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
}

function eventSource() {
  return new Promise((resolve, reject) => {
    const source = new EventSource(stream, { fetch: (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...headers } }) });
    source.addEventListener("open", () => ask().catch(reject));
    source.addEventListener("error", (event) => { if (source.readyState === EventSource.CLOSED) reject(new Error(event.message)); });
    for (const event of EVENTS) {
      source.addEventListener(event, ({ data }) => { if (take(event, data)) { source.close(); resolve(); } });
    }
  });
}

function eventSourceClient() {
  return new Promise((resolve, reject) => {
    const source = createEventSource({
      url: stream,
      headers,
      onConnect: () => ask().catch(reject),
      onMessage: ({ event, data }) => { if (take(event, data)) { source.close(); resolve(); } },
    });
  });
}

// POST, read a few events, hang up, and go on from the last id on the session's stream: again and again.
async function parser() {
  let lastId = null, response = await fetch(`${url}/chat/stream`, { method: "POST", body: question, headers: { ...headers, "content-type": "application/json" } });
  for (;;) {
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    lastId = (await some(response, lastId)).lastId;
    if (answers.isEnded(messageId)) return;
    response = await fetch(stream, { headers: { ...headers, ...(lastId && { "last-event-id": lastId }) } });
  }
}

async function some(response, lastId) {
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let left = EVENTS_UNTIL_ABORT;
  const reading = createParser({
    onEvent({ event, data, id }) {
      if (left <= 0) return;
      left -= 1;
      lastId = id ?? lastId;
      if (take(event, data)) left = 0;
    },
  });
  while (left > 0) {
    const { done, value } = await reader.read().catch(() => ({ done: true }));
    if (done) break;
    reading.feed(decoder.decode(value, { stream: true }));
  }
  await reader.cancel().catch(() => {});
  return { lastId };
}

await CLIENTS[name]();
console.log(JSON.stringify({ told: answers.told()[messageId], seen }));
process.exit(0);
