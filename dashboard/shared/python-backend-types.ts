/** The shapes of the Python half. Made by `npm run types` from its schemas: change those. */

/**
 * The shapes of ChatConnect's records on Kafka, of the data of its server-sent events, and of the bodies of its HTTP interface, by name. Further fields may come: ignore what you do not know.
 */
export interface Shapes {
  [k: string]: unknown;
}
/**
 * The answer ended on request; what was said so far stays, and is billed.
 */
export interface AnswerCancelled {
  messageId: string;
  attempt: number;
  seq: number;
  usage: Usage;
}
/**
 * Tokens of one answer. `estimated` says that the provider sent no figures and we counted characters.
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  estimated: boolean;
}
/**
 * The answer ended as it should. `citations` are numbers of sources.
 */
export interface AnswerCompleted {
  messageId: string;
  attempt: number;
  seq: number;
  finishReason: 'stop' | 'length' | 'no_answer' | 'cancelled' | 'error';
  citations: number[];
  usage: Usage;
  model: string;
}
/**
 * A piece of the answer's text; never empty, whole code points.
 */
export interface AnswerDelta {
  messageId: string;
  attempt: number;
  seq: number;
  text: string;
}
/**
 * The answer ended without success. `message` is a sentence for the visitor.
 */
export interface AnswerFailed {
  messageId: string;
  attempt: number;
  seq: number;
  code: string;
  message: string;
  retryable: boolean;
}
/**
 * What the answer is drawn from; comes before the first delta.
 */
export interface AnswerSources {
  messageId: string;
  attempt: number;
  seq: number;
  sources: Source[];
}
/**
 * A passage as the visitor sees it; `n` is the number citations use, from 1.
 */
export interface Source {
  n: number;
  documentId: string;
  title: string;
  page?: number;
  pageEnd?: number;
  row?: number;
  heading?: string;
  snippet: string;
  score: number;
}
/**
 * An attempt began: text of lower attempts is void.
 */
export interface AnswerStarted {
  messageId: string;
  attempt: number;
  seq: number;
  model: string;
  tier: 'free' | 'paid';
}
/**
 * The question is on its way; the session's stream carries the answer.
 */
export interface ChatAccepted {
  messageId: string;
  sessionId: string;
  ticket?: string;
}
/**
 * A visitor no longer wants this answer.
 */
export interface ChatCancelled {
  clientId: string;
  messageId: string;
  sessionId: string;
  cancelledAt: string;
}
/**
 * Everything about one ended answer: the record that analytics and billing read. A `trial` is nobody's usage.
 */
export interface ChatCompleted {
  clientId: string;
  messageId: string;
  sessionId: string;
  widgetId?: string;
  attempt: number;
  outcome: 'completed' | 'failed' | 'cancelled';
  question: string;
  answer: string;
  sources: Source[];
  citations: number[];
  finishReason: 'stop' | 'length' | 'no_answer' | 'cancelled' | 'error';
  failureCode?: string;
  provider: string;
  model: string;
  tier: 'free' | 'paid';
  usage: Usage;
  costUsd: number;
  retrievalMs: number;
  firstTokenMs?: number;
  answerMs: number;
  trial: boolean;
  requestedAt: string;
  completedAt: string;
}
/**
 * A visitor's rating of an answer; the last one counts.
 */
export interface ChatFeedback {
  clientId: string;
  messageId: string;
  sessionId: string;
  rating: 'up' | 'down';
  comment?: string;
  ratedAt: string;
}
/**
 * The whole answer.
 */
export interface ChatReply {
  messageId: string;
  sessionId: string;
  ticket?: string;
  reply: string;
  sources: Source[];
  usage: Usage;
  model: string;
  finishReason: 'stop' | 'length' | 'no_answer' | 'cancelled' | 'error';
}
/**
 * A visitor's message. Without `session_id` a new session begins; `message_id` makes the request repeatable.
 */
export interface ChatRequest {
  message: string;
  sessionId?: string;
  messageId?: string;
  widgetId?: string;
  locale?: string;
  context?: PageContext;
}
/**
 * Where the visitor is.
 */
export interface PageContext {
  url?: string;
}
/**
 * A visitor's message was accepted. The sender chooses `message_id`; sending it again changes nothing.
 *
 * `trial`: somebody of the client tries it out, so it is no conversation and no usage.
 */
export interface ChatRequested {
  clientId: string;
  messageId: string;
  sessionId: string;
  widgetId?: string;
  text: string;
  locale?: string;
  pageUrl?: string;
  trial: boolean;
  requestedAt: string;
}
/**
 * The request, the query that was searched for, and what was found, best first.
 */
export interface ChatRetrieved {
  clientId: string;
  request: ChatRequested;
  query: string;
  passages: Passage[];
  confidence: number;
  retrievalMs: number;
  sessionId: string;
}
/**
 * A chunk once retrieved, with the anchors a citation needs: `page` counts from 1, `page_end` is the last
 * of several.
 */
export interface Passage {
  documentId: string;
  title: string;
  text: string;
  score: number;
  page?: number;
  pageEnd?: number;
  row?: number;
  heading?: string;
}
/**
 * One dependency, as seen from here.
 */
