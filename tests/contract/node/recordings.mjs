// node recordings.mjs <package> <folder>: reads every recording with that package, cut at every byte, and prints
// the distinct outcomes of each as JSON.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createParser } from "eventsource-parser";
import { createEventSource } from "eventsource-client";
import { EventSource } from "eventsource";
import { Answers } from "./fold.mjs";

const EVENTS = ["accepted", "queued", "asked", "started", "sources", "delta", "completed", "failed", "cancelled", "snapshot", "progress"];
const CLIENTS = { "eventsource-parser": parser, eventsource: eventSource, "eventsource-client": eventSourceClient };

function outcome(answers, lastId) {
  return { events: answers.events, lastIdWithData: lastId, messages: answers.told() };
}

function parser(chunks) {
  const answers = new Answers(), decoder = new TextDecoder();
  let lastId = "", retryMs = null;
  const reading = createParser({
    onEvent({ event, data, id }) {
      lastId = id ?? lastId;
      answers.take(event, JSON.parse(data));
    },
    onRetry: (milliseconds) => { retryMs = milliseconds; },
  });
  for (const chunk of chunks) reading.feed(decoder.decode(chunk, { stream: true }));
  return { ...outcome(answers, lastId), retryMs };
}

// The packages read a response that hands out these chunks.
function fetched(chunks) {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) if (chunk.length) controller.enqueue(chunk);
      controller.close();
    },
  });
  return async () => new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function eventSource(chunks) {
  return new Promise((resolve, reject) => {
    const answers = new Answers(), source = new EventSource("http://127.0.0.1/", { fetch: fetched(chunks) });
    let lastId = "";
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        lastId = event.lastEventId || lastId;
        try { answers.take(name, JSON.parse(event.data)); } catch (error) { reject(error); }
      });
    }
    source.addEventListener("error", () => { source.close(); resolve(outcome(answers, lastId)); });
  });
}

function eventSourceClient(chunks) {
  return new Promise((resolve, reject) => {
    const answers = new Answers();
    const source = createEventSource({
      url: "http://127.0.0.1/",
      fetch: fetched(chunks),
      onMessage({ event, data }) {
        try { answers.take(event, JSON.parse(data)); } catch (error) { reject(error); }
      },
      onDisconnect() { source.close(); resolve(outcome(answers, source.lastEventId)); },
    });
  });
}

function* cuts(body) {
  for (let cut = 0; cut <= body.length; cut++) yield [body.subarray(0, cut), body.subarray(cut)];
  yield [...body].map((byte) => Uint8Array.of(byte));
}

const [read, folder] = [CLIENTS[process.argv[2]], process.argv[3]];
const found = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".sse"))) {
  const outcomes = new Set();
  for (const chunks of cuts(readFileSync(join(folder, file)))) outcomes.add(JSON.stringify(await read(chunks)));
  found[file.slice(0, -".sse".length)] = [...outcomes].map((text) => JSON.parse(text));
}
console.log(JSON.stringify(found));
