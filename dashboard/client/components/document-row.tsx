/** A document: where it stands, what went wrong, what can be done. */
import { useRef, useState } from 'react';
import type { DocumentView } from '../../shared/python-backend-types.ts';
import { isEnded } from '../data/documents.ts';
import { dateTime } from '../data/settings.ts';
import { Dialog } from './parts.tsx';

interface Actions {
  document: DocumentView;
  canEdit: boolean;
  isGoing: boolean;
  onDelete: () => void;
  onRetry: () => void;
  onReplace: (file: File) => void;
}

export function DocumentRow(actions: Actions) {
  const { document, canEdit, isGoing } = actions;
  const left = useRemaining(document);
  if (isGoing) return null;
  return (
    <li>
      <div className="row">
        <div>
          <strong>{document.title}</strong>
          <span className="hint">
            {document.filename} · {sizeOf(document.sizeBytes)} · {dateTime(document.createdAt)}
            {document.version > 1 ? ` · version ${String(document.version)}` : ''}
          </span>
        </div>
        <span className={`status ${document.status}`}>{statusOf(document)}</span>
      </div>
      {isEnded(document) ? null : (
        <p className="hint">
          <progress value={document.progress} max={100} aria-label={`Progress of ${document.title}`} />{' '}
          {document.currentStep}
          {document.ahead === undefined || document.ahead === 0 ? '' : `, ${String(document.ahead)} before it`}
          {left === null ? '' : `, about ${left} left`}
        </p>
      )}
      {document.reason === undefined || document.status !== 'failed' ? null : (
        <p className="trouble">{document.reason}</p>
      )}
      <Warnings warnings={document.warnings ?? []} />
      {canEdit ? <Buttons {...actions} /> : null}
    </li>
  );
}

function Buttons({ document, onDelete, onRetry, onReplace }: Actions) {
  const [isAsking, setAsking] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="buttons">
      {document.status === 'failed' ? (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      ) : null}
      {document.externalId === undefined ? null : (
        <>
          <button type="button" onClick={() => input.current?.click()}>
            Replace<span className="unseen"> {document.title}</span>
          </button>
          <input
            ref={input}
            type="file"
            hidden
            aria-label={`A new version of ${document.title}`}
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) onReplace(file);
              event.target.value = '';
            }}
          />
        </>
      )}
      <button
        type="button"
        onClick={() => {
          setAsking(true);
        }}
      >
        Delete<span className="unseen"> {document.title}</span>
      </button>
      {isAsking ? (
        <Dialog
          title={`Delete ${document.title}?`}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>No answer uses it any more, at once. This cannot be undone.</p>
          <form method="dialog" className="buttons">
            <button type="submit">Keep it</button>
            <button type="submit" className="danger" onClick={onDelete}>
              Delete
            </button>
          </form>
        </Dialog>
      ) : null}
    </div>
  );
}

function Warnings({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null;
  return (
    <details className="warnings">
      <summary>
        {warnings.length} {warnings.length === 1 ? 'remark' : 'remarks'} about what was left out or guessed
      </summary>
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </details>
  );
}

const STATUS: Record<DocumentView['status'], string> = {
  pending: 'waiting',
  parsing: 'reading',
  chunking: 'splitting',
  embedding: 'embedding',
  indexing: 'publishing',
  ready: 'ready',
  failed: 'failed',
  deleted: 'deleted',
};

function statusOf({ status, chunks }: DocumentView): string {
  return status === 'ready' && chunks !== undefined ? `ready, ${chunks.toLocaleString()} passages` : STATUS[status];
}

/** Words for the time that is left, by how fast it went since the page saw it; null while that cannot be told. */
function useRemaining({ progress, version, ...document }: DocumentView): string | null {
  const began = useRef({ version, progress, at: Date.now() });
  if (began.current.version !== version) began.current = { version, progress, at: Date.now() };
  const gone = Date.now() - began.current.at;
  const done = progress - began.current.progress;
  if (isEnded(document) || gone < 3_000 || done < 2) return null;
  const seconds = ((100 - progress) / done) * (gone / 1_000);
  return seconds < 60 ? `${String(Math.ceil(seconds / 5) * 5)} s` : `${String(Math.ceil(seconds / 60))} min`;
}

function sizeOf(bytes: number): string {
  const [unit, divisor] = bytes < 1_000_000 ? ['kB', 1_000] : ['MB', 1_000_000];
  return `${(bytes / divisor).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
}