export interface Check {
  status: 'ok' | 'down' | 'unknown';
  detail?: string;
}
/**
 * The document waits for ingestion, or for its removal.
 */
export interface DocumentAccepted {
  id: string;
  status: 'pending' | 'parsing' | 'chunking' | 'embedding' | 'indexing' | 'ready' | 'failed' | 'deleted';
  filename: string;
}
/**
 * The null value of `document.uploaded`: the key is the document, the header the client.
 */
export interface DocumentDeleted {
  clientId: string;
  documentId: string;
}
/**
 * A page of a client's documents, newest first; `next` is the `before` of the page that is further back.
 */
export interface DocumentList {
  documents: DocumentView[];
  next?: string;
}
/**
 * A document of the knowledge base.
 */
export interface DocumentView {
  id: string;
  status: 'pending' | 'parsing' | 'chunking' | 'embedding' | 'indexing' | 'ready' | 'failed' | 'deleted';
  progress: number;
  currentStep: string;
  stage: string;
  reason?: string;
  retryable?: boolean;
  chunks?: number;
  warnings?: string[];
  version: number;
  ahead?: number;
  filename: string;
  title: string;
  description?: string;
  tags: string[];
  externalId?: string;
  mediaType: string;
  sizeBytes: number;
  createdAt: string;
  updatedAt: string;
}
/**
 * `progress` is 0–100; `stage` is where a failure happened; `warnings` say what was left out or guessed.
 */
export interface DocumentProgress {
  clientId: string;
  documentId: string;
  version: number;
  status: 'pending' | 'parsing' | 'chunking' | 'embedding' | 'indexing' | 'ready' | 'failed' | 'deleted';
  stage: string;
  progress: number;
  currentStep: string;
  reason?: string;
  retryable?: boolean;
  chunks?: number;
  warnings?: string[];
  at: string;
}
/**
 * Where ingestion stands. `ahead`: how many documents of the client come before one that waits.
 */
export interface DocumentProgressView {
  id: string;
  status: 'pending' | 'parsing' | 'chunking' | 'embedding' | 'indexing' | 'ready' | 'failed' | 'deleted';
  progress: number;
  currentStep: string;
  stage: string;
  reason?: string;
  retryable?: boolean;
  chunks?: number;
  warnings?: string[];
  version: number;
  ahead?: number;
}
/**
 * A file at `uri` (claim check) is to be ingested. A higher `version` replaces a lower one.
 */
export interface DocumentUploaded {
  clientId: string;
  documentId: string;
  uri: string;
  sha256: string;
  mediaType: string;
  sizeBytes: number;
  filename: string;
  title: string;
  description?: string;
  tags?: string[];
  externalId?: string;
  version: number;
  uploadedAt: string;
}
/**
 * A rating, and why.
 */
export interface FeedbackRequest {
  rating: 'up' | 'down';
  comment?: string;
}
/**
 * `degraded`: answers work, something else does not. `down`: answers do not work.
 */
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  version: string;
  checks: {
    [k: string]: Check;
  };
}
/**
 * A page of a session, oldest first; `next` is the `before` of the page that is further back.
 */
export interface History {
  messages: HistoryMessage[];
  next?: string;
  ticket?: string;
}
/**
 * One exchange of a session.
 */
export interface HistoryMessage {
  messageId: string;
  question: string;
  answer: string;
  state: 'completed' | 'failed' | 'cancelled';
  sources: Source[];
  createdAt: string;
  rating?: 'up' | 'down';
}
/**
 * RFC 9457.
 */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
}
/**
 * The question, for readers of the session that did not ask it. It comes before every attempt, so it has the
 * number 0; a later attempt may send it again, unchanged.
 */
export interface QuestionAsked {
  messageId: string;
  attempt: number;
  seq: number;
  question: string;
  askedAt: string;
}
/**
 * The question waits: its place in line, from 1, and about so many seconds until its answer begins.
 */
export interface Queued {
  messageId: string;
  position: number;
  expectedWaitSeconds: number;
}
/**
 * Replaces what the client has of the message; deltas go on after `seq` of this `attempt`, which is 0 while nothing
 * but the question is known.
 */
export interface Snapshot {
  messageId: string;
  attempt: number;
  seq: number;
  question?: string;
  askedAt?: string;
  text: string;
  sources: Source[];
  state: 'running' | 'completed' | 'failed' | 'cancelled';
}
/**
 * A ticket and when it ends.
 */
export interface TicketIssued {
  ticket: string;
  expiresAt: string;
}
/**
 * A server asks for its visitor's ticket.
 */
export interface TicketRequest {
  clientId: string;
  sessionId: string;
  visitorId?: string;
}
/**
 * Whose key is this, and may that page use it?
 */
export interface ValidateRequest {
  apiKey: string;
  origin?: string;
}
/**
 * The answer; the other fields only when `valid`.
 */
export interface Validated {
  valid: boolean;
  clientId?: string;
  tier?: 'free' | 'paid';
  widget?: WidgetView;
}
/**
 * What a page needs to draw the widget.
 */
export interface WidgetView {
  widgetId: string;
  theme: {
    [k: string]: unknown;
  };
}
