/** Files on their way to the knowledge base: a few at once, each with its percentage. */
import { addressOf } from './api.ts';

export const MAX_BYTES = 100 * 1024 * 1024;
const AT_ONCE = 3;

export interface Upload {
  key: string;
  name: string;
  percent: number;
  error?: string;
}

type Changed = (upload: Upload | { key: string; done: true }) => void;

/** One queue for the page. */
export class Uploads {
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #changed: Changed;
  #running = 0;

  constructor(changed: Changed) {
    this.#changed = changed;
  }

  add(file: File, externalId: string = crypto.randomUUID()): void {
    const upload: Upload = { key: crypto.randomUUID(), name: file.name, percent: 0 };
    if (file.size > MAX_BYTES) {
      this.#changed({ ...upload, error: 'The file is larger than 100 MB: split it.' });
      return;
    }
    this.#changed(upload);
    this.#waiting.push(() => this.#send(file, externalId, upload));
    this.#next();
  }

  #next(): void {
    if (this.#running >= AT_ONCE) return;
    const send = this.#waiting.shift();
    if (send === undefined) return;
    this.#running += 1;
    void send().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }

  // fetch() tells no progress of a body that it sends.
  #send(file: File, externalId: string, upload: Upload): Promise<void> {
    const form = new FormData();
    form.set('externalId', externalId);
    form.set('file', file);
    const request = new XMLHttpRequest();
    request.open('POST', addressOf('/documents/upload'));
    request.setRequestHeader('idempotency-key', upload.key);
    request.responseType = 'json';
    return new Promise((resolve) => {
      request.upload.onprogress = ({ loaded, total }) => {
        this.#changed({ ...upload, percent: Math.floor((100 * loaded) / Math.max(total, 1)) });
      };
      request.onloadend = () => {
        const problem = request.response as { detail?: string } | null;
        const error = problem?.detail ?? 'The upload was interrupted: add the file again.';
        this.#changed(request.status === 202 ? { key: upload.key, done: true } : { ...upload, error });
        resolve();
      };
      request.send(form);
    });
  }
}
