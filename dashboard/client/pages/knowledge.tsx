/** Documents: dropped in, watched, tried again, replaced, deleted. */
import { useMemo, useRef, useState } from 'react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { DocumentView } from '../../shared/python-backend-types.ts';
import { call } from '../data/api.ts';
import { isEnded, useDocuments } from '../data/documents.ts';
import { mayEdit, useSession } from '../data/session.ts';
import { Uploads } from '../data/upload.ts';
import type { Upload } from '../data/upload.ts';
import { DocumentRow } from '../components/document-row.tsx';
import { Card, Empty, Loaded, Page, Trouble } from '../components/parts.tsx';

export function Knowledge() {
  const { client } = useSession();
  const documents = useDocuments();
  const { uploads, list, dismiss } = useUploads();
  const remove = useMutation({
    mutationFn: (id: string) => call(`/documents/${encodeURIComponent(id)}`, 'DELETE'),
  });
  const retry = useMutation({
    mutationFn: (id: string) => call(`/documents/${encodeURIComponent(id)}/retry`, 'POST'),
  });
  const replace = (document: DocumentView, file: File) => {
    uploads.add(file, document.externalId);
  };
  const canEdit = mayEdit(client);
  return (
    <Page title="Knowledge" intro="Answers come from these documents and from nothing else.">
      {canEdit ? (
        <DropZone
          onFiles={(files) => {
            files.forEach((file) => {
              uploads.add(file);
            });
          }}
        />
      ) : null}
      <Sending list={list} dismiss={dismiss} />
      <Trouble error={remove.error ?? retry.error} />
      <Loaded query={documents}>
        {(found) =>
          found.length === 0 ? (
            <Empty title="There are no documents yet">
              {canEdit
                ? 'Add what your visitors ask about: a handbook, prices, opening hours.'
                : 'Ask an editor to add some.'}
            </Empty>
          ) : (
            <Card title={`${String(found.length)} ${found.length === 1 ? 'document' : 'documents'}`}>
              <Summary documents={found} />
              <ul className="documents">
                {found.map((document) => (
                  <DocumentRow
                    key={document.id}
                    document={document}
                    canEdit={canEdit}
                    onDelete={() => {
                      remove.mutate(document.id);
                    }}
                    onRetry={() => {
                      retry.mutate(document.id);
                    }}
                    onReplace={(file) => {
                      replace(document, file);
                    }}
                    isGoing={remove.isPending && remove.variables === document.id}
                  />
                ))}
              </ul>
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
}

function useUploads() {
  const queries = useQueryClient();
  const [list, setList] = useState<Upload[]>([]);
  const uploads = useMemo(
    () =>
      new Uploads((changed) => {
        if ('done' in changed) void queries.invalidateQueries({ queryKey: ['documents'] });
        setList((known) => {
          const others = known.filter(({ key }) => key !== changed.key);
          if ('done' in changed) return others;
          return known.some(({ key }) => key === changed.key)
            ? known.map((one) => (one.key === changed.key ? changed : one))
            : [...others, changed];
        });
      }),
    [queries],
  );
  const dismiss = (key: string) => {
    setList((known) => known.filter((one) => one.key !== key));
  };
  return { uploads, list, dismiss };
}

function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  return (
    <div
      className={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      <p>Drop files here, or</p>
      <button type="button" className="main" onClick={() => input.current?.click()}>
        Choose files
      </button>
      <p className="hint">PDF, Word, Excel, PowerPoint, text, Markdown, CSV, HTML, e-mails and more; 100 MB each.</p>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function Sending({ list, dismiss }: { list: Upload[]; dismiss: (key: string) => void }) {
  if (list.length === 0) return null;
  return (
    <Card title="Uploads">
      <ul className="documents" aria-live="polite">
        {list.map(({ key, name, percent, error }) => (
          <li key={key}>
            <div className="row">
              <strong>{name}</strong>
              {error === undefined ? <progress value={percent} max={100} aria-label={`${name} is sent`} /> : null}
            </div>
            {error === undefined ? null : (
              <p className="trouble" role="alert">
                {error}{' '}
                <button
                  type="button"
                  className="plain"
                  onClick={() => {
                    dismiss(key);
                  }}
                >
                  Dismiss
                </button>
              </p>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Summary({ documents }: { documents: DocumentView[] }) {
  const working = documents.filter((one) => !isEnded(one)).length;
  const failed = documents.filter(({ status }) => status === 'failed').length;
  const words = [
    working > 0 ? `${String(working)} being read` : '',
    failed > 0 ? `${String(failed)} failed` : '',
  ].filter((one) => one !== '');
  return (
    <p className="hint" role="status">
      {words.length === 0 ? 'All are ready.' : `${words.join(', ')}.`}
    </p>
  );
}
